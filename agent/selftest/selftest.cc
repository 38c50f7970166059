#include "agent/selftest/selftest.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/sources/user_log.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "common/registers/selection.h"
#include "common/tpm2/quote.h"
#include "gatekeeper/appraisal/tpm_state.h"
#include "gatekeeper/judge/judge.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/imaset/signed_file.h"

namespace bootgate::agent::selftest {
namespace {

using gatekeeper::Claim;
using gatekeeper::Coverage;
using gatekeeper::Finding;
using gatekeeper::Severity;
using gatekeeper::Verdict;

namespace judge = gatekeeper::judge;
namespace policy = gatekeeper::policy;
namespace reference = gatekeeper::reference;

constexpr size_t kMaxPolicyFile = size_t{1} << 20;      // bytes
constexpr size_t kMaxReferenceFile = size_t{16} << 20;  // bytes
constexpr size_t kMaxSetFile = size_t{1} << 30;         // bytes
constexpr size_t kNonceBytes = 32;

absl::Status InFile(const std::string& file, const absl::Status& status, Reason reason) {
  return WithReason(absl::Status(status.code(), absl::StrCat(Printable(file, file.size()), ": ",
                                                             status.message())),
                    ReasonOf(status).value_or(reason));
}

absl::StatusOr<policy::Policy> ReadPolicy(const std::string& file) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, kMaxPolicyFile));
  policy::ParseError error;
  std::optional<policy::Policy> read = policy::Policy::Read(text, &error);
  if (read.has_value()) return *std::move(read);
  return Malformed(Reason::kPolicyParse, absl::StrCat(file, ":", error.line, ":", error.column,
                                                      ": ", error.kind, ": ", error.message));
}

absl::StatusOr<reference::Reference> ReadReference(const std::string& file) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file, kMaxReferenceFile));
  absl::StatusOr<reference::Reference> read = reference::FromJson(text);
  if (!read.ok()) return InFile(file, read.status(), Reason::kReferenceParse);
  return read;
}

// Whether somebody has signed it is the gatekeeper's question; here it is only read.
absl::StatusOr<std::shared_ptr<const reference::ImaSet>> ReadSet(const std::string& file) {
  BG_ASSIGN_OR_RETURN(Bytes bytes, ReadFile(file, kMaxSetFile));
  absl::StatusOr<reference::SignedFile> opened = reference::OpenSigned(
      std::move(bytes), std::nullopt, reference::kSetPayloadType, reference::TrustedKeys());
  if (!opened.ok()) return InFile(file, opened.status(), Reason::kReferenceParse);
  auto set = reference::ImaSet::FromBytes(std::move(opened->content));
  if (!set.ok()) return InFile(file, set.status(), Reason::kReferenceParse);
  return *std::move(set);
}

// What the TPM and the kernel say of this boot, in the order in which it must be read.
struct Evidence {
  tpm2::Public ak;
  tpm2::RawQuote quote;
  Bytes nonce, boot_log, user_log, ima_list;
};

absl::StatusOr<Evidence> Take(const Boot& boot, const registers::Selection& selection) {
  Evidence out;
  BG_ASSIGN_OR_RETURN(out.ak, boot.tpm.AkPublic(boot.ak));
  out.nonce = crypto::RandomBytes(kNonceBytes);
  BG_ASSIGN_OR_RETURN(out.boot_log, sources::ReadBootLog(boot.paths));
  BG_ASSIGN_OR_RETURN(sources::HeldUserLog user_log, sources::HeldUserLog::Hold(boot.paths));
  out.user_log = ToBytes(user_log.bytes());
  BG_ASSIGN_OR_RETURN(out.quote, boot.tpm.Quote(boot.ak, selection, out.nonce));
  BG_RETURN_IF_ERROR(user_log.Release());
  // Last: what is longer than the quote covers is cut, what is shorter does not lead to it.
  BG_ASSIGN_OR_RETURN(out.ima_list, sources::ReadImaList(boot.paths));
  return out;
}

// As of a key that its TPM had proven to hold, which only joining does.
std::vector<Claim> KeyClaims(const tpm2::Public& ak) {
  std::vector<Claim> claims;
  claims.push_back({.type = "aikValidated", .value = true});
  const absl::StatusOr<crypto::PublicKey> key = ak.Key();
  if (!key.ok()) return claims;
  const crypto::Digest digest = crypto::Hash(crypto::HashAlg::kSha256, key->SpkiDer());
  claims.push_back({.type = "aikPubHash", .value = ToBase64(digest.view())});
  return claims;
}

