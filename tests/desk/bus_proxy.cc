#include "tests/desk/bus_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/descriptor.h"
#include "common/base/files.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"

namespace bootgate::desk {

// A client's connection, and ours to the TPM in its name.
struct BusProxy::Pair {
  Pair(int client_fd, int tpm_fd, bool is_control)
      : client(client_fd), tpm(tpm_fd), control(is_control) {}
  const Descriptor client, tpm;
  const bool control;
  Bytes command;  // the last one
};

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
  if (size == 0) return true;  // recv() would wait for more
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
  RemoveFile(Away()).IgnoreError();
  RemoveFile(socket_ + ".ctrl").IgnoreError();
}

void BusProxy::SetUpstream(const std::string& upstream) {
  const std::lock_guard lock(mutex_);
  upstream_ = upstream;
  // No TPM: nobody can connect either. (tcti-swtpm 3.2.1 loses its copy of the configuration, which
  // LeakSanitizer finds, when the data socket answers and the control socket does not: its
  // Tss2_Tcti_Swtpm_Init returns without freeing it when the locality cannot be set. The device's
  // TCTI has no such path.)
  const bool there = FileExists(upstream);
  rename((there ? Away() : socket_).c_str(), (there ? socket_ : Away()).c_str());
}

std::string BusProxy::upstream() {
  const std::lock_guard lock(mutex_);
  return upstream_;
}

void BusProxy::Work() {
  std::vector<std::unique_ptr<Pair>> pairs;
  for (;;) {
    std::vector<pollfd> events = {{stop_[0], POLLIN, 0}, {data_, POLLIN, 0}, {control_, POLLIN, 0}};
    for (const auto& pair : pairs) {
      events.push_back({pair->client.get(), POLLIN, 0});
      events.push_back({pair->tpm.get(), POLLIN, 0});
    }
    if (poll(events.data(), events.size(), -1) < 0 && errno != EINTR) return;
    if (events[0].revents != 0) return;
    size_t next = 3;
    std::erase_if(pairs, [&](const auto& pair) {
      const bool from_client = events[next].revents != 0, from_tpm = events[next + 1].revents != 0;
      next += 2;
      return !Pass(*pair, from_client, from_tpm);
    });
    for (const bool control : {false, true}) {
      if (events[control ? 2 : 1].revents == 0) continue;
      auto pair = std::make_unique<Pair>(accept(control ? control_ : data_, nullptr, nullptr),
                                         Connected(upstream() + (control ? ".ctrl" : "")), control);
      if (pair->client.get() >= 0 && pair->tpm.get() >= 0) pairs.push_back(std::move(pair));
    }
  }
}

// False when the connection has ended. Never waits for the TPM: it may be busy with the connection
// that this very client is about to close.
bool BusProxy::Pass(Pair& pair, bool from_client, bool from_tpm) {
  const int client = pair.client.get(), tpm = pair.tpm.get();
  if (from_tpm && !(pair.control ? PassSome(tpm, client) : PassResponse(pair))) return false;
  if (!from_client) return true;
  return pair.control ? PassSome(client, tpm) : PassCommand(pair);
}

bool BusProxy::PassCommand(Pair& pair) {
  const std::optional<Bytes> command = ReceiveMessage(pair.client.get());
  if (!command.has_value()) return false;
  pair.command = *command;
  bus_.commands.push_back(*command);
  if (bus_.before_command) bus_.before_command(*command);
  Bytes instead;
  if (!bus_.answer_instead || !bus_.answer_instead(*command, instead))
    return SendAll(pair.tpm.get(), *command);
  bus_.responses.push_back(instead);
  return SendAll(pair.client.get(), instead);
}

bool BusProxy::PassResponse(Pair& pair) {
  std::optional<Bytes> response = ReceiveMessage(pair.tpm.get());
  if (!response.has_value()) return false;
  bus_.responses.push_back(*response);
  if (bus_.change_response) bus_.change_response(pair.command, *response);
  return SendAll(pair.client.get(), *response);
}

}  // namespace bootgate::desk
