// The judgement over one host's evidence: read this first.
//
// Everything authentic goes in, one Verdict comes out. The running gatekeeper and `evidence verify`
// use the same function, so what an operator reproduces offline is what the host was told. Pure: no
// clock, no store, no network; it throws nothing.
//
//   ADMIT   the logs lead to the quoted registers, nothing failed, and the policy permits. What
//           configuration only observes, or a waiver covers, has not failed: it is a warning
//   DENY    anything failed, or no policy, or the policy does not permit
//   REJECT  the evidence cannot carry a verdict (weak or foreign bank, list behind the quote, a
//   part
//           of a list that does not continue what is known)
//   ERROR   our own fault; never an ADMIT
#pragma once

#include <optional>
#include <vector>

#include "common/base/bytes_view.h"
#include "common/tpm2/quote.h"
#include "gatekeeper/appraisal/boot.h"
#include "gatekeeper/appraisal/ima.h"
#include "gatekeeper/appraisal/presented_keys.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/policy/policy.h"
#include "gatekeeper/reference/reference.h"
#include "gatekeeper/softening/softening.h"

namespace bootgate::gatekeeper::judge {

// What a list that does not reach the quoted PCR 10 means.
enum class WhenBehind {
  kRetry,  // the host may have measured between list and quote: REJECT RETRY_LOG_BEHIND
  kDeny,   // it had its chances, or there is nobody to ask again: DENY IMA_PCR_MISMATCH
};

struct JudgeInput {
  const tpm2::QuotedPcrs& quoted;
  ByteView boot_log;
  ByteView user_log = {};   // systemd's measurement log; empty: there is none
  appraisal::ImaInput ima;  // without bound logs, bound_entries is not used: the whole list counts
  bool logs_bound = false;  // the quote's qualifying data names exactly these logs
  WhenBehind when_behind = WhenBehind::kRetry;
  const policy::Policy* policy = nullptr;  // nullptr: NO_POLICY
  // Judged by as well, without effect: Verdict::report. nullptr: there is none.
  const policy::Policy* candidate = nullptr;
  // What findings come to, and waivers of this host; nullptr: whatever fails isolates.
  const softening::Softening* softening = nullptr;
  bool trace = false;  // keep how the policy came to its decision: Judged::trace
  const reference::Reference* reference = nullptr;                  // nullptr: not compared
  std::vector<std::shared_ptr<const reference::ImaSet>> sets = {};  // that the reference names
  absl::Time now = absl::InfiniteFuture();  // for windows in sets; without it they have closed
  appraisal::BootOptions boot_options = {};
  const appraisal::PresentedKeys* keys = nullptr;  // nullptr: the host presents none
  // What the caller has established: aikValidated, aikPubHash, findings about keys, ...
  std::vector<Claim> extra_claims = {};
  std::vector<Finding> extra_findings = {};
  Coverage extra_coverage = {};
};

Verdict Judge(const JudgeInput& input);

// The verdict, and with an ADMIT what later evidence of this boot may build on. None when the list
// is not proven, or when there is more to say of it than can be kept.
struct Judged {
  Verdict verdict;
  std::optional<ImaProgress> ima;
  absl::Time good_until = absl::InfiniteFuture();  // when an entry's window in a set closes
  // ADMIT: what the policy issued, for a token: claims in order, and its property claims.
  std::vector<Claim> issued = {}, properties = {};
  std::shared_ptr<const policy::Trace> trace = {};  // of the policy, when it was asked for
};
Judged JudgeAndKeep(const JudgeInput& input);

// A verdict of ERROR with an INTERNAL finding; allocates as little as it can.
Verdict ErrorVerdict(absl::string_view what) noexcept;

}  // namespace bootgate::gatekeeper::judge
