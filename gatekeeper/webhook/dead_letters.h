// What operators do about changes that an endpoint could not be told.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/store/store.h"
#include "gatekeeper/webhook/delivery.h"
#include "gatekeeper/webhook/endpoint.h"
#include "gatekeeper/webhook/http_client.h"

namespace bootgate::gatekeeper::webhook {

struct DeadLetter {
  store::DeadLetterRow row;
  std::string endpoint;
  std::optional<store::ChangeRow> change;  // nullopt: it is not kept any more
};

// Oldest first; "": of all endpoints.
absl::StatusOr<std::vector<DeadLetter>> ListDeadLetters(store::Store& store,
                                                        const std::string& endpoint);

// Who acts, and when.
struct By {
  std::string actor;  // "operator alice"
  absl::Time now;
};

// Tells the endpoint now; told, it is no dead letter any more, and the audit trail has it. It may
// arrive behind later changes: receivers go by the sequence. The error of an Attempt is the
// endpoint's; kNotFound: no such dead letter; kFailedPrecondition: the change is not kept any more.
absl::StatusOr<Attempt> RetryDeadLetter(store::Store& store, HttpClient& client,
                                        const std::vector<Endpoint>& endpoints,
                                        const std::string& cluster, int64_t sequence, const By& by);

// For good; `why` goes into the audit trail. kNotFound.
absl::Status DropDeadLetter(store::Store& store, int64_t sequence, const std::string& why,
                            const By& by);

// Sends a message of the kind "test" and sequence 0; nothing is stored.
Attempt SendTest(HttpClient& client, const Endpoint& endpoint, const std::string& cluster,
                 absl::Time now);

}  // namespace bootgate::gatekeeper::webhook
