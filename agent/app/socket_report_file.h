// What `run` tells `status` of its socket and of the command run after changes: small JSON files in
// the state folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/workload/socket_server.h"

namespace bootgate::agent::app {

absl::Status WriteSocketReport(const std::string& state_folder,
                               const workload::SocketReport& report);
absl::Status RemoveSocketReport(const std::string& state_folder);
// How the command of install.on_change ended.
absl::Status WriteHookReport(const std::string& state_folder, const absl::Status& ended,
                             absl::Time at);

// Of the socket as it was last told; nullopt: none is served, or the file cannot be read.
struct SocketSummary {
  std::string path;
  uint64_t connections = 0, accepted = 0, refused = 0;
};
std::optional<SocketSummary> ReadSocketReport(const std::string& state_folder);

// What `status` shows of both, a line each: {"socket", "/run/..., 2 connections"}. What cannot be
// read is left out.
struct ReportLine {
  std::string name, text;
};
std::vector<ReportLine> ReadWorkloadReports(const std::string& state_folder);

}  // namespace bootgate::agent::app
