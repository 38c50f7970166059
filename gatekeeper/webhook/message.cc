#include "gatekeeper/webhook/message.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "gatekeeper/store/change_mark.h"

namespace bootgate::gatekeeper::webhook {
namespace {

constexpr char kTimeFormat[] = "%E4Y-%m-%dT%H:%M:%E3SZ";  // RFC 3339 in UTC, milliseconds

// What is not there or cannot be read is left out; only a store that cannot work is an error.
template <typename Row>
absl::Status Unless(const absl::StatusOr<Row>& row) {
  return row.ok() || absl::IsNotFound(row.status()) || absl::IsDataLoss(row.status())
             ? absl::OkStatus()
             : row.status();
}

}  // namespace

std::string DeliveryId(const Message& message) {
  if (message.change.sequence == 0) {
    return absl::StrCat(message.cluster, ":test-", absl::ToUnixMillis(message.change.at));
  }
  return absl::StrCat(message.cluster, ":", message.change.sequence, ":",
                      store::ChangeMark(message.change));
}

std::string BodyOf(const Message& message) {
  const store::ChangeRow& change = message.change;
  const nlohmann::ordered_json out = {
      {"version", kMessageVersion},
      {"sequence", change.sequence},
      {"at", absl::FormatTime(kTimeFormat, change.at, absl::UTCTimeZone())},
      {"cluster", message.cluster},
      {"kind", change.kind},
      {"host", change.host_id},
      {"hostname", message.hostname},
      {"labels", message.labels},
      {"before", change.before},
      {"after", change.after},
      {"why", change.why},
      {"reasons", message.reasons},
      {"incident", change.incident_id}};
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

absl::StatusOr<Message> MessageOf(store::Store& store, const store::ChangeRow& change,
                                  const std::string& cluster) {
  Message message = {.change = change, .cluster = cluster};
  if (!change.host_id.empty()) {
    absl::StatusOr<host::HostRecord> host = store.GetHost(change.host_id);
    if (const absl::Status broken = Unless(host); !broken.ok()) return broken;
    if (host.ok()) {
      message.hostname = std::move(host->hostname);
      message.labels = std::move(host->labels);
      message.reasons = std::move(host->reasons);
    }
  }
  if (!change.incident_id.empty()) {
    absl::StatusOr<store::IncidentRow> incident = store.GetIncident(change.incident_id);
    if (const absl::Status broken = Unless(incident); !broken.ok()) return broken;
    if (incident.ok()) message.reasons = std::move(incident->reasons);
  }
  return message;
}

}  // namespace bootgate::gatekeeper::webhook
