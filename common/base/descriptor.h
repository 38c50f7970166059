// What the system hands out and how it says no: file descriptors with an owner, errors with a name.
#pragma once

#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace bootgate {

// Closes a file descriptor when it goes away; negative: there is none.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// "open /nope: No such file or directory". `error` is an errno: kNotFound, kPermissionDenied,
// kResourceExhausted (no space, quota), kInvalidArgument (a folder), else kUnavailable. `path` must
// be safe to print.
absl::Status SystemError(absl::string_view doing, const std::string& path, int error);

}  // namespace bootgate
