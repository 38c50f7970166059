#include "agent/app/status_file.h"

#include <nlohmann/json.hpp>

#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxBytes = 65536;

std::string PathOf(const std::string& state_folder) { return state_folder + "/status.json"; }

absl::Time TimeOf(const ordered_json& json, const char* key) {
  absl::Time time = absl::UnixEpoch();
  if (json.contains(key) && json[key].is_string()) {
    std::string problem;
    absl::ParseTime(absl::RFC3339_full, json[key].get<std::string>(), &time, &problem);
  }
  return time;
}

std::string TextOf(const ordered_json& json, const char* key) {
  return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

}  // namespace

std::string StatusJson(const StatusReport& report) {
  const ordered_json json = {{"phase", report.phase},
                             {"detail", report.detail},
                             {"reason", report.reason},
                             {"host", report.host_id},
                             {"verdict", report.verdict_id},
                             {"since", FormatUtc(report.since)},
                             {"last_try_at", FormatUtc(report.last_try_at)},
                             {"last_verdict_at", FormatUtc(report.last_verdict_at)},
                             {"next_try_at", FormatUtc(report.next_try_at)},
                             {"failures", report.failures}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

absl::Status WriteStatus(const std::string& state_folder, const StatusReport& report) {
  return WriteFileAtomically(PathOf(state_folder), AsBytes(StatusJson(report)), 0600);
}

absl::StatusOr<StatusReport> ReadStatus(const std::string& state_folder) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(PathOf(state_folder), kMaxBytes));
  const ordered_json json = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return Refuse(absl::StatusCode::kDataLoss, Reason::kStateCorrupt,
                  PathOf(state_folder) + " cannot be read");
  }
  StatusReport report;
  report.phase = TextOf(json, "phase");
  report.detail = TextOf(json, "detail");
  report.reason = TextOf(json, "reason");
  report.host_id = TextOf(json, "host");
  report.verdict_id = TextOf(json, "verdict");
  report.since = TimeOf(json, "since");
  report.last_try_at = TimeOf(json, "last_try_at");
  report.last_verdict_at = TimeOf(json, "last_verdict_at");
  report.next_try_at = TimeOf(json, "next_try_at");
  if (json.contains("failures") && json["failures"].is_number_integer())
    report.failures = json["failures"].get<int>();
  return report;
}

}  // namespace bootgate::agent::app
