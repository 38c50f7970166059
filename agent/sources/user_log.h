// systemd's own measurement log, held still while the TPM quotes.
//
// systemd extends a register and writes the record of it under an exclusive lock of the file
// (systemd-pcrextend(8), "Files"). Whoever holds a shared one meanwhile sees log and registers that
// belong together; systemd waits for the moment that a quote takes.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/sources/sources.h"

namespace bootgate::agent::sources {

class HeldUserLog {
 public:
  // Locks and reads; at most cel::kMaxLogBytes. No file: an empty log, and nothing is locked.
  // kAborted RETRY_LOG_BEHIND when it is being written just now; other errors as of ReadBootLog.
  static absl::StatusOr<HeldUserLog> Hold(const Paths& paths);
  HeldUserLog(HeldUserLog&& other) noexcept;
  HeldUserLog& operator=(HeldUserLog&&) = delete;
  ~HeldUserLog();

  const Bytes& bytes() const { return bytes_; }
  // Reads again and lets go. kAborted RETRY_LOG_BEHIND when the log is not as it was: somebody
  // writes without the lock, or the file has come into being.
  absl::Status Release();

 private:
  HeldUserLog(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  void Close();

  std::string path_;
  int fd_;  // -1: there is no file
  Bytes bytes_;
};

}  // namespace bootgate::agent::sources
