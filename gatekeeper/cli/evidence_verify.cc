#include "gatekeeper/cli/evidence_verify.h"

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/admission/set_shelf.h"
#include "gatekeeper/cli/evidence_folder.h"
#include "gatekeeper/cli/ima_set_files.h"
#include "gatekeeper/cli/offline_keys.h"
#include "gatekeeper/cli/status_finding.h"
#include "gatekeeper/cli/verdict_output.h"
#include "pki/trust_anchor_files.h"

namespace bootgate::gatekeeper::cli {
namespace {

constexpr size_t kMaxPolicyFile = size_t{1} << 20;      // bytes
constexpr size_t kMaxReferenceFile = size_t{16} << 20;  // bytes

// What the operator gave beside the evidence.
struct Yardsticks {
  std::optional<policy::Policy> policy;
  std::optional<reference::Reference> reference;
  std::vector<admission::SetPtr> sets;
  std::optional<pki::TrustAnchors> anchors;
};

absl::StatusOr<policy::Policy> ReadPolicy(const std::string& path) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxPolicyFile));
  policy::ParseError error;
  std::optional<policy::Policy> policy = policy::Policy::Read(text, &error);
  if (policy) return *std::move(policy);
  return Malformed(Reason::kPolicyParse, absl::StrCat(path, ":", error.line, ":", error.column,
                                                      ": ", error.kind, ": ", error.message));
}

absl::StatusOr<reference::Reference> ReadReference(const std::string& path) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxReferenceFile));
  absl::StatusOr<reference::Reference> reference = reference::FromJson(text);
  if (reference.ok()) return reference;
  return Malformed(Reason::kReferenceParse, absl::StrCat(path, ": ", reference.status().message()));
}

absl::StatusOr<Yardsticks> ReadYardsticks(const EvidenceVerifyOptions& options) {
  Yardsticks out;
  if (options.policy_file) {
    BG_ASSIGN_OR_RETURN(out.policy, ReadPolicy(*options.policy_file));
  }
  if (options.reference_file) {
    BG_ASSIGN_OR_RETURN(out.reference, ReadReference(*options.reference_file));
  }
  for (const std::string& file : options.set_files) {
    BG_ASSIGN_OR_RETURN(const ReadSet read, ReadImaSet(file, reference::TrustedKeys()));
    out.sets.push_back(read.set);
  }
  if (!options.ek_root_files.empty()) {
    BG_ASSIGN_OR_RETURN(out.anchors, pki::ReadTrustAnchors(options.ek_root_files));
  }
  return out;
}

absl::Status CheckOptions(const EvidenceVerifyOptions& options) {
  if (!IsQuoteMode(options.quote)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--quote ", Printable(options.quote, 32),
                     " is none of sha256, sha384, sha512, sha1, all, ecc"));
  }
  if (options.output != "table" && options.output != "json") {
    return absl::InvalidArgumentError(
        absl::StrCat("-o ", Printable(options.output, 32), " is neither table nor json"));
  }
  return absl::OkStatus();
}

// What offline judging cannot know.
void NoteOffline(const registers::Selection& selection, Coverage* coverage) {
  coverage->not_checked.push_back(
      {"selection asked for",
       absl::StrCat("offline the quote's own is taken: ", registers::Format(selection))});
  coverage->not_checked.push_back(
      {"freshness",
       "the qualifying data is that of nonce.hex; whether it was fresh only the asker knows"});
  coverage->not_checked.push_back(
      {"qualified name of the attestation key", "offline evidence does not tell its parent"});
}

Verdict JudgeFolder(const EvidenceVerifyOptions& options, const EvidenceFiles& files,
                    const Yardsticks& yardsticks, const policy::Policy* candidate) {
  const absl::StatusOr<ProvenQuote> proven = ProveQuote(files);
  if (!proven.ok()) return RefusedVerdict(proven.status());
  KeyFacts keys = CheckKeys(files, proven->ak, yardsticks.anchors ? &*yardsticks.anchors : nullptr,
                            options.now);
  NoteOffline(proven->quoted.selection(), &keys.coverage);
  admission::JudgeInput input{.quoted = proven->quoted, .boot_log = files.boot_log, .ima = {}};
  input.user_log = files.user_log;
  input.ima.list = files.ima_list;
  input.logs_bound = false;
  input.when_behind = admission::WhenBehind::kDeny;
  input.policy = yardsticks.policy ? &*yardsticks.policy : nullptr;
  input.candidate = candidate;
  input.softening = &options.softening;
  input.reference = yardsticks.reference ? &*yardsticks.reference : nullptr;
  input.sets = yardsticks.sets;
  input.now = options.now;
  input.extra_claims = std::move(keys.claims);
  input.extra_findings = std::move(keys.findings);
  input.extra_coverage = std::move(keys.coverage);
  input.trace = options.trace != nullptr;
  admission::Judged judged = admission::JudgeAndKeep(input);
  if (options.trace != nullptr) *options.trace = std::move(judged.trace);
  return std::move(judged.verdict);
}

// Exceptions of libraries end here, as our fault.
Verdict JudgeSafely(const EvidenceVerifyOptions& options, const EvidenceFiles& files,
                    const Yardsticks& yardsticks, const policy::Policy* candidate) {
  try {
    return JudgeFolder(options, files, yardsticks, candidate);
  } catch (const std::exception& error) {
    return admission::ErrorVerdict(error.what());
  }
}

int UsageError(const absl::Status& status, std::ostream& err) {
  err << "evidence verify: " << Printable(status.message()) << "\n";
  return static_cast<int>(ExitCode::kUsage);
}

}  // namespace

absl::StatusOr<Verdict> VerdictOver(const EvidenceVerifyOptions& options,
                                    const policy::Policy* candidate) {
  BG_RETURN_IF_ERROR(CheckOptions(options));
  BG_ASSIGN_OR_RETURN(const Yardsticks yardsticks, ReadYardsticks(options));
  BG_ASSIGN_OR_RETURN(const EvidenceFiles files, ReadEvidence(options.folder, options.quote));
  return JudgeSafely(options, files, yardsticks, candidate);
}

int RunEvidenceVerify(const EvidenceVerifyOptions& options, std::ostream& out, std::ostream& err) {
  const absl::StatusOr<Verdict> verdict = VerdictOver(options);
  if (!verdict.ok()) return UsageError(verdict.status(), err);
  if (options.output == "json")
    PrintJson(*verdict, out);
  else
    PrintTable(*verdict, out);
  return static_cast<int>(ExitCodeOf(verdict->outcome));
}

}  // namespace bootgate::gatekeeper::cli
