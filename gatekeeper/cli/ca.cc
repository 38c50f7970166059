#include "gatekeeper/cli/ca.h"

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/cli/ca_operators.h"
#include "gatekeeper/cli/ca_root_list.h"
#include "gatekeeper/issuing/ca_acts.h"
#include "pki/authority.h"
#include "pki/pem.h"

namespace bootgate::gatekeeper::cli {
namespace {

using Json = nlohmann::ordered_json;
using pki::CaRecord;

constexpr size_t kMaxPem = 65536;  // bytes
constexpr mode_t kPublicMode = 0644;

std::string StateName(const CaRecord& ca) {
  const absl::string_view name = Name(ca.state);
  return std::string(name.data(), name.size());
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

issuing::CaAct ActOf(const Operator& op, const std::string& folder, const std::string& why = "") {
  return {op.store, folder, op.actor, op.clock.Now(), why};
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
  if (const auto facts = issuing::FactsOf(folder, ca)) {
    out["subject"] = facts->subject;
    out["not_before"] = facts->not_before;
    out["not_after"] = facts->not_after;
    out["key_id"] = facts->key_id;
    out["sha256"] = facts->sha256;
    out["certificate"] = folder.PathOf(ca.certificate);
  }
  if (!ca.request.empty()) out["request"] = folder.PathOf(ca.request);
  return out;
}

std::string EndOf(const pki::CaFolder& folder, const CaRecord& ca) {
  const auto facts = issuing::FactsOf(folder, ca);
  return facts.has_value() ? facts->not_after : "";
}

// Tells what a step did, as JSON or in `words`.
ExitCode Tell(const Operator& op, const std::string& folder, const pki::CaStep& step,
              const std::string& words) {
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

// The same of a step that is not written down yet.
ExitCode Done(const Operator& op, const std::string& folder, const pki::CaStep& step,
              absl::string_view action, const std::string& words) {
  const absl::Status audited = issuing::WriteDown(ActOf(op, folder), action, step, "");
  return audited.ok() ? Tell(op, folder, step, words) : Fail(op.err, audited);
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
    const absl::Status audited = issuing::WriteDown(ActOf(op, plan.folder), "ca.init", step, "");
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
  const auto rotate = [&]() -> absl::StatusOr<pki::CaStep> {
    issuing::CaRotation rotation{.use = options.use};
    BG_ASSIGN_OR_RETURN(rotation.lifetime, CertificateLifetime(options.lifetime));
    BG_ASSIGN_OR_RETURN(rotation.root_secret, pki::ParseSecretSource(options.root_secret));
    BG_ASSIGN_OR_RETURN(rotation.key, KeySpecOf(options.key));
    return issuing::RotateCa(ActOf(op, folder), rotation);
  };
  const absl::StatusOr<pki::CaStep> step = rotate();
  if (!step.ok()) return Fail(op.err, step.status());
  return Tell(op, folder, *step,
              absl::StrCat(step->ca.id,
                           " is prepared: it is in the trust bundle from now on and signs nothing "
                           "yet\n  ",
                           issuing::NextStep(step->ca), "\n"));
}

ExitCode CaActivate(const Operator& op, const std::string& folder,
                    const CaActivateOptions& options) {
  const absl::StatusOr<issuing::Activated> active =
      issuing::ActivateCa(ActOf(op, folder), options.id, options.force);
  if (!active.ok()) return Fail(op.err, active.status());
  const bool root = active->step.ca.kind == CaRecord::Kind::kRoot;
  const std::string words =
      root ? absl::StrCat(options.id,
                          " signs new issuing CAs from now on\n  next, for each of hosts, "
                          "aks, servers, operators: ca rotate --for WHAT, ca activate\n")
           : ActiveWords(active->step);
  return Tell(op, folder, active->step,
              absl::StrCat(words, "  ", Describe(active->standing), "\n"));
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
  const absl::StatusOr<issuing::Tainted> tainted = issuing::TaintCa(ActOf(op, folder, why), id);
  if (!tainted.ok()) return Fail(op.err, tainted.status());
  std::string words = absl::StrCat(id, tainted->changed ? " is tainted" : " was tainted already",
                                   ": nothing below it is believed any more\n");
  if (!tainted->step.replaced.empty()) {
    absl::StrAppend(&words, "  ", tainted->step.replaced, " signs instead\n");
  }
  for (const pki::CaUse use : tainted->unsigned_uses) {
    const std::string name(Name(use));
    absl::StrAppend(&words, "  no CA signs for ", name,
                    " now: bootgate-gatekeeper ca rotate --for ", name, ", then ca activate\n");
  }
  if (const auto loaded = pki::LoadCaFolder(folder); loaded.ok()) {
    words += RootListWords(*loaded, id);
  }
  return Tell(op, folder, tainted->step, words);
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
    const absl::Status audited = issuing::WriteDown(ActOf(op, folder), "ca.csr", *step, "");
    if (!audited.ok()) return Fail(op.err, audited);
    op.out << step->request_pem;
    return ExitCode::kSuccess;
  }
  const absl::Status written =
      WriteNewFile(options.out_file, AsBytes(step->request_pem), kPublicMode);
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
    if (const auto facts = issuing::FactsOf(*loaded, *under)) {
      root = absl::StrCat(facts->subject, ", SHA-256 ", facts->sha256);
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
    BG_ASSIGN_OR_RETURN(signing.lifetime, CertificateLifetime(options.lifetime));
    BG_ASSIGN_OR_RETURN(const std::string request, ReadTextFile(options.request_file, kMaxPem));
    BG_ASSIGN_OR_RETURN(const std::string chain, pki::SignCaRequest(signing, request, now));
    return WriteNewFile(options.out_file, AsBytes(chain), kPublicMode);
  };
  if (const absl::Status done = sign(); !done.ok()) return Fail(err, done);
  out << "wrote " << options.out_file
      << "\n  on the gatekeeper: bootgate-gatekeeper ca install-chain " << options.out_file << "\n";
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
