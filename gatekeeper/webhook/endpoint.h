// One that is told of changes over HTTP: an entry of the configuration. There are no others: no
// URL ever comes from a host, a policy or a request.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::webhook {

// Kinds of changes (store::ChangeRow) that can be asked for.
inline constexpr absl::string_view kKinds[] = {"trust", "incident", "brake"};

struct Endpoint {
  std::string name;                // a-z, 0-9, '-'; its place in the changes is kept under it
  std::string url;                 // as of CheckUrl
  std::string secret_file;         // as of ReadKeys
  std::vector<std::string> kinds;  // empty: all
  std::string ca_file;             // PEM; empty: the system's CAs
  absl::Duration timeout = absl::Seconds(10);      // for one try, from connecting to the answer
  absl::Duration give_up_after = absl::Hours(24);  // of one change, since it came about
};

inline constexpr size_t kMaxName = 63, kMaxUrl = 2048, kMaxEndpoints = 32;  // bytes, bytes, entries

bool IsEndpointName(absl::string_view text);

// An absolute http or https URL in printable ASCII: no user and password in it, no fragment.
// kInvalidArgument with what is wrong.
absl::Status CheckUrl(absl::string_view url);

// Over http what is sent can be read on the way; harmless only where the way is this machine's own.
bool CanBeOverheard(absl::string_view url);

bool Wants(const Endpoint& endpoint, const store::ChangeRow& change);

// The name of the endpoint's store::ConsumerRow, and back; "" when that is of no webhook.
std::string ConsumerOf(absl::string_view endpoint_name);
std::string EndpointOf(absl::string_view consumer);

}  // namespace bootgate::gatekeeper::webhook
