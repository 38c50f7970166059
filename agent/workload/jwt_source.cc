#include "agent/workload/jwt_source.h"

#include <algorithm>
#include <utility>

#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::workload {
namespace {

constexpr size_t kQueue = 64;
constexpr size_t kMaxKept = 256;
// Unknown keys, as anybody can make them up, do not make us ask more often than this.
constexpr absl::Duration kLeastBetweenKeys = absl::Seconds(10);

absl::Status QueueFull() {
  return Refuse(absl::StatusCode::kResourceExhausted, Reason::kTooManyRequests,
                "too many programs ask for tokens; try again");
}

absl::Status NoIdentity(const Held& held) { return absl::PermissionDeniedError(held.why_none); }

}  // namespace

JwtSource::JwtSource(IdentityHub& hub, const Clock& clock, Connect connect)
    : hub_(hub),
      clock_(clock),
      connect_(std::move(connect)),
      worker_(1, kQueue),
      subscription_(hub, [this] { OnChange(); }) {}

JwtSource::~JwtSource() = default;

// A new identity: keys may have changed at the gatekeeper. None: nothing may stay.
void JwtSource::OnChange() {
  (void)worker_.TryRun([this] {
    const Held held = hub_.Now();
    if (held.identity == connected_as_) return;
    client_.reset();
    connected_as_.reset();
    kept_.clear();
    if (held.identity == nullptr) return;
    const absl::Status asked = RefreshKeys(held);
    if (!asked.ok() && !absl::IsUnimplemented(asked))
      Log(LogLevel::kWarning, "no keys of JWT-SVIDs", {{"text", std::string(asked.message())}});
  });
}

absl::StatusOr<GatekeeperClient*> JwtSource::Client(const Held& held) {
  if (client_ == nullptr || connected_as_ != held.identity) {
    client_.reset();
    BG_ASSIGN_OR_RETURN(client_, connect_(*held.identity));
    connected_as_ = held.identity;
  }
  return client_.get();
}

absl::Status JwtSource::RefreshKeys(const Held& held) {
  keys_asked_at_ = clock_.Now();
  BG_ASSIGN_OR_RETURN(GatekeeperClient* const client, Client(held));
  absl::StatusOr<std::string> keys = client->FetchJwtKeys();
  if (keys.ok()) hub_.SetJwtKeys(*std::move(keys));
  return keys.status();
}

absl::StatusOr<JwtSvid> JwtSource::FetchNow(const std::vector<std::string>& audiences) {
  const Held held = hub_.Now();
  if (held.identity == nullptr) return NoIdentity(held);
  const absl::Time now = clock_.Now();
  const auto kept = kept_.find(audiences);
  if (kept != kept_.end() && connected_as_ == held.identity && now < kept->second.fresh_until)
    return kept->second.token;
  BG_ASSIGN_OR_RETURN(GatekeeperClient* const client, Client(held));
  BG_ASSIGN_OR_RETURN(JwtSvid token, client->FetchJwtSvid(audiences));
  if (token.spiffe_id != held.identity->spiffe_id)
    return absl::InternalError("the gatekeeper answered for another host");
  std::erase_if(kept_, [now](const auto& row) { return row.second.fresh_until <= now; });
  if (kept_.size() < kMaxKept) kept_[audiences] = Kept{token, now + (token.expires_at - now) / 2};
  return token;
}

void JwtSource::Fetch(std::vector<std::string> audiences, Answer answer) {
  std::ranges::sort(audiences);
  const bool queued = worker_.TryRun(
      [this, audiences = std::move(audiences), answer] { answer(FetchNow(audiences)); });
  if (!queued) answer(QueueFull());
}

absl::StatusOr<ValidJwtSvid> JwtSource::ValidateNow(const std::string& svid,
                                                    const std::string& audience) {
  Held held = hub_.Now();
  if (held.identity == nullptr) return NoIdentity(held);
  if (!HasKey(held.jwt_keys, svid) && clock_.Now() - keys_asked_at_ >= kLeastBetweenKeys) {
    BG_RETURN_IF_ERROR(RefreshKeys(held));
    held = hub_.Now();
    if (held.identity == nullptr) return NoIdentity(held);
  }
  if (held.jwt_keys.empty())
    return absl::UnavailableError("the trust domain's keys are not known here yet");
  return ValidateJwtSvid(svid, {.audience = audience,
                                .trust_domain_id = held.identity->trust_domain_id,
                                .jwk_set = held.jwt_keys,
                                .now = clock_.Now()});
}

void JwtSource::Validate(std::string svid, std::string audience, Validated answer) {
  const bool queued = worker_.TryRun([this, svid = std::move(svid), audience = std::move(audience),
                                      answer] { answer(ValidateNow(svid, audience)); });
  if (!queued) answer(QueueFull());
}

}  // namespace bootgate::agent::workload
