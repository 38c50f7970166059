#include "gatekeeper/app/ca_watch.h"

#include <set>
#include <utility>

#include "common/base/log.h"
#include "common/base/log_problem.h"
#include "common/base/status_macros.h"
#include "gatekeeper/issuing/ca_taints.h"

namespace bootgate::gatekeeper::app {
namespace {

constexpr absl::Duration kRetry = absl::Seconds(30);  // after a certificate could not be made

}  // namespace

absl::StatusOr<std::unique_ptr<CaWatch>> CaWatch::Open(const Config& config,
                                                       const pki::Authority& authority,
                                                       store::Store& store, const Clock& clock) {
  std::unique_ptr<CaWatch> watch(new CaWatch(config, authority, store, clock));
  BG_RETURN_IF_ERROR(watch->TakeTaints());
  BG_RETURN_IF_ERROR(authority.Refresh(clock.Now()));
  BG_RETURN_IF_ERROR(watch->MakeIdentity());
  return watch;
}

service::TlsMaterial CaWatch::tls() const {
  const absl::string_view key = AsText(identity_->key_pem().view());
  return {.chain_pem = identity_->chain_pem(),
          .key_pem = std::string(key.data(), key.size()),
          .client_ca_pem = client_ca_};
}

absl::Status CaWatch::TakeTaints() {
  BG_ASSIGN_OR_RETURN(const int64_t counter, store_.ChangeCounter());
  if (taints_as_of_ == counter) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(std::set<std::string> tainted, issuing::TaintedCas(store_));
  authority_.SetTainted(std::move(tainted));
  taints_as_of_ = counter;
  return absl::OkStatus();
}

absl::Status CaWatch::MakeIdentity() {
  client_ca_ = authority_.client_ca_pem();
  server_ca_ = authority_.issuing_pem(pki::CaUse::kServers);
  BG_ASSIGN_OR_RETURN(
      pki::ServerIdentity made,
      pki::ServerIdentity::Make(authority_, {.names = config_.listen.names}, clock_.Now()));
  identity_ = std::move(made);
  return absl::OkStatus();
}

void CaWatch::Tend(const std::function<void(const service::TlsMaterial&)>& renew) {
  const absl::Time now = clock_.Now();
  LogProblem("tainted CAs", TakeTaints());
  LogProblem("CA folder", authority_.Refresh(now));
  const bool other_ca = authority_.issuing_pem(pki::CaUse::kServers) != server_ca_;
  if (!identity_->IsDue(now) && !other_ca && authority_.client_ca_pem() == client_ca_) return;
  if (now < retry_at_) return;
  const absl::Status made = MakeIdentity();
  LogProblem("server certificate", made);
  retry_at_ = made.ok() ? absl::InfinitePast() : now + kRetry;
  if (!made.ok()) server_ca_.clear();
  renew(tls());
  if (made.ok()) Log(LogLevel::kInfo, "new server certificate", {});
}

}  // namespace bootgate::gatekeeper::app
