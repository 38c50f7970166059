// Hosts and what becomes of them, as messages.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/fleet/act.h"
#include "gatekeeper/fleet/hosts.h"
#include "gatekeeper/operators/handler.h"
#include "gatekeeper/store/store.h"

namespace google::protobuf {
class Timestamp;
}
namespace bootgate::v1 {
class BootCounters;
class Host;
class HostResult;
class QuarantineEntry;
}  // namespace bootgate::v1

namespace bootgate::gatekeeper::operators {

// Left away where the time is none (the epoch).
void Encode(absl::Time time, google::protobuf::Timestamp* out);
absl::Time TimeOf(const google::protobuf::Timestamp& time);

int Encode(host::Trust trust);  // v1::TrustState
// v1::TrustState; 0 for a name that is none.
int TrustStateFromName(absl::string_view name);
// kInvalidArgument MESSAGE_MALFORMED: a state that is none.
absl::StatusOr<host::Trust> TrustFrom(int trust_state);

void Encode(const host::BootMark& boot, v1::BootCounters* out);
void Encode(const host::HostRecord& host, const fleet::Timing& timing, v1::Host* out);
void Encode(const host::HostRecord& host, v1::QuarantineEntry* out);

// One act on several hosts, told host by host; a call that names one host fails as a whole.
struct Targets {
  std::vector<std::string> host_ids;
  fleet::Act act;
};
using PerHost =
    std::function<absl::StatusOr<fleet::Changed>(const std::string&, const fleet::Act&)>;
using AddResult = std::function<v1::HostResult*()>;
// kInvalidArgument: no hosts; an expected revision for several.
absl::Status ForEachHost(const Targets& targets, const PerHost& work, const AddResult& add);
void Encode(const fleet::Changed& changed, v1::HostResult* out);

// Who acts, now; with the request's reason, ticket, expected_revision and dry_run where it has such
// fields.
fleet::Act ActOf(const Call& call, const Message& request);

template <typename Request, typename Answer>
absl::Status ActOnHosts(const Call& call, const Request& request, Answer* answer,
                        const PerHost& work) {
  return ForEachHost({{request.host_ids().begin(), request.host_ids().end()}, ActOf(call, request)},
                     work, [&] { return answer->add_results(); });
}

}  // namespace bootgate::gatekeeper::operators
