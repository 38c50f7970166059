// What the gatekeeper shows to the world, and what it signs for it: the HTTP port, tokens, CRLs and
// OCSP answers.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "gatekeeper/app/config.h"
#include "gatekeeper/app/weak_options.h"
#include "gatekeeper/http/http_server.h"
#include "gatekeeper/revocation/publisher.h"
#include "gatekeeper/service/agents_server.h"
#include "gatekeeper/session/nonce_book.h"
#include "gatekeeper/store/store.h"
#include "gatekeeper/token/issuer.h"
#include "gatekeeper/webhook/outbox.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::app {

// What health and figures are read from; all outlive the port.
struct Observed {
  store::Store& store;
  const session::NonceBook& nonces;
  const service::AgentsServer& agents;
  const pki::Authority& authority;
  const Clock& clock;
  const webhook::Outbox& webhooks;
};

class PublicPort {
 public:
  // Binds the port and opens the token keys, as far as the configuration has them; serves nothing
  // yet. The references must outlive it.
  static absl::StatusOr<std::unique_ptr<PublicPort>> Open(const Config& config,
                                                          const pki::Authority& authority,
                                                          const Clock& clock);

  token::Issuer* issuer() { return issuer_.has_value() ? &*issuer_ : nullptr; }
  int port() const { return server_ == nullptr ? 0 : server_->port(); }  // 0: there is none
  void Serve(const Observed& observed);
  // Rotates and deletes token keys when their time has come, with rows in the audit trail. What
  // fails is logged and tried again a minute later.
  void Tend(store::Store& store, absl::Time now);
  void Stop();

 private:
  PublicPort() = default;
  std::unique_ptr<token::KeyRing> keys_;
  std::optional<token::Issuer> issuer_;
  revocation::Options revocation_;
  std::vector<WeakOption> weak_;
  std::unique_ptr<revocation::Publisher> publisher_;
  std::unique_ptr<http::HttpServer> server_;  // last: its threads end first
  absl::Time tend_at_ = absl::InfinitePast();
};

// The text of /metrics.
std::string MetricsText(const Observed& observed, const token::Issuer* issuer,
                        const revocation::Publisher* publisher);

}  // namespace bootgate::gatekeeper::app
