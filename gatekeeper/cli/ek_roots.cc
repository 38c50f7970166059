#include "gatekeeper/cli/ek_roots.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/enroll/ek_documents.h"
#include "gatekeeper/enroll/ek_files.h"
#include "pki/authority.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

constexpr size_t kShownDigits = 16;
constexpr size_t kFewestDigits = 8;  // of a fingerprint that names one

// One certificate as an operator looks at it.
struct Seen {
  Bytes der;
  std::string fingerprint;  // hex SHA-256
  std::string subject, issuer, key, serial;
  absl::Time not_before, not_after;
  bool is_ca = false;
  std::string use, source, author;  // "ek", "ak"; a file or "added"
};

std::string KeyText(const crypto::PublicKey& key) {
  if (key.kind() == crypto::PublicKey::Kind::kRsa) return absl::StrCat("RSA ", key.bits());
  return crypto::GroupName(*key.curve());
}

absl::StatusOr<Seen> LookAt(ByteView der) {
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr parsed, pki::ParseCertificate(der));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, pki::KeyOf(parsed.get()));
  Seen seen;
  seen.der = ToBytes(der);
  seen.fingerprint = crypto::Hash(crypto::HashAlg::kSha256, der).hex();
  seen.subject = pki::SubjectText(parsed.get());
  seen.issuer = pki::IssuerText(parsed.get());
  seen.key = KeyText(key);
  seen.serial = pki::SerialHex(parsed.get());
  seen.not_before = pki::NotBefore(parsed.get());
  seen.not_after = pki::NotAfter(parsed.get());
  seen.is_ca = pki::IsCa(parsed.get());
  return seen;
}

absl::StatusOr<std::vector<Seen>> LookAtPem(absl::string_view pem) {
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> certificates, pki::CertificatesFromPem(pem));
  std::vector<Seen> out;
  for (const Bytes& der : certificates) {
    BG_ASSIGN_OR_RETURN(Seen seen, LookAt(der));
    out.push_back(std::move(seen));
  }
  return out;
}

std::string PlainFingerprint(absl::string_view text) {
  std::string plain = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text));
  const size_t behind = plain.rfind('=');  // "sha256 Fingerprint=AA:BB", as openssl prints it
  if (behind != std::string::npos) plain.erase(0, behind + 1);
  return absl::StrReplaceAll(plain, {{":", ""}, {" ", ""}});
}

const char* KindFor(const std::string& use) {
  return use == "ak" ? enroll::kAkRootKind : enroll::kEkRootKind;
}

void PrintReview(const Seen& seen, absl::Time now, std::ostream& out) {
  out << FormatPairs({{"subject", seen.subject},
                      {"issuer", seen.issuer == seen.subject ? "itself" : seen.issuer},
                      {"fingerprint", seen.fingerprint},
                      {"serial", seen.serial},
                      {"valid from", FormatUtc(seen.not_before)},
                      {"valid until", absl::StrCat(FormatUtc(seen.not_after),
                                                   seen.not_after < now ? " (over)" : "")},
                      {"key", seen.key},
                      {"a CA", seen.is_ca ? "yes" : "NO"}});
}

ordered_json ToJson(const Seen& seen) {
  return {{"fingerprint", seen.fingerprint},
          {"for", seen.use},
          {"subject", seen.subject},
          {"issuer", seen.issuer},
          {"serial", seen.serial},
          {"not_before", FormatUtc(seen.not_before)},
          {"not_after", FormatUtc(seen.not_after)},
          {"key", seen.key},
          {"source", seen.source},
          {"by", seen.author}};
}

std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

absl::StatusOr<std::vector<Seen>> ReadCandidates(const EkRootAddOptions& options) {
  BG_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(options.file, pki::kMaxPemSize));
  BG_ASSIGN_OR_RETURN(std::vector<Seen> seen, LookAtPem(pem));
  if (seen.empty()) {
    return Malformed(Reason::kPemFormat,
                     absl::StrCat(options.file,
                                  ": there is no CERTIFICATE block in it; DER becomes "
                                  "PEM with: openssl x509 -inform der -in FILE"));
  }
  for (const Seen& each : seen) {
    if (each.is_ca) continue;
    return Malformed(Reason::kCertProfile, absl::StrCat("\"", each.subject, "\" (",
                                                        each.fingerprint.substr(0, kShownDigits),
                                                        "...) is no CA: it can speak for no TPM"));
  }
  return seen;
}

