// `verdict ...`: what was made of hosts' evidence, and why.
#pragma once

#include <string>

#include "gatekeeper/client/console.h"

namespace bootgate::v1 {
class Verdict;
}

namespace bootgate::gatekeeper::client {

struct VerdictListOptions {
  std::string host_id, outcome;  // "admit", "deny"; empty: both
  std::string since, until;      // a time, or a duration before now
  int limit = 50;                // 0: all
};
ExitCode VerdictList(const Console& console, const VerdictListOptions& options);
ExitCode VerdictShow(const Console& console, const std::string& verdict_id);
// Claims, coverage and the policy's trace, too.
ExitCode VerdictExplain(const Console& console, const std::string& verdict_id);

// The findings as paragraphs, worst first as the gatekeeper gave them.
void PrintFindings(const v1::Verdict& verdict, std::ostream& out);

}  // namespace bootgate::gatekeeper::client
