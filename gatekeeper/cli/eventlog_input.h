// The files that the `eventlog` verbs read: boot logs, systemd's log, register values; `-` for
// standard input.
//
// Bounded and total. A complaint says what is wrong, where, and what to give instead.
#pragma once

#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/base/exit_code.h"
#include "common/cel/log.h"
#include "common/eventlog/log.h"
#include "common/registers/bank.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {

// Where a verb reads and writes.
struct EventlogIo {
  OutputFormat format = OutputFormat::kTable;
  std::istream& in;   // what `-` means
  std::ostream& out;  // results
  std::ostream& err;  // complaints
};

constexpr char kStandardInput[] = "-";
std::string SayName(const std::string& file);  // escaped; "standard input"

// Errors: kNotFound, kPermissionDenied, kInvalidArgument (a folder, larger than `max_bytes`),
// kUnavailable.
absl::StatusOr<Bytes> ReadInput(const std::string& file, std::istream& in, size_t max_bytes);

// A log with the bytes that it borrows, and the name for people.
struct LogFile {
  std::string name;                    // escaped
  std::shared_ptr<const Bytes> bytes;  // of the whole file
  eventlog::Log log;
  size_t number = 1;  // of the log among those that lie in the file one behind the other
  size_t of = 1;      // how many do
};

// Any bytes give a LogFile: what is wrong with them are the log's defects. `number`: which of the
// file's logs, from 1; none: the first, to which the logs behind it are a defect.
// Errors: those of ReadInput, and kInvalidArgument when the file has no log of this number.
absl::StatusOr<LogFile> ReadLogFile(const std::string& file, std::istream& in,
                                    std::optional<size_t> number = std::nullopt);

// All logs of the file, at least one.
absl::StatusOr<std::vector<LogFile>> ReadLogsOfFile(const std::string& file, std::istream& in);

// Says so where the file holds more logs than the one that was read.
void SayWhichLog(const LogFile& file, std::ostream& err);

// Whether nothing in the file could be read as a boot log; then `err` says so.
bool SayIfNoLog(const LogFile& file, std::ostream& err);

// systemd's log; it borrows nothing.
struct UserLogFile {
  std::string name;  // escaped
  cel::Log log;
};

// Errors: those of ReadInput, and kDataLoss when there is not a single record in it.
absl::StatusOr<UserLogFile> ReadUserLogFile(const std::string& file, std::istream& in);

// Refuses logs of confidential machines: their registers are no PCRs, and systemd's log counts
// PCRs.
absl::Status CheckJoinable(const LogFile& boot_log);

// Says `status` of a user-space log with the way out, and gives the exit code.
ExitCode FailUserLog(std::ostream& err, const absl::Status& status);

// The banks of {"sha256": {"0": "hex", ...}, ...}, also under "banks" (as `eventlog replay` writes
// it); of what `eventlog predict` writes, the registers that change, as they will be. Errors:
// kInvalidArgument with bank and register.
absl::StatusOr<std::vector<registers::RegisterBank>> ParseRegisters(absl::string_view json);
absl::StatusOr<std::vector<registers::RegisterBank>> ReadRegistersFile(const std::string& file,
                                                                       std::istream& in);

// Says `status` with the way out, and gives the exit code.
ExitCode FailInput(std::ostream& err, const absl::Status& status);

}  // namespace bootgate::gatekeeper::cli
