// The bytes of a file for as long as they are needed: mapped read-only, or in memory.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"

namespace bootgate::gatekeeper::reference {

class FileBytes {
 public:
  // Errors name the path: kNotFound, kPermissionDenied, kInvalidArgument (not a regular file),
  // kResourceExhausted (more than `max_bytes`), kUnavailable.
  static absl::StatusOr<FileBytes> Map(const std::string& path, size_t max_bytes);
  explicit FileBytes(Bytes bytes) : bytes_(std::move(bytes)), view_(bytes_) {}

  FileBytes(FileBytes&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        view_(std::exchange(other.view_, {})),
        mapping_(std::exchange(other.mapping_, nullptr)) {}
  FileBytes& operator=(FileBytes&&) = delete;
  ~FileBytes();

  ByteView view() const { return view_; }

 private:
  FileBytes(void* mapping, ByteView view) : view_(view), mapping_(mapping) {}

  Bytes bytes_;  // moving it keeps its memory where it is
  ByteView view_;
  void* mapping_ = nullptr;
};

}  // namespace bootgate::gatekeeper::reference
