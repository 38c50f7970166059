// Somebody between a program and its TPM: sockets in place of the TPM's, behind which everything is
// recorded, changed or held up. For programs that know no more than a TCTI string.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "tests/desk/tap_tcti.h"

namespace bootgate::desk {

class BusProxy {
 public:
  // Listens at `socket` and `socket`.ctrl, and passes on to `upstream` and `upstream`.ctrl. `bus`
  // outlives it; its hooks run on the proxy's thread, one command after the other.
  static absl::StatusOr<std::unique_ptr<BusProxy>> Start(const std::string& socket,
                                                         const std::string& upstream, Bus& bus);
  ~BusProxy();
  BusProxy(const BusProxy&) = delete;
  BusProxy& operator=(const BusProxy&) = delete;

  // Another TPM from the next connection on; a path where nothing listens: none.
  void SetUpstream(const std::string& upstream);
  std::string tcti() const { return "swtpm:path=" + socket_; }

 private:
  BusProxy(std::string socket, std::string upstream, Bus& bus)
      : socket_(std::move(socket)), upstream_(std::move(upstream)), bus_(bus) {}
  absl::Status Listen();
  void Work();
  struct Pair;
  bool Pass(Pair& pair, bool from_client, bool from_tpm);
  bool PassCommand(Pair& pair);
  bool PassResponse(Pair& pair);
  std::string upstream();
  std::string Away() const { return socket_ + ".away"; }

  const std::string socket_;
  std::mutex mutex_;
  std::string upstream_;  // guarded by mutex_
  Bus& bus_;
  int data_ = -1, control_ = -1, stop_[2] = {-1, -1};
  std::thread thread_;
};

}  // namespace bootgate::desk
