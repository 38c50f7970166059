#include "gatekeeper/cli/ca.h"

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/certificate_facts.h"
#include "common/crypto/private_key.h"
#include "gatekeeper/cli/ca_taints.h"
#include "gatekeeper/cli/trust_bundles.h"
#include "pki/authority.h"
#include "pki/pem.h"

namespace bootgate::gatekeeper::cli {
namespace {

using Json = nlohmann::ordered_json;
using pki::CaRecord;

constexpr size_t kMaxPem = 65536;  // bytes
constexpr mode_t kPublicMode = 0644, kSecretMode = 0600, kFolderMode = 0700;
constexpr absl::Duration kBackdate = absl::Minutes(5);
constexpr absl::Duration kLongestLifetime = absl::Hours(24 * 365 * 30);

std::string StateName(const CaRecord& ca) {
  const absl::string_view name = Name(ca.state);
  return std::string(name.data(), name.size());
}

absl::StatusOr<absl::Duration> Lifetime(const std::string& text) {
  absl::Duration out;
  if (!absl::ParseDuration(text, &out) || out < absl::Minutes(10) || out > kLongestLifetime) {
    return absl::InvalidArgumentError("--lifetime: write 720h, 8760h, ...; at least 10m");
  }
  return out;
}

absl::StatusOr<std::set<pki::CaUse>> UsesOf(const std::string& word) {
  if (word == "issuing") {
    return std::set<pki::CaUse>(std::begin(pki::kAllCaUses), std::end(pki::kAllCaUses));
  }
  if (const std::optional<pki::CaUse> use = pki::CaUseFromName(word)) {
    return std::set<pki::CaUse>{*use};
  }
  return absl::InvalidArgumentError("--for: hosts, aks, servers, operators, or issuing");
}

absl::Status Audited(const Operator& op, absl::string_view action, const CaRecord& ca,
                     const std::string& replaced) {
  store::Commit commit;
  audit::Detail detail;
  detail.Text("state", StateName(ca)).Text("for", NamesOf(ca.uses)).Text("key", Describe(ca.key));
  if (!ca.why.empty()) detail.Text("why", ca.why);
  if (!replaced.empty()) detail.Text("other", replaced);
  commit.audit = {AuditOf(op, action, ca.id, detail)};
  return op.store.Apply(commit);
}

std::optional<crypto::CertificateFacts> FactsOf(const pki::CaFolder& folder, const CaRecord& ca) {
  if (ca.certificate.empty()) return std::nullopt;
  const absl::StatusOr<std::string> pem = ReadTextFile(folder.PathOf(ca.certificate), kMaxPem);
  if (!pem.ok()) return std::nullopt;
  const absl::StatusOr<std::vector<Bytes>> chain = pki::CertificatesFromPem(*pem);
  if (!chain.ok() || chain->empty()) return std::nullopt;
  return crypto::ReadCertificateFacts(chain->front());
}

Json JsonOf(const pki::CaFolder& folder, const CaRecord& ca) {
  const bool root = ca.kind == CaRecord::Kind::kRoot;
  Json out{{"id", ca.id},
           {"is", root ? "root" : "issuing"},
           {"state", StateName(ca)},
           {"since", FormatUtc(ca.since)},
           {"key", Describe(ca.key)}};
  const auto list = [](const std::set<pki::CaUse>& uses) {
    Json names = Json::array();
    for (const pki::CaUse use : uses) names.push_back(std::string(Name(use)));
    return names;
  };
  if (!root) {
    out["for"] = list(ca.uses);
    out["signs"] = list(ca.signs);
    if (!ca.under.empty()) out["under"] = ca.under;
  }
  if (!ca.why.empty()) out["why"] = ca.why;
  if (const auto facts = FactsOf(folder, ca)) {
    out["subject"] = facts->subject;
    out["not_before"] = facts->not_before;
    out["not_after"] = facts->not_after;
    out["key_id"] = KeyIdOfCa(folder, ca);
    out["sha256"] = facts->fingerprint.hex();
    out["certificate"] = folder.PathOf(ca.certificate);
  }
  if (!ca.request.empty()) out["request"] = folder.PathOf(ca.request);
  return out;
}

std::string EndOf(const pki::CaFolder& folder, const CaRecord& ca) {
  const auto facts = FactsOf(folder, ca);
  return facts.has_value() ? facts->not_after : "";
}

// Tells what a step did, as JSON or in `words`.
ExitCode Done(const Operator& op, const std::string& folder, const pki::CaStep& step,
              absl::string_view action, const std::string& words) {
  if (const absl::Status audited = Audited(op, action, step.ca, step.replaced); !audited.ok()) {
    return Fail(op.err, audited);
  }
  if (op.format == OutputFormat::kTable) {
    op.out << words;
    return ExitCode::kSuccess;
  }
  const absl::StatusOr<pki::CaFolder> loaded = pki::LoadCaFolder(folder);
  if (!loaded.ok()) return Fail(op.err, loaded.status());
  Json json = JsonOf(*loaded, step.ca);
  if (!step.replaced.empty()) json["other"] = step.replaced;
  op.out << json.dump(2) << "\n";
  return ExitCode::kSuccess;
}

// "NAME" of a file that must not be there yet.
absl::Status WriteNew(const std::string& path, ByteView bytes, mode_t mode) {
  if (FileExists(path)) return absl::AlreadyExistsError(absl::StrCat(path, " is already there"));
  return WriteFileAtomically(path, bytes, mode);
}

std::string ActiveWords(const pki::CaStep& step) {
  return absl::StrCat(step.ca.id, " signs for ", NamesOf(step.ca.uses), " from now on\n",
                      step.replaced.empty()
                          ? ""
                          : absl::StrCat("  ", step.replaced,
                                         " signs no more; what it signed is good until it ends\n"));
}

}  // namespace

absl::StatusOr<std::optional<pki::KeySpec>> KeySpecOf(const CaKeyOptions& options) {
  if (options.holder.empty()) {
    if (options.module.empty() && options.token.empty() && options.secret.empty()) {
      return std::nullopt;
    }
    return absl::InvalidArgumentError("--module, --token and --secret go with --holder");
  }
  pki::KeySpec key;
  absl::StatusOr<pki::SecretSource> secret = pki::ParseSecretSource(options.secret);
  if (!secret.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--secret: ", secret.status().message()));
  }
  key.secret = *std::move(secret);
  const bool token = options.holder == "pkcs11";
  if (token != !options.module.empty() || token != !options.token.empty()) {
    return absl::InvalidArgumentError("--holder pkcs11 needs --module PATH and --token LABEL");
  }
  if (token) {
    key.kind = pki::KeySpec::Kind::kPkcs11;
    key.module = options.module;
    key.token = options.token;
    return key;
  }
  if (options.holder == "tpm" && !options.secret.empty()) {
    return absl::InvalidArgumentError("--secret: keys in the TPM have none");
  }
  key.kind = options.holder == "tpm" ? pki::KeySpec::Kind::kTpm : pki::KeySpec::Kind::kFile;
  return key;
}

absl::StatusOr<pki::CaPlan> PlanOf(const CaInitOptions& options, const std::string& ca_folder,
                                   const std::string& cluster_id, const std::string& trust_domain) {
  if (options.offline_root && options.upstream) {
    return absl::InvalidArgumentError("--offline-root and --upstream exclude each other");
  }
  pki::CaPlan plan{.folder = ca_folder, .cluster_id = cluster_id, .trust_domain = trust_domain};
  plan.root = options.offline_root ? pki::RootAt::kOffline
              : options.upstream   ? pki::RootAt::kUpstream
                                   : pki::RootAt::kHere;
  plan.root_out = options.root_out;
  absl::StatusOr<pki::SecretSource> secret = pki::ParseSecretSource(options.root_secret);
  if (!secret.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--root-secret: ", secret.status().message()));
  }
  plan.root_secret = *std::move(secret);
  BG_ASSIGN_OR_RETURN(const std::optional<pki::KeySpec> key, KeySpecOf(options.key));
  if (key.has_value()) plan.key = *key;
  return plan;
}

std::string WordsOf(const pki::CaPlan& plan, const std::vector<pki::CaStep>& steps) {
  switch (plan.root) {
    case pki::RootAt::kHere:
      return absl::StrCat("its CA lies in ", plan.folder,
                          ", readable by this user alone; keep a copy of root.key off this "
                          "machine\n");
    case pki::RootAt::kOffline:
      return absl::StrCat("the root's key was written to ", plan.root_out,
                          " alone: take that folder away, and keep it safe\n");
    case pki::RootAt::kUpstream: {
      std::string out =
          "have these requests signed as CAs, then bring each chain (issuing CA "
          "first, root last)\nback with: bootgate-gatekeeper ca install-chain FILE\n";
      for (const pki::CaStep& step : steps) {
        absl::StrAppend(&out, "  ", plan.folder, "/", step.ca.request, "\n");
      }
      return out;
    }
  }
  __builtin_unreachable();
}

ExitCode CaInit(const Operator& op, const pki::CaPlan& plan) {
  const absl::StatusOr<std::vector<pki::CaStep>> steps = pki::CreateCas(plan, op.clock.Now());
  if (!steps.ok()) return Fail(op.err, steps.status());
  Json json = Json::array();
  const absl::StatusOr<pki::CaFolder> folder = pki::LoadCaFolder(plan.folder);
  for (const pki::CaStep& step : *steps) {
    const absl::Status audited = Audited(op, "ca.init", step.ca, "");
    if (!audited.ok()) return Fail(op.err, audited);
    if (folder.ok()) json.push_back(JsonOf(*folder, step.ca));
  }
  if (op.format == OutputFormat::kJson) {
    op.out << json.dump(2) << "\n";
  } else {
    op.out << "made " << steps->size() << " CAs\n" << WordsOf(plan, *steps);
  }
  return ExitCode::kSuccess;
}

ExitCode CaList(const Operator& op, const std::string& folder) {
  const absl::StatusOr<pki::CaFolder> loaded = pki::LoadCaFolder(folder);
  if (!loaded.ok()) return Fail(op.err, loaded.status());
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const CaRecord& ca : loaded->cas) {
    json.push_back(JsonOf(*loaded, ca));
    const bool root = ca.kind == CaRecord::Kind::kRoot;
    rows.push_back({ca.id, StateName(ca), root ? "root" : NamesOf(ca.uses), OrDash(ca.under),
                    OrDash(EndOf(*loaded, ca)), Describe(ca.key)});
  }
  if (op.format == OutputFormat::kJson) {
    op.out << json.dump(2) << "\n";
  } else {
    op.out << FormatTable({"CA", "STATE", "FOR", "UNDER", "ENDS", "KEY"}, rows);
  }
  return ExitCode::kSuccess;
}

