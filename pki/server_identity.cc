#include "pki/server_identity.h"

#include <algorithm>

#include "common/base/status_macros.h"

namespace bootgate::pki {
namespace {
constexpr absl::Duration kBackdate = absl::Minutes(5);
}  // namespace

absl::StatusOr<ServerIdentity> ServerIdentity::Make(const Authority& authority,
                                                    const ServerIdentityOptions& options,
                                                    absl::Time now) {
  BG_ASSIGN_OR_RETURN(const auto key, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  ServerIdentity made;
  made.not_after_ = std::min(now + options.lifetime, authority.not_after(CaUse::kServers));
  made.renew_at_ = now + (made.not_after_ - now) * 2 / 3;
  BG_ASSIGN_OR_RETURN(const Bytes leaf, authority.IssueServer(options.names, key.Public(),
                                                              now - kBackdate, made.not_after_));
  made.chain_pem_ = DerToPem(leaf) + authority.ChainOf(leaf);
  made.key_pem_ = key.Pem();
  return made;
}

}  // namespace bootgate::pki
