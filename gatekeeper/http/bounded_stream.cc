#include "gatekeeper/http/bounded_stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "absl/time/clock.h"

namespace bootgate::gatekeeper::http {

BoundedSocket::BoundedSocket(int socket, size_t max_read_bytes, absl::Duration time_left)
    : socket_(socket), left_(max_read_bytes), deadline_(absl::Now() + time_left) {}

bool BoundedSocket::Await(short events) const {  // NOLINT(google-runtime-int)
  for (;;) {
    const absl::Duration left = deadline_ - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    pollfd wait{.fd = socket_, .events = events, .revents = 0};
    const int ready = poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

bool BoundedSocket::AwaitReadable() const { return Await(POLLIN); }
bool BoundedSocket::AwaitWritable() const { return Await(POLLOUT); }

ssize_t BoundedSocket::Read(char* to, size_t size) {
  const size_t want = std::min(size, left_);
  if (want == 0) return -1;
  if (!AwaitReadable()) return -1;
  const ssize_t got = recv(socket_, to, want, MSG_DONTWAIT);
  if (got > 0) left_ -= static_cast<size_t>(got);
  return got;
}

ssize_t BoundedSocket::Write(const char* from, size_t size) {
  if (!AwaitWritable()) return -1;
  return send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace bootgate::gatekeeper::http
