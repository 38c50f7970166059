#include "gatekeeper/cli/ek_lists.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/enroll/ek_documents.h"
#include "pki/crl_facts.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::gatekeeper::cli {
namespace {

using enroll::EkDocument;
using nlohmann::ordered_json;

constexpr size_t kShownDigits = 16;
constexpr size_t kFewestDigits = 8;   // of a name
constexpr size_t kMaxReason = 200;    // bytes
constexpr size_t kDigestDigits = 64;  // SHA-256

std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

absl::StatusOr<EkDocument> Find(const Operator& op, const char* kind, const std::string& which) {
  BG_ASSIGN_OR_RETURN(const std::vector<EkDocument> all, enroll::ListEkDocuments(op.store, kind));
  const std::string wanted =
      absl::StrReplaceAll(absl::AsciiStrToLower(which), {{":", ""}, {"...", ""}});
  std::vector<EkDocument> found;
  for (const EkDocument& each : all) {
    if (wanted.size() >= kFewestDigits && absl::StartsWith(each.name, wanted))
      found.push_back(each);
  }
  if (found.size() == 1) return std::move(found.front());
  if (found.empty()) {
    return absl::NotFoundError(absl::StrCat("nothing of the name ", Printable(which, 128),
                                            " is here (", kFewestDigits, " digits at least)"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(found.size(), " begin with ", wanted, ": write more of it"));
}

ExitCode Remove(const Operator& op, const char* kind, const char* action, const std::string& which,
                const char* after) {
  const absl::StatusOr<EkDocument> found = Find(op, kind, which);
  if (!found.ok()) return Fail(op.err, found.status());
  const audit::Detail detail = audit::Detail().Text("title", found->title);
  EkDocument who = *found;
  who.author = op.actor;
  who.at = op.clock.Now();
  const absl::Status removed =
      enroll::RemoveEkDocument(op.store, kind, who, "", AuditOf(op, action, found->name, detail));
  if (!removed.ok()) return Fail(op.err, removed);
  if (op.format == OutputFormat::kJson) {
    op.out << Dump({{"name", found->name}, {"done", "removed"}});
  } else {
    op.out << "removed " << found->name.substr(0, kShownDigits) << " (" << found->title << ")"
           << after << "\n";
  }
  return ExitCode::kSuccess;
}

absl::StatusOr<std::vector<pki::CrlFacts>> ReadLists(const std::string& file) {
  BG_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(file, pki::kMaxPemSize));
  return pki::ReadCrlFacts(bytes);
}

absl::StatusOr<pki::CrlFacts> ReadBack(const EkDocument& document) {
  BG_ASSIGN_OR_RETURN(std::vector<pki::CrlFacts> facts, pki::ReadCrlFacts(AsBytes(document.text)));
  return std::move(facts.front());
}

// Whoever has an older list in hand would undo revocations with it.
absl::Status RefuseOlder(const Operator& op, const pki::CrlFacts& facts) {
  BG_ASSIGN_OR_RETURN(const std::vector<EkDocument> all,
                      enroll::ListEkDocuments(op.store, enroll::kEkCrlKind));
  for (const EkDocument& each : all) {
    if (each.name != facts.issuer_key) continue;
    BG_ASSIGN_OR_RETURN(const pki::CrlFacts standing, ReadBack(each));
    if (facts.this_update >= standing.this_update) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("the list of \"", facts.issuer, "\" is of ", FormatUtc(facts.this_update),
                     ", older than the one that stands, of ", FormatUtc(standing.this_update)));
  }
  return absl::OkStatus();
}

absl::Status AddList(const Operator& op, const pki::CrlFacts& facts) {
  BG_RETURN_IF_ERROR(RefuseOlder(op, facts));
  const audit::Detail detail = audit::Detail()
                                   .Text("issuer", facts.issuer)
                                   .Text("this_update", FormatUtc(facts.this_update))
                                   .Number("revoked", static_cast<int64_t>(facts.revoked));
  const absl::Status added =
      enroll::AddEkDocument(op.store, enroll::kEkCrlKind,
                            {.name = facts.issuer_key,
                             .title = facts.issuer,
                             .text = facts.pem,
                             .author = op.actor,
                             .at = op.clock.Now()},
                            AuditOf(op, "ek-crl.add", facts.issuer_key, detail));
  return absl::IsAlreadyExists(added) ? absl::OkStatus() : added;
}

std::string NextText(const pki::CrlFacts& facts, absl::Time now) {
  if (facts.next_update == absl::InfiniteFuture()) return "never";
  return absl::StrCat(FormatUtc(facts.next_update), facts.next_update < now ? " (late)" : "");
}

ordered_json ToJson(const pki::CrlFacts& facts, const std::string& author, absl::Time now) {
  return {{"name", facts.issuer_key},
          {"issuer", facts.issuer},
          {"revoked", facts.revoked},
          {"this_update", FormatUtc(facts.this_update)},
          {"next_update", NextText(facts, now)},
          {"by", author}};
}

// The digest that `what` means: of a certificate file, or itself.
absl::StatusOr<std::string> DigestOf(const std::string& what) {
  std::string plain = absl::AsciiStrToLower(what);
  const size_t behind = plain.rfind('=');  // "sha256 Fingerprint=AA:BB", as openssl prints it
  if (behind != std::string::npos) plain.erase(0, behind + 1);
  plain = absl::StrReplaceAll(plain, {{":", ""}});
  if (plain.size() == kDigestDigits && FromHex(plain).ok()) return plain;
  BG_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(what, pki::kMaxPemSize));
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> certificates, pki::CertificatesFromPem(pem));
  if (certificates.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": ", certificates.size(), " certificates where one is wanted"));
  }
  return crypto::Hash(crypto::HashAlg::kSha256, certificates.front()).hex();
}

