// A connection of which only so many bytes are read, and only until a time.
//
// Borrows the socket. The library behind the server bounds single lines and single waits; a request
// of endless lines, or of one byte every few seconds, ends here.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "absl/time/time.h"

namespace bootgate::gatekeeper::http {

class BoundedSocket {
 public:
  BoundedSocket(int socket, size_t max_read_bytes, absl::Duration time_left);

  // Bytes moved; 0 at the end; -1 when the bound, the deadline or an error ends the connection.
  ssize_t Read(char* to, size_t size);
  ssize_t Write(const char* from, size_t size);
  bool AwaitReadable() const;
  bool AwaitWritable() const;
  int get() const { return socket_; }

 private:
  bool Await(short events) const;  // NOLINT(google-runtime-int): poll's type
  const int socket_;
  size_t left_;  // bytes that may still be read
  const absl::Time deadline_;
};

}  // namespace bootgate::gatekeeper::http
