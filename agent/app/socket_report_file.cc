#include "agent/app/socket_report_file.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"

namespace bootgate::agent::app {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxBytes = 65536;

std::string SocketFile(const std::string& folder) { return folder + "/workload.json"; }
std::string HookFile(const std::string& folder) { return folder + "/on-change.json"; }

absl::Status Write(const std::string& path, const ordered_json& json) {
  const std::string text =
      json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return WriteFileAtomically(path, AsBytes(text), 0600);
}

std::optional<ordered_json> Read(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path, kMaxBytes);
  if (!text.ok()) return std::nullopt;
  ordered_json json = ordered_json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

std::string TextOf(const ordered_json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return "";
  return Printable(found->is_string() ? found->get<std::string>() : found->dump(), 256);
}

uint64_t NumberOf(const ordered_json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

ReportLine RefusalLine(const ordered_json& row) {
  return {"refused",
          absl::StrCat(TextOf(row, "at"), "  uid ", TextOf(row, "uid"), ", gid ",
                       TextOf(row, "gid"), ", pid ", TextOf(row, "pid"), ": ", TextOf(row, "why"))};
}

}  // namespace

absl::Status WriteSocketReport(const std::string& state_folder,
                               const workload::SocketReport& report) {
  ordered_json json = {{"socket", report.path},
                       {"connections", report.connections},
                       {"accepted", report.accepted},
                       {"refused", report.refused},
                       {"last_refusals", ordered_json::array()}};
  for (const workload::Refusal& row : report.last_refusals) {
    json["last_refusals"].push_back({{"at", FormatUtc(row.at)},
                                     {"uid", row.uid},
                                     {"gid", row.gid},
                                     {"pid", row.pid},
                                     {"why", row.why}});
  }
  return Write(SocketFile(state_folder), json);
}

absl::Status RemoveSocketReport(const std::string& state_folder) {
  return RemoveFile(SocketFile(state_folder));
}

absl::Status WriteHookReport(const std::string& state_folder, const absl::Status& ended,
                             absl::Time at) {
  if (ended.ok()) return RemoveFile(HookFile(state_folder));
  return Write(HookFile(state_folder),
               {{"at", FormatUtc(at)}, {"why", std::string(ended.message())}});
}

std::optional<SocketSummary> ReadSocketReport(const std::string& state_folder) {
  const std::optional<ordered_json> json = Read(SocketFile(state_folder));
  if (!json.has_value()) return std::nullopt;
  return SocketSummary{.path = TextOf(*json, "socket"),
                       .connections = NumberOf(*json, "connections"),
                       .accepted = NumberOf(*json, "accepted"),
                       .refused = NumberOf(*json, "refused")};
}

std::vector<ReportLine> ReadWorkloadReports(const std::string& state_folder) {
  std::vector<ReportLine> lines;
  if (const std::optional<ordered_json> socket = Read(SocketFile(state_folder))) {
    lines.push_back(
        {"socket", absl::StrCat(TextOf(*socket, "socket"), ", ", TextOf(*socket, "connections"),
                                " connections, ", TextOf(*socket, "refused"), " refused")});
    const auto rows = socket->find("last_refusals");
    if (rows != socket->end() && rows->is_array()) {
      for (const ordered_json& row : *rows)
        if (row.is_object()) lines.push_back(RefusalLine(row));
    }
  }
  if (const std::optional<ordered_json> hook = Read(HookFile(state_folder)))
    lines.push_back(
        {"on_change", absl::StrCat("failed at ", TextOf(*hook, "at"), ": ", TextOf(*hook, "why"))});
  return lines;
}

}  // namespace bootgate::agent::app