absl::StatusOr<std::string> AddDistrust(const Operator& op, const std::string& what,
                                        const std::string& reason) {
  BG_ASSIGN_OR_RETURN(const std::string digest, DigestOf(what));
  const std::string words = Printable(reason, kMaxReason);
  if (words.find('#') != std::string::npos) {
    return absl::InvalidArgumentError("--reason: '#' begins a comment and is no part of a reason");
  }
  BG_RETURN_IF_ERROR(enroll::AddEkDocument(
      op.store, enroll::kEkDistrustKind,
      {.name = digest,
       .title = words,
       .text = absl::StrCat(digest, " ", words),
       .author = op.actor,
       .at = op.clock.Now()},
      AuditOf(op, "ek-distrust.add", digest, audit::Detail().Text("why", words))));
  return digest;
}

}  // namespace

ExitCode EkCrlAdd(const Operator& op, const std::string& file) {
  const absl::StatusOr<std::vector<pki::CrlFacts>> lists = ReadLists(file);
  if (!lists.ok()) return Fail(op.err, lists.status());
  ordered_json json = ordered_json::array();
  for (const pki::CrlFacts& facts : *lists) {
    const absl::Status added = AddList(op, facts);
    if (!added.ok()) return Fail(op.err, added);
    json.push_back(ToJson(facts, op.actor, op.clock.Now()));
    if (op.format == OutputFormat::kJson) continue;
    op.out << "added the list of \"" << facts.issuer << "\": " << facts.revoked << " revoked, of "
           << FormatUtc(facts.this_update) << ", next " << NextText(facts, op.clock.Now()) << "\n";
  }
  if (op.format == OutputFormat::kJson) op.out << Dump(json);
  return ExitCode::kSuccess;
}

ExitCode EkCrlList(const Operator& op) {
  const absl::StatusOr<std::vector<EkDocument>> all =
      enroll::ListEkDocuments(op.store, enroll::kEkCrlKind);
  if (!all.ok()) return Fail(op.err, all.status());
  ordered_json json = ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const EkDocument& each : *all) {
    const absl::StatusOr<pki::CrlFacts> facts = ReadBack(each);
    if (!facts.ok()) return Fail(op.err, facts.status());
    json.push_back(ToJson(*facts, each.author, op.clock.Now()));
    rows.push_back({each.name.substr(0, kShownDigits), facts->issuer, absl::StrCat(facts->revoked),
                    FormatUtc(facts->this_update), NextText(*facts, op.clock.Now()), each.author});
  }
  if (op.format == OutputFormat::kJson) {
    op.out << Dump(json);
  } else {
    op.out << FormatTable({"NAME", "ISSUER", "REVOKED", "OF", "NEXT", "BY"}, rows);
  }
  return ExitCode::kSuccess;
}

ExitCode EkCrlRemove(const Operator& op, const std::string& which) {
  return Remove(op, enroll::kEkCrlKind, "ek-crl.remove", which,
                ": what it revoked is believed again where nothing else speaks against it");
}

ExitCode EkDistrustAdd(const Operator& op, const std::string& what, const std::string& reason) {
  const absl::StatusOr<std::string> digest = AddDistrust(op, what, reason);
  if (!digest.ok()) return Fail(op.err, digest.status());
  if (op.format == OutputFormat::kJson) {
    op.out << Dump({{"name", *digest}, {"why", reason}, {"done", "added"}});
  } else {
    op.out << "enrols no more, from now on: " << *digest << "\n";
  }
  return ExitCode::kSuccess;
}

ExitCode EkDistrustList(const Operator& op) {
  const absl::StatusOr<std::vector<EkDocument>> all =
      enroll::ListEkDocuments(op.store, enroll::kEkDistrustKind);
  if (!all.ok()) return Fail(op.err, all.status());
  ordered_json json = ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const EkDocument& each : *all) {
    json.push_back({{"name", each.name},
                    {"why", each.title},
                    {"by", each.author},
                    {"at", FormatUtc(each.at)}});
    rows.push_back({each.name, each.title, each.author, FormatUtc(each.at)});
  }
  if (op.format == OutputFormat::kJson) {
    op.out << Dump(json);
  } else {
    op.out << FormatTable({"SHA-256", "WHY", "BY", "SINCE"}, rows);
  }
  return ExitCode::kSuccess;
}

ExitCode EkDistrustRemove(const Operator& op, const std::string& which) {
  return Remove(op, enroll::kEkDistrustKind, "ek-distrust.remove", which, ": trusted again");
}

}  // namespace bootgate::gatekeeper::cli
