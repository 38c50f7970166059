// IdentityService and JoinTokenService.
#include <optional>

#include "absl/strings/str_cat.h"
#include "bootgate/v1/admin.pb.h"
#include "common/base/clock.h"
#include "common/base/reason.h"
#include "common/base/secret_bytes.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/fleet/names.h"
#include "gatekeeper/operators/handler.h"
#include "gatekeeper/operators/host_codec.h"
#include "gatekeeper/operators/paging.h"

namespace bootgate::gatekeeper::operators {
namespace {

constexpr int kMaxUses = 100'000;
constexpr int64_t kMaxTtlSeconds = 90 * 24 * 3600;
constexpr size_t kTokenIdBytes = 8, kTokenSecretBytes = 32;  // as of the command line's tokens

absl::Status WhoAmI(const Call& call, const v1::WhoAmIRequest&, v1::WhoAmIResponse* answer) {
  answer->set_name(call.caller.name);
  for (const std::string& role : call.caller.role_names) answer->add_roles(role);
  for (const std::string& method : MethodsFor(call.caller.roles)) answer->add_methods(method);
  answer->set_cluster_id(call.backend.cluster_id);
  answer->set_gatekeeper_version(call.backend.version);
  if (call.caller.serial.empty()) return absl::OkStatus();
  answer->set_certificate_serial(call.caller.serial);
  Encode(call.caller.not_after, answer->mutable_certificate_not_after());
  return absl::OkStatus();
}

void Encode(const store::JoinToken& token, v1::JoinToken* out) {
  out->set_id(token.id);
  for (const auto& [name, value] : token.labels) (*out->mutable_labels())[name] = value;
  out->set_uses(token.uses);
  out->set_uses_left(token.uses_left);
  operators::Encode(token.created_at, out->mutable_created_at());
  operators::Encode(token.expires_at, out->mutable_expires_at());
  if (token.revoked_at.has_value()) operators::Encode(*token.revoked_at, out->mutable_revoked_at());
  out->set_approves(token.approves);
  out->set_author(token.author);
}

absl::Status CheckNewToken(const v1::CreateJoinTokenRequest& request) {
  if (!request.idempotency_key().empty()) {
    return Malformed(Reason::kIdempotencyKey,
                     "a join token's secret is told once: no key is taken for it");
  }
  if (request.uses() < 0 || request.uses() > kMaxUses) {
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat("uses: ", request.uses(), "; 1 to ", kMaxUses));
  }
  if (request.ttl_seconds() < 0 || request.ttl_seconds() > kMaxTtlSeconds) {
    return Malformed(Reason::kMessageMalformed, absl::StrCat("ttl_seconds: ", request.ttl_seconds(),
                                                             "; 1 to ", kMaxTtlSeconds));
  }
  return fleet::CheckLabels({request.labels().begin(), request.labels().end()});
}

store::JoinToken NewToken(const Call& call, const v1::CreateJoinTokenRequest& request,
                          const SecretBytes& secret) {
  store::JoinToken token;
  token.id = absl::StrCat("t-", crypto::RandomHex(kTokenIdBytes));
  const crypto::Digest digest = crypto::Hash(crypto::HashAlg::kSha256, secret.view());
  token.secret_sha256.assign(digest.view().begin(), digest.view().end());
  token.labels = {request.labels().begin(), request.labels().end()};
  token.uses = token.uses_left = std::max(1, request.uses());
  token.created_at = call.backend.clock.Now();
  token.expires_at =
      token.created_at +
      (request.ttl_seconds() == 0 ? absl::Hours(1) : absl::Seconds(request.ttl_seconds()));
  token.approves = request.approves();
  token.author = call.caller.actor;
  return token;
}

absl::Status CreateJoinToken(const Call& call, const v1::CreateJoinTokenRequest& request,
                             v1::CreateJoinTokenResponse* answer) {
  BG_RETURN_IF_ERROR(CheckNewToken(request));
  const SecretBytes secret = crypto::RandomSecret(kTokenSecretBytes);
  const store::JoinToken token = NewToken(call, request, secret);
  audit::Detail labels;
  for (const auto& [name, value] : token.labels) labels.Text(name, value);
  const audit::Detail detail = audit::Detail()
                                   .Number("uses", token.uses_left)
                                   .Text("expires_at", FormatUtc(token.expires_at))
                                   .Flag("approves", token.approves)
                                   .Object("labels", labels);
  BG_RETURN_IF_ERROR(call.backend.store.PutJoinToken(
      token,
      audit::MakeRow(token.created_at, call.caller.actor, "join-token.create", token.id, detail)));
  Encode(token, answer->mutable_join_token());
  const absl::string_view bytes = AsText(secret.view());
  answer->set_secret(bytes.data(), bytes.size());
  answer->set_cluster_id(call.backend.cluster_id);
  answer->set_ca_pem(call.backend.authority.roots_pem());
  return absl::OkStatus();
}

absl::Status ListJoinTokens(const Call& call, const v1::ListJoinTokensRequest& request,
                            v1::ListJoinTokensResponse* answer) {
  BG_ASSIGN_OR_RETURN(std::vector<store::JoinToken> tokens, call.backend.store.ListJoinTokens());
  const absl::Time now = call.backend.clock.Now();
  if (!request.include_ended()) {
    std::erase_if(tokens, [&](const store::JoinToken& token) {
      return token.revoked_at.has_value() || token.uses_left <= 0 || token.expires_at <= now;
    });
  }
  BG_ASSIGN_OR_RETURN(const Slice slice, SliceOf(call, request, tokens.size(),
                                                 [&](size_t i) { return tokens[i].id; }));
  for (size_t i = slice.begin; i < slice.end; ++i) Encode(tokens[i], answer->add_join_tokens());
  answer->set_next_page_token(slice.next);
  return absl::OkStatus();
}

absl::Status RevokeJoinToken(const Call& call, const v1::RevokeJoinTokenRequest& request,
                             v1::RevokeJoinTokenResponse* answer) {
  const std::string& id = request.join_token_id();
  BG_RETURN_IF_ERROR(fleet::CheckId("join_token_id", id));
  store::Store& store = call.backend.store;
  absl::StatusOr<store::JoinToken> token = store.GetJoinToken(id);
  if (absl::IsNotFound(token.status())) {
    return Refuse(absl::StatusCode::kNotFound, Reason::kJoinTokenUnknown,
                  absl::StrCat("there is no join token ", id));
  }
  BG_RETURN_IF_ERROR(token.status());
  if (!token->revoked_at.has_value()) {
    audit::Detail detail;
    if (!request.reason().empty()) detail.Text("reason", request.reason());
    BG_RETURN_IF_ERROR(
        store.RevokeJoinToken(id, audit::MakeRow(call.backend.clock.Now(), call.caller.actor,
                                                 "join-token.revoke", id, detail)));
    answer->set_changed(true);
    token = store.GetJoinToken(id);
    BG_RETURN_IF_ERROR(token.status());
  }
  Encode(*token, answer->mutable_join_token());
  return absl::OkStatus();
}

constexpr Method kMethods[] = {
    {"bootgate.v1.IdentityService.WhoAmI", Unary<&WhoAmI>, nullptr},
    {"bootgate.v1.JoinTokenService.CreateJoinToken", Unary<&CreateJoinToken>, nullptr},
    {"bootgate.v1.JoinTokenService.ListJoinTokens", Unary<&ListJoinTokens>, nullptr},
    {"bootgate.v1.JoinTokenService.RevokeJoinToken", Unary<&RevokeJoinToken>, nullptr},
};

}  // namespace

std::span<const Method> AdminMethods() { return kMethods; }

}  // namespace bootgate::gatekeeper::operators
