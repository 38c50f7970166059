// What one decision writes, put together before anything is written. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/evidence/evidence.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/host/move.h"
#include "gatekeeper/incident/frozen_judgement.h"
#include "gatekeeper/store/store.h"
#include "gatekeeper/token/issuer.h"

namespace bootgate::gatekeeper::admission {

struct DecisionFacts {
  const host::HostRecord& host;  // as read
  const host::Judged& judged;
  const host::TpmStep& tpm_step;
  uint64_t tpm_firmware = 0;
  const host::Move& move;
  const Verdict& verdict;  // ADMIT or DENY
  const std::string& verdict_id;
  const evidence::Evidence& evidence;
  const incident::FrozenJudgement* frozen = nullptr;  // of a DENY that may have to be kept
  ByteView trust_bundle = {};                // SHA-256, as the agent says; empty: it does not tell
  std::vector<store::CredentialRow> issued;  // planned, when move.may_issue
  std::optional<host::ImaCursor> cursor;     // when move.may_issue
  const token::Plan* token = nullptr;        // planned, when move.may_issue and one was asked for
  std::vector<std::string> secrets = {};     // names of those that go along
  absl::Time now;
  const store::IncidentRow* incident = nullptr;  // the host's, that is not closed
};

// The host's next record, the verdict, the incident of a DENY, credentials to be issued or revoked,
// effects to carry out, and the audit row; one more for a token to be issued. A DENY that moves the
// host freezes the judgement, too: the incident's parts "VERDICT/PART"; the audit row names them by
// their digests. Where the evidence had only a part of the IMA list, the next DENY with the whole
// list is frozen as well.
store::Commit CommitOf(const DecisionFacts& facts);

// What a CLOCK_ROLLBACK leaves: the host's second line, nothing else.
store::Commit CommitOfSecondLine(const host::HostRecord& host, const host::TpmStep& step,
                                 absl::Time now);

}  // namespace bootgate::gatekeeper::admission