ExitCode CaShow(const Operator& op, const std::string& folder, const std::string& id) {
  const absl::StatusOr<pki::CaFolder> loaded = pki::LoadCaFolder(folder);
  if (!loaded.ok()) return Fail(op.err, loaded.status());
  const CaRecord* const ca = loaded->Find(id);
  if (ca == nullptr) {
    return Fail(op.err, absl::NotFoundError(absl::StrCat("there is no CA ", Printable(id),
                                                         "; `ca list` has them all")));
  }
  const Json json = JsonOf(*loaded, *ca);
  if (op.format == OutputFormat::kJson) {
    op.out << json.dump(2) << "\n";
    return ExitCode::kSuccess;
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [key, value] : json.items()) {
    pairs.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  op.out << FormatPairs(pairs);
  return ExitCode::kSuccess;
}

ExitCode CaRotate(const Operator& op, const std::string& folder, const CaRotateOptions& options) {
  const absl::StatusOr<absl::Duration> lifetime = Lifetime(options.lifetime);
  if (!lifetime.ok()) return Fail(op.err, lifetime.status());
  absl::StatusOr<pki::CaStep> step =
      absl::InvalidArgumentError("--for: hosts, aks, servers, operators, or root");
  if (options.use == "root") {
    const absl::StatusOr<pki::SecretSource> secret = pki::ParseSecretSource(options.root_secret);
    step = secret.ok() ? pki::RotateRoot(folder, *secret, *lifetime, op.clock.Now())
                       : absl::StatusOr<pki::CaStep>(secret.status());
  } else if (const std::optional<pki::CaUse> use = pki::CaUseFromName(options.use)) {
    const absl::StatusOr<std::optional<pki::KeySpec>> key = KeySpecOf(options.key);
    step = key.ok() ? pki::RotateCa(folder, *use, *key, *lifetime, op.clock.Now())
                    : absl::StatusOr<pki::CaStep>(key.status());
  }
  if (!step.ok()) return Fail(op.err, step.status());
  return Done(op, folder, *step, "ca.rotate",
              absl::StrCat(step->ca.id,
                           " is prepared: it is in the trust bundle from now on and signs nothing "
                           "yet\n  once all hosts have attested: bootgate-gatekeeper ca activate ",
                           step->ca.id, "\n"));
}

ExitCode CaActivate(const Operator& op, const std::string& folder,
                    const CaActivateOptions& options) {
  const absl::StatusOr<BundleStanding> standing = CountBundles(op, folder);
  if (!standing.ok()) return Fail(op.err, standing.status());
  if (!standing->lacking.empty() && !options.force) {
    return Fail(
        op.err,
        absl::FailedPreconditionError(absl::StrCat(
            Describe(*standing),
            ". A host gets it with its next attestation and tells so with the one after; "
            "one that lacks a new root then refuses this gatekeeper. Wait, or: ca activate ",
            Printable(options.id), " --force")));
  }
  const absl::StatusOr<pki::CaStep> step = pki::ActivateCa(folder, options.id, op.clock.Now());
  if (!step.ok()) return Fail(op.err, step.status());
  const bool root = step->ca.kind == CaRecord::Kind::kRoot;
  const std::string words =
      root ? absl::StrCat(options.id,
                          " signs new issuing CAs from now on\n  next, for each of hosts, "
                          "aks, servers, operators: ca rotate --for WHAT, ca activate\n")
           : ActiveWords(*step);
  return Done(op, folder, *step, "ca.activate",
              absl::StrCat(words, "  ", Describe(*standing), "\n"));
}

ExitCode CaRemove(const Operator& op, const std::string& folder, const std::string& id) {
  const absl::StatusOr<pki::CaStep> step = pki::RemoveCa(folder, id, op.clock.Now());
  if (!step.ok()) return Fail(op.err, step.status());
  const bool key_stays = step->ca.key.kind == pki::KeySpec::Kind::kPkcs11 ||
                         absl::StrContains(step->ca.key.file, '/') ||
                         absl::StrContains(step->ca.key.file, ':');
  std::string words = absl::StrCat(id, " is forgotten\n");
  if (key_stays) {
    absl::StrAppend(&words, "  its key is still there: ", Describe(step->ca.key), "\n");
  }
  return Done(op, folder, *step, "ca.remove", words);
}

ExitCode CaTaint(const Operator& op, const std::string& folder, const std::string& id,
                 const std::string& why) {
  const absl::StatusOr<pki::CaStep> step = pki::TaintCa(folder, id, why, op.clock.Now());
  if (!step.ok()) return Fail(op.err, step.status());
  const absl::StatusOr<pki::CaFolder> loaded = pki::LoadCaFolder(folder);
  if (!loaded.ok()) return Fail(op.err, loaded.status());
  // Every CA that the step has tainted: a root takes those below it along.
  for (const CaRecord& ca : loaded->cas) {
    const bool now = ca.id == id || (ca.under == id && ca.state == CaRecord::State::kTainted);
    const std::string key_id = now ? KeyIdOfCa(*loaded, ca) : "";
    if (key_id.empty()) continue;
    const absl::Status put = PutCaTaint(
        op, key_id, ca.id, ca.why,
        AuditOf(op, "ca.taint", ca.id, audit::Detail().Text("key_id", key_id).Text("why", ca.why)));
    if (!put.ok()) return Fail(op.err, put);
  }
  std::string words = absl::StrCat(id, " is tainted: nothing below it is believed any more\n");
  if (!step->replaced.empty()) absl::StrAppend(&words, "  ", step->replaced, " signs instead\n");
  for (const pki::CaUse use : pki::kAllCaUses) {
    if (loaded->SignerFor(use) != nullptr) continue;
    const std::string name(Name(use));
    absl::StrAppend(&words, "  no CA signs for ", name,
                    " now: bootgate-gatekeeper ca rotate --for ", name, ", then ca activate\n");
  }
  return Done(op, folder, *step, "ca.taint", words);
}

ExitCode CaCsr(const Operator& op, const std::string& folder, const CaCsrOptions& options) {
  const absl::StatusOr<std::set<pki::CaUse>> uses = UsesOf(options.use);
  if (!uses.ok()) return Fail(op.err, uses.status());
  const absl::StatusOr<std::optional<pki::KeySpec>> key = KeySpecOf(options.key);
  if (!key.ok()) return Fail(op.err, key.status());
  if (options.out_file != "-" && FileExists(options.out_file)) {
    return Fail(op.err, absl::AlreadyExistsError(options.out_file + " is already there"));
  }
  const absl::StatusOr<pki::CaStep> step = pki::RequestCa(folder, *uses, *key, op.clock.Now());
  if (!step.ok()) return Fail(op.err, step.status());
  if (options.out_file == "-") {
    const absl::Status audited = Audited(op, "ca.csr", step->ca, "");
    if (!audited.ok()) return Fail(op.err, audited);
    op.out << step->request_pem;
    return ExitCode::kSuccess;
  }
  const absl::Status written = WriteNew(options.out_file, AsBytes(step->request_pem), kPublicMode);
  if (!written.ok()) return Fail(op.err, written);
  return Done(op, folder, *step, "ca.csr",
              absl::StrCat("wrote ", options.out_file, ", a request for ", step->ca.id,
                           "\n  have it signed as a CA, then: bootgate-gatekeeper ca install-chain "
                           "FILE (issuing CA first, root last)\n"));
}

ExitCode CaInstallChain(const Operator& op, const std::string& folder, const std::string& file) {
  const absl::StatusOr<std::string> pem = ReadTextFile(file, kMaxPem);
  if (!pem.ok()) return Fail(op.err, pem.status());
  const absl::StatusOr<pki::CaStep> step = pki::InstallChain(folder, *pem, op.clock.Now());
  if (!step.ok()) return Fail(op.err, step.status());
  const absl::StatusOr<pki::CaFolder> loaded = pki::LoadCaFolder(folder);
  if (!loaded.ok()) return Fail(op.err, loaded.status());
  std::string root = "-";
  if (const CaRecord* const under = loaded->Find(step->ca.under); under != nullptr) {
    if (const auto facts = FactsOf(*loaded, *under)) {
      root = absl::StrCat(facts->subject, ", SHA-256 ", facts->fingerprint.hex());
    }
  }
  const std::string head = absl::StrCat(step->ca.id, " has its certificate, below\n  ", root, "\n");
  return Done(op, folder, *step, "ca.install-chain",
              head + (step->ca.state == CaRecord::State::kActive
                          ? ActiveWords(*step)
                          : absl::StrCat("  it is prepared; once all hosts have attested: "
                                         "bootgate-gatekeeper ca activate ",
                                         step->ca.id, "\n")));
}

ExitCode CaSignCsr(const CaSignCsrOptions& options, absl::Time now, std::ostream& out,
                   std::ostream& err) {
  const auto sign = [&]() -> absl::Status {
    pki::RequestSigning signing{.root_folder = options.root_folder};
    BG_ASSIGN_OR_RETURN(signing.root_secret, pki::ParseSecretSource(options.root_secret));
    BG_ASSIGN_OR_RETURN(signing.uses, UsesOf(options.use));
    BG_ASSIGN_OR_RETURN(signing.lifetime, Lifetime(options.lifetime));
    BG_ASSIGN_OR_RETURN(const std::string request, ReadTextFile(options.request_file, kMaxPem));
    BG_ASSIGN_OR_RETURN(const std::string chain, pki::SignCaRequest(signing, request, now));
    return WriteNew(options.out_file, AsBytes(chain), kPublicMode);
  };
  if (const absl::Status done = sign(); !done.ok()) return Fail(err, done);
  out << "wrote " << options.out_file
      << "\n  on the gatekeeper: bootgate-gatekeeper ca install-chain " << options.out_file << "\n";
  return ExitCode::kSuccess;
}

ExitCode CaOperatorIssue(const Operator& op, const std::string& folder,
                         const OperatorIssueOptions& options) {
  std::string serial;
  const auto issue = [&]() -> absl::Status {
    BG_ASSIGN_OR_RETURN(const absl::Duration lifetime, Lifetime(options.lifetime));
    const absl::Time now = op.clock.Now();
    BG_ASSIGN_OR_RETURN(const pki::Authority authority, pki::Authority::Open({folder}, now));
    BG_ASSIGN_OR_RETURN(const auto key, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
    const absl::Time end = std::min(now + lifetime, authority.not_after(pki::CaUse::kOperators));
    BG_ASSIGN_OR_RETURN(
        const Bytes der,
        authority.IssueOperator(options.name, options.roles, key.Public(), now - kBackdate, end));
    if (const auto facts = crypto::ReadCertificateFacts(der)) serial = facts->serial;
    const std::string at = absl::StrCat(options.out_folder, "/", options.name);
    BG_RETURN_IF_ERROR(MakeFolder(options.out_folder, kFolderMode));
    BG_RETURN_IF_ERROR(WriteNew(at + ".key", key.Pem().view(), kSecretMode));
    const std::string chain = pki::DerToPem(der) + authority.ChainOf(der);
    BG_RETURN_IF_ERROR(WriteNew(at + ".pem", AsBytes(chain), kPublicMode));
    BG_RETURN_IF_ERROR(WriteFileAtomically(options.out_folder + "/roots.pem",
                                           AsBytes(authority.roots_pem()), kPublicMode));
    store::Commit commit;
    commit.audit = {AuditOf(op, "ca.operator.issue", options.name,
                            audit::Detail().Texts("roles", options.roles).Text("serial", serial))};
    return op.store.Apply(commit);
  };
  if (const absl::Status issued = issue(); !issued.ok()) return Fail(op.err, issued);
  if (op.format == OutputFormat::kJson) {
    op.out << Json{{"name", options.name}, {"serial", serial}, {"folder", options.out_folder}}.dump(
                  2)
           << "\n";
  } else {
    op.out << "wrote " << options.name << ".key, " << options.name << ".pem and roots.pem to "
           << options.out_folder << "\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
