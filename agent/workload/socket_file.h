// A listening unix socket in a folder that nobody else can write to.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/descriptor.h"

namespace bootgate::agent::workload {

class ListeningSocket {
 public:
  // Makes the folder with `folder_mode` when it is missing. kFailedPrecondition: the folder belongs
  // to somebody else or others may write to it, or what is at `path` is no socket. kAlreadyExists:
  // somebody answers there; a socket that nobody answers at is left over, and replaced.
  // kInvalidArgument: the path is longer than a socket's can be (107 bytes).
  static absl::StatusOr<std::unique_ptr<ListeningSocket>> Open(const std::string& path,
                                                               mode_t folder_mode);
  ~ListeningSocket();  // removes it
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }

 private:
  ListeningSocket(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  const Descriptor fd_;
  const std::string path_;
};

}  // namespace bootgate::agent::workload