// What only a gatekeeper knows.
void NoteUnknown(const policy::Policy& policy, Coverage* coverage) {
  auto& rows = coverage->not_checked;
  rows.push_back({"whose TPM this is", "joining proves it; aikValidated is taken for true here"});
  rows.push_back({"the TPM's counters, clock and firmware against earlier evidence",
                  "a gatekeeper remembers them"});
  rows.push_back({"labels, waivers and actions of this host",
                  "the gatekeeper has them; whether this policy is the one for this host, too"});
  for (const char* claim : {"x-ms-tpm-request-key", "x-ms-tpm-other-keys"}) {
    if (!policy.Reads(claim)) continue;
    rows.push_back({absl::StrCat("rules about ", claim),
                    "the host presents such keys with a request only: none are here"});
  }
  if (policy.Reads("ekAssurance")) {
    rows.push_back(
        {"rules about ekAssurance", "what was verified of the EK is known after joining"});
  }
}

Verdict Refused(const absl::Status& status) {
  Finding finding;
  finding.code = ReasonOf(status).value_or(Reason::kInternal);
  finding.severity = Severity::kFail;
  finding.text = Printable(status.message());
  Verdict verdict(Info(finding.code).outcome == OutcomeClass::kReject ? OutcomeClass::kReject
                                                                      : OutcomeClass::kError);
  verdict.findings.push_back(std::move(finding));
  verdict.coverage.not_checked.push_back(
      {"logs, reference values and policy", "the quote was refused"});
  return verdict;
}

Verdict Judge(const Evidence& evidence, const tpm2::QuotedPcrs& quoted,
              const Yardsticks& yardsticks, absl::Time now) {
  gatekeeper::appraisal::TpmAppraisal tpm = gatekeeper::appraisal::AppraiseTpm(
      quoted.header(), gatekeeper::host::HostRecord{}, {}, Severity::kWarning);
  judge::JudgeInput input{.quoted = quoted, .boot_log = evidence.boot_log, .ima = {}};
  input.user_log = evidence.user_log;
  input.ima.list = evidence.ima_list;
  input.when_behind = judge::WhenBehind::kDeny;
  input.policy = &yardsticks.policy;
  input.reference = yardsticks.reference.has_value() ? &*yardsticks.reference : nullptr;
  input.sets = yardsticks.sets;
  input.now = now;
  input.extra_claims = KeyClaims(evidence.ak);
  input.extra_claims.insert(input.extra_claims.end(), tpm.claims.begin(), tpm.claims.end());
  input.extra_findings = std::move(tpm.findings);
  input.extra_coverage = std::move(tpm.coverage);
  NoteUnknown(yardsticks.policy, &input.extra_coverage);
  return judge::Judge(input);
}

}  // namespace

absl::StatusOr<Yardsticks> ReadYardsticks(const Files& files) {
  BG_ASSIGN_OR_RETURN(policy::Policy policy, ReadPolicy(files.policy));
  Yardsticks out{.policy = std::move(policy), .reference = std::nullopt, .sets = {}};
  if (!files.reference.empty()) {
    BG_ASSIGN_OR_RETURN(out.reference, ReadReference(files.reference));
  }
  for (const std::string& file : files.sets) {
    BG_ASSIGN_OR_RETURN(out.sets.emplace_back(), ReadSet(file));
  }
  return out;
}

absl::StatusOr<Verdict> JudgeThisBoot(const Boot& boot, const Yardsticks& yardsticks) {
  BG_ASSIGN_OR_RETURN(const registers::Selection selection,
                      registers::ParseSelection(boot.selection));
  BG_ASSIGN_OR_RETURN(const Evidence evidence, Take(boot, selection));
  const absl::StatusOr<tpm2::QuotedPcrs> quoted =
      tpm2::QuotedPcrs::Verify({.ak = evidence.ak,
                                .ak_qualified_name = {},
                                .selection = selection,
                                .qualifying_data = evidence.nonce},
                               evidence.quote);
  if (!quoted.ok()) return Refused(quoted.status());
  return Judge(evidence, *quoted, yardsticks, boot.now);
}

}  // namespace bootgate::agent::selftest