// The ones that the operator means; an error when the fingerprint fits none.
absl::StatusOr<std::vector<Seen>> Chosen(std::vector<Seen> seen, const std::string& fingerprint) {
  if (fingerprint.empty()) return seen;
  for (Seen& each : seen) {
    if (each.fingerprint == PlainFingerprint(fingerprint))
      return std::vector<Seen>{std::move(each)};
  }
  return absl::FailedPreconditionError(
      absl::StrCat("no certificate of the file has the fingerprint ", Printable(fingerprint, 128),
                   "; nothing was added"));
}

absl::Status Add(const Operator& op, const std::string& use, const Seen& seen, bool* fresh) {
  const enroll::EkDocument document = {.name = seen.fingerprint,
                                       .title = seen.subject,
                                       .text = pki::DerToPem(seen.der),
                                       .author = op.actor,
                                       .at = op.clock.Now()};
  const audit::Detail detail = audit::Detail()
                                   .Text("for", use)
                                   .Text("subject", seen.subject)
                                   .Text("issuer", seen.issuer)
                                   .Text("not_after", FormatUtc(seen.not_after));
  const absl::Status added = enroll::AddEkDocument(
      op.store, KindFor(use), document, AuditOf(op, "ek-root.add", seen.fingerprint, detail));
  *fresh = added.ok();
  return absl::IsAlreadyExists(added) ? absl::OkStatus() : added;
}

absl::StatusOr<std::vector<Seen>> Standing(const Operator& op, const std::string& use) {
  BG_ASSIGN_OR_RETURN(const std::vector<enroll::EkDocument> documents,
                      enroll::ListEkDocuments(op.store, KindFor(use)));
  std::vector<Seen> out;
  for (const enroll::EkDocument& document : documents) {
    BG_ASSIGN_OR_RETURN(std::vector<Seen> seen, LookAtPem(document.text));
    for (Seen& each : seen) {
      each.use = use;
      each.source = absl::StrCat("added ", FormatUtc(document.at));
      each.author = document.author;
      out.push_back(std::move(each));
    }
  }
  return out;
}

absl::Status AddConfigured(const std::string& use, const std::vector<std::string>& paths,
                           std::vector<Seen>& to) {
  BG_ASSIGN_OR_RETURN(
      const std::vector<enroll::NamedText> files,
      enroll::ReadFilesAndFolders(paths, enroll::CertificateEndings(), pki::kMaxPemSize));
  for (const enroll::NamedText& file : files) {
    BG_ASSIGN_OR_RETURN(std::vector<Seen> seen, LookAtPem(file.text));
    for (Seen& each : seen) {
      each.use = use;
      each.source = file.file;
      to.push_back(std::move(each));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Seen>> All(const Operator& op, const ConfiguredRoots& configured) {
  std::vector<Seen> all;
  BG_RETURN_IF_ERROR(AddConfigured("ek", configured.ek, all));
  BG_RETURN_IF_ERROR(AddConfigured("ak", configured.ak, all));
  for (const char* const use : {"ek", "ak"}) {
    BG_ASSIGN_OR_RETURN(std::vector<Seen> standing, Standing(op, use));
    for (Seen& each : standing) all.push_back(std::move(each));
  }
  return all;
}

// The one added root whose fingerprint begins so.
absl::StatusOr<Seen> Find(const Operator& op, const std::string& which) {
  const std::string wanted = PlainFingerprint(which);
  BG_ASSIGN_OR_RETURN(std::vector<Seen> all, All(op, {}));
  std::vector<Seen> found;
  for (Seen& each : all) {
    if (wanted.size() >= kFewestDigits && absl::StartsWith(each.fingerprint, wanted)) {
      found.push_back(std::move(each));
    }
  }
  if (found.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no root ", Printable(which, 128),
                     " was added; `ek root list` has all, those of files are "
                     "the configuration's"));
  }
  if (found.size() > 1) {
    return absl::FailedPreconditionError(
        absl::StrCat(found.size(), " roots begin with ", wanted, ": write more of it"));
  }
  return std::move(found.front());
}

}  // namespace

