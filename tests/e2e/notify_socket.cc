#include "tests/e2e/notify_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/eventually.h"

namespace bootgate::e2e {

NotifySocket::NotifySocket(const std::string& path)
    : path_(path), fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) std::abort();
  path.copy(address.sun_path, path.size());
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) std::abort();
}

NotifySocket::~NotifySocket() { close(fd_); }

bool NotifySocket::Hears(const std::string& line) {
  return Eventually([&] {
    Drain();
    return absl::StrContains(heard_, absl::StrCat("\n", line, "\n"));
  });
}

void NotifySocket::Drain() {
  std::array<char, 4096> message;
  for (ssize_t size; (size = recv(fd_, message.data(), message.size(), 0)) >= 0;)
    absl::StrAppend(&heard_, "\n", std::string(message.data(), static_cast<size_t>(size)), "\n");
}

}  // namespace bootgate::e2e
