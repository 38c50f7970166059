#include "agent/app/status_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "agent/app/phase.h"
#include "agent/identity/state_file.h"
#include "common/base/clock.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

using nlohmann::ordered_json;

constexpr char kFile[] = "status.json";
constexpr char kListeningFile[] = "listening.json";
constexpr size_t kMostNotices = 16;
constexpr size_t kMostReasons = 100;

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

uint64_t NumberOf(const ordered_json& json, const char* key) {
  return json.contains(key) && json[key].is_number_unsigned() ? json[key].get<uint64_t>() : 0;
}

bool FlagOf(const ordered_json& json, const char* key, bool fallback) {
  return json.contains(key) && json[key].is_boolean() ? json[key].get<bool>() : fallback;
}

ordered_json PartOf(const ordered_json& json, const char* key) {
  return json.contains(key) && json[key].is_object() ? json[key] : ordered_json::object();
}

std::vector<std::string> TextsOf(const ordered_json& json, const char* key, size_t most) {
  std::vector<std::string> texts;
  if (!json.contains(key) || !json[key].is_array()) return texts;
  for (const ordered_json& text : json[key]) {
    if (texts.size() >= most) break;
    if (text.is_string()) texts.push_back(text.get<std::string>());
  }
  return texts;
}

ordered_json TpmJson(const tpm::Health& health, const tpm::Usage& usage) {
  return {
      {"manufacturer", health.properties.manufacturer},
      {"vendor", health.properties.vendor},
      {"firmware", absl::StrCat(absl::Hex(health.properties.firmware_version, absl::kZeroPad16))},
      {"reset_count", health.clock.reset_count},
      {"restart_count", health.clock.restart_count},
      {"clock_ms", health.clock.clock_ms},
      {"locked_out", health.locked_out},
      {"owner_password", health.owner_password},
      {"endorsement_password", health.endorsement_password},
      {"endorsement_enabled", health.endorsement_enabled},
      {"objects_loaded", health.handles.objects},
      {"sessions_loaded", health.handles.sessions},
      {"sessions_saved", health.handles.saved_sessions},
      {"commands", usage.commands},
      {"sent_again", usage.sent_again},
      {"opened", usage.opened}};
}

tpm::Health HealthOf(const ordered_json& json) {
  tpm::Health health;
  health.properties.manufacturer = TextOf(json, "manufacturer");
  health.properties.vendor = TextOf(json, "vendor");
  if (!absl::SimpleHexAtoi(TextOf(json, "firmware"), &health.properties.firmware_version))
    health.properties.firmware_version = 0;
  health.clock.reset_count = static_cast<uint32_t>(NumberOf(json, "reset_count"));
  health.clock.restart_count = static_cast<uint32_t>(NumberOf(json, "restart_count"));
  health.clock.clock_ms = NumberOf(json, "clock_ms");
  health.locked_out = FlagOf(json, "locked_out", false);
  health.owner_password = FlagOf(json, "owner_password", false);
  health.endorsement_password = FlagOf(json, "endorsement_password", false);
  health.endorsement_enabled = FlagOf(json, "endorsement_enabled", true);
  health.handles = {.objects = NumberOf(json, "objects_loaded"),
                    .sessions = NumberOf(json, "sessions_loaded"),
                    .saved_sessions = NumberOf(json, "sessions_saved")};
  return health;
}

void ReadParts(const ordered_json& json, StatusReport& report) {
  const ordered_json counts = PartOf(json, "counts");
  report.counts = {.tries = NumberOf(counts, "tries"),
                   .verdicts = NumberOf(counts, "verdicts"),
                   .admitted = NumberOf(counts, "admitted"),
                   .tpm_failures = NumberOf(counts, "tpm_failures")};
  const ordered_json tpm = PartOf(json, "tpm");
  if (!tpm.empty()) report.tpm = HealthOf(tpm);
  report.tpm_usage = {.commands = NumberOf(tpm, "commands"),
                      .sent_again = NumberOf(tpm, "sent_again"),
                      .opened = NumberOf(tpm, "opened")};
  report.notices = TextsOf(json, "notices", kMostNotices);
  report.reasons = TextsOf(json, "reasons", kMostReasons);
}

// Not knowing it is no trouble: it only says how soon news would come.
void ReadListening(const std::string& state_folder, StatusReport& report) {
  const absl::StatusOr<std::string> text =
      identity::ReadStateFile(absl::StrCat(state_folder, "/", kListeningFile));
  if (!text.ok()) return;
  const ordered_json json = ordered_json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return;
  report.listens = FlagOf(json, "listens", false);
  report.heard_at = std::max(report.heard_at, TimeOf(json, "heard_at"));
}

// What the host's own operator can do next, where the gatekeeper has said how it stands.
std::string WayBack(const StatusReport& report) {
  if (report.trust == "remediated") return "Operators have released this host: reboot it.";
  const std::string ask =
      report.incident_id.empty()
          ? "Ask your operators"
          : absl::StrCat("Ask your operators about incident ", report.incident_id);
  if (report.trust == "quarantined" || report.trust == "investigating")
    return ask + "; after release: reboot.";
  if (report.trust == "suspect") return ask + "; many hosts fail at once, and they decide.";
  if (report.trust == "restricted") return ask + "; evidence that passes ends it.";
  return "";
}

}  // namespace

