// The agents' port: gRPC over TLS, client certificate optional but verified.
//
// Each method does four things: who calls, decode, ask the core, encode. Work runs on a pool of our
// own with a bounded queue; gRPC's threads only move bytes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/reason.h"
#include "common/base/secret_bytes.h"
#include "gatekeeper/admission/admission.h"
#include "gatekeeper/changes/change_hub.h"
#include "gatekeeper/enroll/enroller.h"
#include "gatekeeper/service/notice_board.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::service {

struct ServerOptions {
  std::string listen;            // "127.0.0.1:9743"; port 0 takes a free one
  std::string server_chain_pem;  // leaf, issuing CA
  std::string server_key_pem;
  std::string client_ca_pem;  // what client certificates must lead to
  std::string cluster_id;
  size_t workers = 2;
  size_t queue = 1024;
  size_t max_boot_log_bytes = size_t{4} << 20;
  size_t max_user_log_bytes = size_t{1} << 20;
  size_t max_ima_bytes = size_t{64} << 20;
  size_t max_bytes_in_flight = size_t{512} << 20;
  // Where notices to hosts come from; both or none (then none are sent). Must outlive the server.
  changes::ChangeHub* changes = nullptr;
  store::Store* store = nullptr;
  NoticeOptions notices;
};

// What the port proves itself with, and believes: PEM.
struct TlsMaterial {
  std::string chain_pem;  // leaf, issuing CA
  std::string key_pem;
  std::string client_ca_pem;
};

// Since the start.
struct ServerCounts {
  struct Method {
    int64_t answered = 0, refused = 0;
  };
  std::map<std::string, Method> methods;        // by name: "Attestation.Submit"
  std::map<OutcomeClass, int64_t> submissions;  // what became of evidence
};

class AgentsServer {
 public:
  // kUnavailable when the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<AgentsServer>> Start(const ServerOptions& options,
                                                             enroll::Enroller& enroller,
                                                             admission::Admission& admission,
                                                             const pki::Authority& authority);
  virtual ~AgentsServer() = default;
  // Connections from now on are made with this; open ones stay. Any thread.
  virtual void Renew(TlsMaterial tls) = 0;
  virtual int port() const = 0;
  virtual ServerCounts counts() const = 0;     // any thread
  virtual size_t listening_hosts() const = 0;  // streams of notices that are open; any thread
  // Lets running calls end until the deadline, then cancels them.
  virtual void Shutdown(absl::Time deadline) = 0;
};

}  // namespace bootgate::gatekeeper::service
