// What a receiver is told of one change: a JSON object whose members docs/enforcement.md lists. It
// is version 1; members are added, never taken away or given another meaning, within a version.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::webhook {

inline constexpr int kMessageVersion = 1;

struct Message {
  store::ChangeRow change;
  std::string cluster;
  // Of the host, as it is now: a later try may say something newer. Empty: of no host, or of one
  // whose record is gone or cannot be read; it is told all the same.
  std::string hostname;
  std::map<std::string, std::string> labels;
  std::vector<std::string> reasons;  // codes: of the incident, else of the host's last verdict
};

// Names the change in all clusters and for all time, the same at each try: "prod-a:42:5f0c99e1". A
// test has its time instead of a number.
std::string DeliveryId(const Message& message);

// One line.
std::string BodyOf(const Message& message);

// With what the store has about the change. An error is the store's own: nothing can be told now.
absl::StatusOr<Message> MessageOf(store::Store& store, const store::ChangeRow& change,
                                  const std::string& cluster);

}  // namespace bootgate::gatekeeper::webhook
