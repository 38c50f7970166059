#include "tests/desk/bus_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/base/descriptor.h"
#include "common/base/files.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"

namespace bootgate::desk {
namespace {

constexpr size_t kHeader = 10;           // tag, size, code
constexpr size_t kMaxMessage = 1 << 16;  // far more than a TPM says

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  return address;
}

int Connected(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(path);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
  close(fd);
  return -1;
}

absl::StatusOr<int> ListeningAt(const std::string& path) {
  BG_RETURN_IF_ERROR(RemoveFile(path));
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = AddressOf(path);
  constexpr int kBacklog = 64;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      listen(fd, kBacklog) == 0) {
    return fd;
  }
  close(fd);
  return SystemError("listen at", path, errno);
}

bool SendAll(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return true;
}

bool Receive(int fd, size_t size, Bytes& into) {
  const size_t from = into.size();
  into.resize(from + size);
  return recv(fd, into.data() + from, size, MSG_WAITALL) == static_cast<ssize_t>(size);
}

// A command or a response: its header says how long it is.
std::optional<Bytes> ReceiveMessage(int fd) {
  Bytes message;
  if (!Receive(fd, kHeader, message)) return std::nullopt;
  bytes::Reader in(message);
  in.Skip(sizeof(uint16_t)).IgnoreError();
  const size_t size = in.U32Be().value_or(0);
  if (size < kHeader || size > kMaxMessage) return std::nullopt;
  if (!Receive(fd, size - kHeader, message)) return std::nullopt;
  return message;
}

// Waits for either; false when it is time to stop or both have ended.
bool PassSome(int from, int to) {
  std::array<uint8_t, 4096> buffer;
  const ssize_t n = recv(from, buffer.data(), buffer.size(), 0);
  return n > 0 && SendAll(to, ByteView(buffer.data(), static_cast<size_t>(n)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<BusProxy>> BusProxy::Start(const std::string& socket,
                                                          const std::string& upstream, Bus& bus) {
  std::unique_ptr<BusProxy> proxy(new BusProxy(socket, upstream, bus));
  BG_RETURN_IF_ERROR(proxy->Listen());
  proxy->thread_ = std::thread([raw = proxy.get()] { raw->Work(); });
  return proxy;
}

absl::Status BusProxy::Listen() {
  BG_ASSIGN_OR_RETURN(data_, ListeningAt(socket_));
  BG_ASSIGN_OR_RETURN(control_, ListeningAt(socket_ + ".ctrl"));
  return pipe(stop_) == 0 ? absl::OkStatus() : absl::InternalError("pipe");
}

BusProxy::~BusProxy() {
  if (stop_[1] >= 0) close(stop_[1]);
  if (thread_.joinable()) thread_.join();
  for (const int fd : {data_, control_, stop_[0]}) {
    if (fd >= 0) close(fd);
  }
  RemoveFile(socket_).IgnoreError();
  RemoveFile(socket_ + ".ctrl").IgnoreError();
}

void BusProxy::SetUpstream(const std::string& upstream) {
  const std::lock_guard lock(mutex_);
  upstream_ = upstream;
}

std::string BusProxy::upstream() {
  const std::lock_guard lock(mutex_);
  return upstream_;
}

void BusProxy::Work() {
  for (;;) {
    std::array<pollfd, 3> events = {
        {{stop_[0], POLLIN, 0}, {data_, POLLIN, 0}, {control_, POLLIN, 0}}};
    if (poll(events.data(), events.size(), -1) < 0 && errno != EINTR) return;
    if (events[0].revents != 0) return;
    for (const bool control : {false, true}) {
      if (events[control ? 2 : 1].revents == 0) continue;
      const Descriptor client(accept(control ? control_ : data_, nullptr, nullptr));
      if (client.get() >= 0) Serve(client.get(), control);
    }
  }
}

// One connection to its end.
void BusProxy::Serve(int client, bool control) {
  const Descriptor tpm(Connected(upstream() + (control ? ".ctrl" : "")));
  if (tpm.get() < 0) return;
  for (;;) {
    std::array<pollfd, 3> events = {
        {{stop_[0], POLLIN, 0}, {client, POLLIN, 0}, {tpm.get(), POLLIN, 0}}};
    if (poll(events.data(), events.size(), -1) < 0 && errno != EINTR) return;
    if (events[0].revents != 0) return;
    if (events[2].revents != 0 && !PassSome(tpm.get(), client)) return;
    if (events[1].revents == 0) continue;
    if (!(control ? PassSome(client, tpm.get()) : PassCommand(client, tpm.get()))) return;
  }
}

bool BusProxy::PassCommand(int client, int tpm) {
  const std::optional<Bytes> command = ReceiveMessage(client);
  if (!command.has_value()) return false;
  bus_.commands.push_back(*command);
  if (bus_.before_command) bus_.before_command(*command);
  if (!SendAll(tpm, *command)) return false;
  std::optional<Bytes> response = ReceiveMessage(tpm);
  if (!response.has_value()) return false;
  bus_.responses.push_back(*response);
  if (bus_.change_response) bus_.change_response(*command, *response);
  return SendAll(client, *response);
}

}  // namespace bootgate::desk
