// Keeps a running gatekeeper's CAs as operators want them: what `ca` verbs change in the CA folder,
// here, and taints that another gatekeeper's operator has spoken, through the store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "gatekeeper/app/config.h"
#include "gatekeeper/service/agents_server.h"
#include "gatekeeper/store/store.h"
#include "pki/authority.h"
#include "pki/server_identity.h"

namespace bootgate::gatekeeper::app {

// One thread at a time. The references must outlive it.
class CaWatch {
 public:
  // Makes the server's first TLS identity. CA, CA_KEY.
  static absl::StatusOr<std::unique_ptr<CaWatch>> Open(const Config& config,
                                                       const pki::Authority& authority,
                                                       store::Store& store, const Clock& clock);

  service::TlsMaterial tls() const;
  // Called every second: takes over what changed, and renews the server's certificate when it is
  // due or its CA is another. What fails is logged and tried again; the old state stays meanwhile.
  // `renew` is given what connections from now on are to be made with.
  void Tend(const std::function<void(const service::TlsMaterial&)>& renew);

 private:
  CaWatch(const Config& config, const pki::Authority& authority, store::Store& store,
          const Clock& clock)
      : config_(config), authority_(authority), store_(store), clock_(clock) {}
  absl::Status TakeTaints();
  absl::Status MakeIdentity();

  const Config& config_;
  const pki::Authority& authority_;
  store::Store& store_;
  const Clock& clock_;
  std::optional<pki::ServerIdentity> identity_;
  std::string server_ca_, client_ca_;    // what identity_ and the port were made with
  std::optional<int64_t> taints_as_of_;  // the store's change counter
  absl::Time retry_at_ = absl::InfinitePast();
};

}  // namespace bootgate::gatekeeper::app
