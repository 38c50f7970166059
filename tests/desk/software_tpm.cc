#include "tests/desk/software_tpm.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::desk {
namespace {

constexpr size_t kMaxSocketPath = 100;  // with ".ctrl" inside sun_path's 108

// TPM2_Shutdown(CLEAR), TPM2_Startup(CLEAR); control command 2 (CMD_INIT) without flags.
constexpr absl::string_view kShutdown = "80010000000c000001450000";
constexpr absl::string_view kStartup = "80010000000c000001440000";
constexpr absl::string_view kControlInit = "0000000200000000";

class Socket {
 public:
  Socket() : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(fd_); }
  int get() const { return fd_; }

 private:
  int fd_;
};

absl::StatusOr<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("socket path too long: ", path));
  }
  path.copy(address.sun_path, path.size());
  return address;
}

absl::Status Listen(const Socket& socket, const std::string& path) {
  BG_RETURN_IF_ERROR(RemoveFile(path));
  BG_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(socket.get(), 64) != 0) {
    return absl::InternalError(absl::StrCat(path, ": ", strerror(errno)));
  }
  return absl::OkStatus();
}

// Sends `request` to a socket and reads the answer, at most 64 bytes.
absl::StatusOr<std::string> Ask(const std::string& path, absl::string_view request_hex) {
  BG_ASSIGN_OR_RETURN(const Bytes request, FromHex(request_hex));
  BG_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  const Socket socket;
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return absl::UnavailableError(absl::StrCat(path, ": ", strerror(errno)));
  }
  Bytes answer(64);
  const ssize_t size = recv(socket.get(), answer.data(), answer.size(), 0);
  answer.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return ToHex(answer);
}

absl::Status Expect(const std::string& path, absl::string_view request, absl::string_view answer) {
  BG_ASSIGN_OR_RETURN(const std::string got, Ask(path, request));
  if (got == answer) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(path, ": answered ", got, " to ", request));
}

absl::Status WriteText(const std::string& path, const std::string& text) {
  return WriteFileAtomically(path, AsBytes(text), 0600);
}

// The three files that tell swtpm_setup where its CA lies.
// Written once: many hosts of one manufacturer may be made at the same time.
absl::Status WriteCaConfiguration(const std::string& ca) {
  const std::string last = ca + "/localca.options";
  if (FileExists(last)) return absl::OkStatus();
  BG_RETURN_IF_ERROR(MakeFolder(ca, 0700));
  BG_RETURN_IF_ERROR(WriteText(
      ca + "/setup.conf", absl::StrCat("create_certs_tool = /usr/bin/swtpm_localca\n",
                                       "create_certs_tool_config = ", ca, "/localca.conf\n",
                                       "create_certs_tool_options = ", ca, "/localca.options\n")));
  BG_RETURN_IF_ERROR(WriteText(
      ca + "/localca.conf",
      absl::StrCat("statedir = ", ca, "\nsigningkey = ", ca, "/signkey.pem\nissuercert = ", ca,
                   "/issuercert.pem\ncertserial = ", ca, "/certserial\n")));
  return WriteText(
      last, "--platform-manufacturer Bootgate\n--platform-version 1\n--platform-model Desk\n");
}

}  // namespace

std::string RootCertificatePath(const std::string& ca) {
  return ca + "/swtpm-localca-rootca-cert.pem";
}
std::string IssuerCertificatePath(const std::string& ca) { return ca + "/issuercert.pem"; }

absl::Status Manufacture(const std::string& state, const std::string& ca, const std::string& serial,
                         int rsa_bits) {
  BG_RETURN_IF_ERROR(WriteCaConfiguration(ca));
  BG_RETURN_IF_ERROR(MakeFolder(state, 0700));
  std::vector<std::string> command = {"swtpm_setup",      "--tpm2",
                                      "--tpm-state",      state,
                                      "--config",         ca + "/setup.conf",
                                      "--create-ek-cert", "--create-platform-cert",
                                      "--pcr-banks",      "sha1,sha256,sha384",
                                      "--vmid",           serial,
                                      "--rsa-keysize",    std::to_string(rsa_bits),
                                      "--overwrite"};
  if (geteuid() == 0) command.insert(command.end(), {"--runas", "root"});
  return RunToEnd(command, state + "/setup.log");
}

absl::StatusOr<RunningTpm> StartTpm(const std::string& state, const std::string& socket,
                                    Lifetime lifetime) {
  if (socket.size() > kMaxSocketPath) {
    return absl::InvalidArgumentError(absl::StrCat("socket path too long: ", socket));
  }
  const Socket data, control;
  BG_RETURN_IF_ERROR(Listen(data, socket));
  BG_RETURN_IF_ERROR(Listen(control, socket + ".ctrl"));
  BG_ASSIGN_OR_RETURN(const pid_t pid,
                      Start({"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + state, "--server",
                             absl::StrCat("type=unixio,fd=", data.get()), "--ctrl",
                             absl::StrCat("type=unixio,fd=", control.get()), "--flags",
                             "not-need-init,startup-clear"},
                            {data.get(), control.get()}, state + "/swtpm.log", lifetime));
  return RunningTpm{pid, socket};
}

absl::Status RestartTpm(const RunningTpm& tpm) {
  constexpr absl::string_view kTpmSuccess = "80010000000a00000000";
  BG_RETURN_IF_ERROR(Expect(tpm.socket, kShutdown, kTpmSuccess));
  BG_RETURN_IF_ERROR(Expect(tpm.socket + ".ctrl", kControlInit, "00000000"));
  return Expect(tpm.socket, kStartup, kTpmSuccess);
}

absl::Status StopTpm(const RunningTpm& tpm) {
  BG_RETURN_IF_ERROR(EndProcess(tpm.pid, "swtpm"));
  BG_RETURN_IF_ERROR(RemoveFile(tpm.socket));
  return RemoveFile(tpm.socket + ".ctrl");
}

}  // namespace bootgate::desk