ExitCode EkRootAdd(const Operator& op, const EkRootAddOptions& options) {
  absl::StatusOr<std::vector<Seen>> seen = ReadCandidates(options);
  if (!seen.ok()) return Fail(op.err, seen.status());
  seen = Chosen(*std::move(seen), options.fingerprint);
  if (!seen.ok()) return Fail(op.err, seen.status());
  if (!options.yes && options.fingerprint.empty()) {
    for (const Seen& each : *seen) {
      PrintReview(each, op.clock.Now(), op.out);
      op.out << "\n";
    }
    op.err << "nothing was added. Compare with what the maker of the TPM publishes, then say so:\n"
              "       --fingerprint HEX adds the one that has it, --yes adds all that is shown\n";
    return ExitCode::kConflict;
  }
  ordered_json json = ordered_json::array();
  for (Seen& each : *seen) {
    bool fresh = false;
    const absl::Status added = Add(op, options.use, each, &fresh);
    if (!added.ok()) return Fail(op.err, added);
    each.use = options.use;
    each.source = fresh ? "added now" : "was added before";
    each.author = op.actor;
    json.push_back(ToJson(each));
    if (op.format == OutputFormat::kJson) continue;
    PrintReview(each, op.clock.Now(), op.out);
    op.out << (fresh ? "added" : "was added before") << "; for "
           << (options.use == "ak" ? "AK certificates of clouds" : "EK certificates")
           << ", at once\n";
  }
  if (op.format == OutputFormat::kJson) op.out << Dump(json);
  return ExitCode::kSuccess;
}

ExitCode EkRootList(const Operator& op, const ConfiguredRoots& configured) {
  const absl::StatusOr<std::vector<Seen>> all = All(op, configured);
  if (!all.ok()) return Fail(op.err, all.status());
  if (op.format == OutputFormat::kJson) {
    ordered_json json = ordered_json::array();
    for (const Seen& each : *all) json.push_back(ToJson(each));
    op.out << Dump(json);
    return ExitCode::kSuccess;
  }
  if (all->empty()) {
    op.out << "no root: no EK certificate is believed. `ek root add FILE` adds one\n";
    return ExitCode::kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const Seen& each : *all) {
    rows.push_back({each.fingerprint.substr(0, kShownDigits), each.use, each.subject, each.key,
                    FormatUtc(each.not_after), each.source});
  }
  op.out << FormatTable({"FINGERPRINT", "FOR", "SUBJECT", "KEY", "NOT AFTER", "SOURCE"}, rows);
  return ExitCode::kSuccess;
}

ExitCode EkRootShow(const Operator& op, const std::string& which) {
  const absl::StatusOr<Seen> seen = Find(op, which);
  if (!seen.ok()) return Fail(op.err, seen.status());
  if (op.format == OutputFormat::kJson) {
    ordered_json json = ToJson(*seen);
    json["pem"] = pki::DerToPem(seen->der);
    op.out << Dump(json);
    return ExitCode::kSuccess;
  }
  PrintReview(*seen, op.clock.Now(), op.out);
  op.out << FormatPairs({{"for", seen->use}, {"source", seen->source}, {"by", seen->author}})
         << "\n"
         << pki::DerToPem(seen->der);
  return ExitCode::kSuccess;
}

ExitCode EkRootRemove(const Operator& op, const std::string& which, const std::string& reason) {
  const absl::StatusOr<Seen> seen = Find(op, which);
  if (!seen.ok()) return Fail(op.err, seen.status());
  const audit::Detail detail =
      audit::Detail().Text("for", seen->use).Text("subject", seen->subject).Text("why", reason);
  const absl::Status removed =
      enroll::RemoveEkDocument(op.store, KindFor(seen->use),
                               {.name = seen->fingerprint,
                                .title = "",
                                .text = "",
                                .author = op.actor,
                                .at = op.clock.Now()},
                               reason, AuditOf(op, "ek-root.remove", seen->fingerprint, detail));
  if (!removed.ok()) return Fail(op.err, removed);
  if (op.format == OutputFormat::kJson) {
    op.out << Dump({{"fingerprint", seen->fingerprint}, {"done", "removed"}});
  } else {
    op.out << "removed \"" << seen->subject
           << "\": TPMs that it spoke for enrol no more; hosts that "
           << "are enrolled stay\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
