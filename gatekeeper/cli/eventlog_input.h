// The files that the `eventlog` verbs read: boot logs and register values, `-` for standard input.
//
// Bounded and total. A complaint says what is wrong, where, and what to give instead.
#pragma once

#include <istream>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/base/exit_code.h"
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

// A log with the bytes that it borrows, and the name for people.
struct LogFile {
  std::string name;  // escaped
  std::unique_ptr<const Bytes> bytes;
  eventlog::Log log;
};

// Any bytes give a LogFile: what is wrong with them are the log's defects.
// Errors: kNotFound, kPermissionDenied, kInvalidArgument (a folder, larger than kMaxLogBytes),
// kUnavailable.
absl::StatusOr<LogFile> ReadLogFile(const std::string& file, std::istream& in);

// Whether nothing in the file could be read as a boot log; then `err` says so.
bool SayIfNoLog(const LogFile& file, std::ostream& err);

// The banks of {"sha256": {"0": "hex", ...}, ...}, also under "banks" (as `eventlog replay` writes
// it). Errors: kInvalidArgument with bank and register.
absl::StatusOr<std::vector<registers::RegisterBank>> ParseRegisters(absl::string_view json);
absl::StatusOr<std::vector<registers::RegisterBank>> ReadRegistersFile(const std::string& file,
                                                                       std::istream& in);

// Says `status` with the way out, and gives the exit code.
ExitCode FailInput(std::ostream& err, const absl::Status& status);

}  // namespace bootgate::gatekeeper::cli
