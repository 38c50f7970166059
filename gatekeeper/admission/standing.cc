#include "gatekeeper/admission/standing.h"

#include "common/base/reason.h"

namespace bootgate::gatekeeper::admission {

Standing StandingOf(const host::HostRecord& host) {
  Standing standing{.trust = host.trust,
                    .since = host.trust_since,
                    .reasons = host.reasons,
                    .why = host.why,
                    .incident_id = host.incident_id};
  if (host.shut_out_by.empty() || !host::IsShutOut(host.trust)) return standing;
  const ReasonInfo& by_operator = Info(Reason::kOperatorQuarantine);
  standing.reasons = {std::string(by_operator.code)};
  standing.why = std::string(by_operator.meaning);
  return standing;
}

}  // namespace bootgate::gatekeeper::admission
