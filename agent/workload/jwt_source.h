// JWT-SVIDs and the keys to verify them with, asked of the gatekeeper in the place of programs.
//
// One thread of its own does the asking, over a channel of its own that stays open; programs wait
// in a bounded queue. A token is handed out again until half of its life is over. Nothing is handed
// out while the hub holds no identity: what was kept goes with it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/client/gatekeeper_client.h"
#include "agent/workload/identity_hub.h"
#include "agent/workload/jwt_validate.h"
#include "common/base/clock.h"
#include "common/base/worker_pool.h"

namespace bootgate::agent::workload {

class JwtSource {
 public:
  // A channel that shows this host's certificate.
  using Connect =
      std::function<absl::StatusOr<std::unique_ptr<GatekeeperClient>>(const Identity& identity)>;
  using Answer = std::function<void(absl::StatusOr<JwtSvid>)>;
  using Validated = std::function<void(absl::StatusOr<ValidJwtSvid>)>;

  JwtSource(IdentityHub& hub, const Clock& clock, Connect connect);
  ~JwtSource();

  // Calls `answer` from the source's thread, or at once when the queue is full
  // (TOO_MANY_REQUESTS). kPermissionDenied: no identity. Errors of the gatekeeper.
  void Fetch(std::vector<std::string> audiences, Answer answer);
  // By the trust domain's keys as they are known here; asks for newer ones when the token's is not
  // among them.
  void Validate(std::string svid, std::string audience, Validated answer);

 private:
  absl::StatusOr<JwtSvid> FetchNow(const std::vector<std::string>& audiences);
  absl::StatusOr<ValidJwtSvid> ValidateNow(const std::string& svid, const std::string& audience);
  absl::StatusOr<GatekeeperClient*> Client(const Held& held);
  absl::Status RefreshKeys(const Held& held);
  void OnChange();

  IdentityHub& hub_;
  const Clock& clock_;
  const Connect connect_;

  // All of the worker's thread.
  std::shared_ptr<const Identity> connected_as_;  // shared with the hub
  std::unique_ptr<GatekeeperClient> client_;
  struct Kept {
    JwtSvid token;
    absl::Time fresh_until;
  };
  std::map<std::vector<std::string>, Kept> kept_;
  absl::Time keys_asked_at_ = absl::InfinitePast();

  WorkerPool worker_;
  IdentityHub::Subscription subscription_;  // last: its end comes first
};

}  // namespace bootgate::agent::workload