bool IsCutOff(const StatusReport& report) {
  return report.trust == "quarantined" || report.trust == "investigating" ||
         report.trust == "remediated" || report.trust == "retired" ||
         report.trust == "restricted" || report.trust == "suspect";
}

Advice AdviceFor(const StatusReport& report) {
  Advice advice;
  for (const PhaseInfo& phase : AllPhases()) {
    if (phase.name == report.phase)
      advice = {std::string(phase.meaning), std::string(phase.way_out)};
  }
  if (const std::optional<Reason> reason = ReasonFromCode(report.reason)) {
    advice = {std::string(Info(*reason).meaning), std::string(Info(*reason).way_out)};
    return advice;
  }
  const std::string back = WayBack(report);
  if (!back.empty()) advice.way_out = back;
  return advice;
}

std::string TssNote() {
  const std::string version(tpm::TssVersion());
  if (!tpm::TssPredatesAdvisories(version)) return absl::StrCat("tpm2-tss ", version);
  return absl::StrCat("tpm2-tss ", version,
                      ", older than 4.2.0 and its advisories; the distribution may have backported "
                      "their fixes");
}

std::string StatusJson(const StatusReport& report) {
  const Advice advice = AdviceFor(report);
  ordered_json json = {{"phase", report.phase},
                       {"meaning", advice.meaning},
                       {"way_out", advice.way_out},
                       {"detail", report.detail},
                       {"reason", report.reason},
                       {"host", report.host_id},
                       {"trust", report.trust},
                       {"verdict", report.verdict_id},
                       {"since", FormatUtc(report.since)},
                       {"trust_since", FormatUtc(report.trust_since)},
                       {"reasons", report.reasons},
                       {"incident", report.incident_id},
                       {"heard_at", FormatUtc(report.heard_at)},
                       {"listens", report.listens},
                       {"last_try_at", FormatUtc(report.last_try_at)},
                       {"last_verdict_at", FormatUtc(report.last_verdict_at)},
                       {"next_try_at", FormatUtc(report.next_try_at)},
                       {"failures", report.failures},
                       {"credential_until", FormatUtc(report.credential_until)},
                       {"notices", report.notices},
                       {"counts",
                        {{"tries", report.counts.tries},
                         {"verdicts", report.counts.verdicts},
                         {"admitted", report.counts.admitted},
                         {"tpm_failures", report.counts.tpm_failures}}}};
  if (!report.ak.empty()) json["ak"] = report.ak;
  if (report.socket.has_value()) {
    json["workload"] = {{"socket", report.socket->path},
                        {"connections", report.socket->connections},
                        {"accepted", report.socket->accepted},
                        {"refused", report.socket->refused}};
  }
  if (report.tpm.has_value()) json["tpm"] = TpmJson(*report.tpm, report.tpm_usage);
  json["tss"] = {{"version", tpm::TssVersion()},
                 {"predates_4_2_0", tpm::TssPredatesAdvisories(tpm::TssVersion())},
                 {"note", TssNote()}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

absl::Status WriteStatus(const std::string& state_folder, const StatusReport& report) {
  return identity::WriteStateFile(state_folder, kFile, StatusJson(report));
}

absl::Status WriteListening(const std::string& state_folder, bool listens, absl::Time heard_at) {
  const ordered_json json = {{"listens", listens}, {"heard_at", FormatUtc(heard_at)}};
  return identity::WriteStateFile(state_folder, kListeningFile, json.dump() + "\n");
}

absl::StatusOr<StatusReport> ReadStatus(const std::string& state_folder) {
  const std::string path = absl::StrCat(state_folder, "/", kFile);
  BG_ASSIGN_OR_RETURN(const std::string text, identity::ReadStateFile(path));
  const ordered_json json = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return identity::Corrupt(path + " cannot be read");
  StatusReport report;
  report.phase = TextOf(json, "phase");
  report.detail = TextOf(json, "detail");
  report.reason = TextOf(json, "reason");
  report.host_id = TextOf(json, "host");
  report.trust = TextOf(json, "trust");
  report.verdict_id = TextOf(json, "verdict");
  report.since = TimeOf(json, "since");
  report.trust_since = TimeOf(json, "trust_since");
  report.incident_id = TextOf(json, "incident");
  report.heard_at = TimeOf(json, "heard_at");
  report.last_try_at = TimeOf(json, "last_try_at");
  report.last_verdict_at = TimeOf(json, "last_verdict_at");
  report.next_try_at = TimeOf(json, "next_try_at");
  report.credential_until = TimeOf(json, "credential_until");
  report.failures = static_cast<int>(std::min<uint64_t>(NumberOf(json, "failures"), 1 << 30));
  ReadParts(json, report);
  ReadListening(state_folder, report);
  return report;
}

}  // namespace bootgate::agent::app
