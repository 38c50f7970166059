// Verbs `approval create|list|show|revoke`: states that hosts may come to, approved in advance
// (gatekeeper/sealing/approval.h).
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/cli/operator.h"
#include "gatekeeper/sealing/sealer.h"

namespace bootgate::gatekeeper::cli {

struct ApprovalCreateOptions {
  std::string host;                       // or
  std::optional<std::string> selector;    // of several hosts
  std::vector<std::string> replacements;  // "EVENT=BANK:HEX", as of `eventlog predict`
  std::string registers_file;             // JSON, as `eventlog predict -o json` writes it
  std::string expires;                    // "7d", "36h", or RFC 3339
  std::string reason;
};

// For each host its registers are foretold from the log of its last admission. 11 when that could
// be done for some of the hosts only: those are approved, the others are named.
ExitCode ApprovalCreate(const Operator& op, const sealing::Options& sealing,
                        const ApprovalCreateOptions& options, std::istream& in);
ExitCode ApprovalList(const Operator& op, const sealing::Options& sealing);
ExitCode ApprovalShow(const Operator& op, const sealing::Options& sealing, const std::string& id);
// It is handed out no more, and what is sealed from now on does not open by it.
ExitCode ApprovalRevoke(const Operator& op, const sealing::Options& sealing, const std::string& id,
                        const std::string& reason);

}  // namespace bootgate::gatekeeper::cli
