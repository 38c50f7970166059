// One judgement in both of its lives: made from what just came in, and made again from what was
// frozen of it. One function puts the judge's input together for both, so that the second verdict
// is the first, byte for byte.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/ima/digests_at.h"
#include "gatekeeper/admission/catalog.h"
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/incident/frozen_judgement.h"
#include "gatekeeper/softening/softening.h"

namespace bootgate::gatekeeper::admission {

// "bootgate-gatekeeper 1.2.3": part of the rules, because a new version may see more.
absl::string_view Program();

// Evidence that is proven to be this host's.
struct ProvenEvidence {
  const tpm2::Public& ak;
  const tpm2::QuotedPcrs& quoted;
  const appraisal::PresentedKeys& keys;
  const std::vector<Claim>& custom_claims;
  const evidence::Evidence& evidence;
  const ima::DigestsAt* known_templates = nullptr;
};

// What a judgement depends on beside evidence and rules.
struct Circumstances {
  absl::Time at;
  uint32_t runtime_extended = 0;
  const ImaProgress* before = nullptr;
  const incident::StateNotes& notes;
  const softening::Softening* softening = nullptr;
};

// `list`: all entries that were sent; must outlive the input, as all arguments must.
JudgeInput InputOf(const ProvenEvidence& proven, const Rules& rules,
                   const Circumstances& circumstances, ByteView list);
Bytes WholeListOf(const evidence::Evidence& evidence);

// Aikvalidated and so on: what an enrolled attestation key says by itself.
std::vector<Claim> KeyClaims(const tpm2::Public& ak);

// A frozen judgement, made again.
struct JudgedAgain {
  std::string verdict_json;  // as VerdictJson writes it
  std::shared_ptr<const policy::Trace> trace;
};

// `sets`: at least those that the judgement names, of those ids. Errors: of the quote's and the
// keys' verification; POLICY_PARSE, REFERENCE_PARSE; ARCHIVE where what was frozen contradicts
// itself.
absl::StatusOr<JudgedAgain> JudgeAgain(const incident::FrozenJudgement& frozen,
                                       const std::vector<SetPtr>& sets);

}  // namespace bootgate::gatekeeper::admission
