#include "agent/workload/spiffe_service.h"

#include <google/protobuf/util/json_util.h>
#include <grpcpp/grpcpp.h>
#include <openssl/crypto.h>

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/workload/grpc_status.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "spiffe/workload.grpc.pb.h"

namespace bootgate::agent::workload {
namespace {

constexpr char kSecurityHeader[] = "workload.spiffe.io";
constexpr size_t kMaxSvidBytes = size_t{64} << 10;  // of a JWT-SVID to be validated

std::string Text(ByteView bytes) { return std::string(AsText(bytes)); }

// A program that was talked into sending a request of somebody else's (SSRF) cannot set metadata.
absl::Status CheckHeader(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(kSecurityHeader);
  if (found != metadata.end() && found->second == "true") return absl::OkStatus();
  return absl::InvalidArgumentError("security header missing from request: workload.spiffe.io");
}

absl::Status NoIdentity(const Held& held) {
  return absl::PermissionDeniedError(
      "no identity issued: " + (held.why_none.empty() ? std::string("not yet") : held.why_none));
}

// ---- What each stream says. Nothing: not yet.

std::optional<X509SVIDResponse> X509Svid(const Held& held) {
  X509SVIDResponse out;
  X509SVID* const svid = out.add_svids();
  svid->set_spiffe_id(held.identity->spiffe_id);
  svid->set_x509_svid(Text(held.identity->chain_der));
  svid->set_x509_svid_key(Text(held.identity->key_pkcs8_der.view()));
  svid->set_bundle(Text(held.identity->bundle_der));
  return out;
}

std::optional<X509BundlesResponse> X509Bundles(const Held& held) {
  X509BundlesResponse out;
  (*out.mutable_bundles())[held.identity->trust_domain_id] = Text(held.identity->bundle_der);
  return out;
}

std::optional<JWTBundlesResponse> JwtBundles(const Held& held) {
  if (held.jwt_keys.empty()) return std::nullopt;
  JWTBundlesResponse out;
  (*out.mutable_bundles())[held.identity->trust_domain_id] = held.jwt_keys;
  return out;
}

// Private keys do not stay in our memory longer than they are sent.
void Wipe(X509SVIDResponse& message) {
  for (X509SVID& svid : *message.mutable_svids()) {
    std::string& key = *svid.mutable_x509_svid_key();
    OPENSSL_cleanse(key.data(), key.size());
  }
}
template <typename Response>
void Wipe(Response&) {}

// Sends what `render` makes of the hub, and again when that changes. Deletes itself when gRPC is
// done with it.
template <typename Response>
class UpdateStream final : public grpc::ServerWriteReactor<Response> {
 public:
  using Render = std::optional<Response> (*)(const Held&);

  UpdateStream(const grpc::CallbackServerContext& context, IdentityHub& hub, Render render)
      : hub_(hub), render_(render) {
    const absl::Status allowed = CheckHeader(context);
    if (!allowed.ok()) {
      is_finished_ = true;
      this->Finish(ToGrpc(allowed));
      return;
    }
    subscription_.emplace(hub_, [this] { Pump(); });
    Pump();
  }

  void OnWriteDone(bool ok) override {
    {
      const std::lock_guard lock(mutex_);
      Wipe(message_);
      is_writing_ = false;
      if (is_finished_) return this->Finish(ended_with_);
      if (!ok) return End(grpc::Status::CANCELLED);
    }
    Pump();
  }
  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    End(grpc::Status::CANCELLED);
  }
  void OnDone() override {
    subscription_.reset();
    delete this;
  }

 private:
  void Pump() {
    const std::lock_guard lock(mutex_);
    if (is_writing_ || is_finished_) return;
    const Held held = hub_.Now();
    if (held.step == told_step_) return;
    told_step_ = held.step;
    if (held.identity == nullptr) return End(ToGrpc(NoIdentity(held)));
    std::optional<Response> next = render_(held);
    if (!next.has_value()) return;
    std::string text = next->SerializeAsString();
    const crypto::Digest digest = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(text));
    OPENSSL_cleanse(text.data(), text.size());
    if (digest == told_) return;
    told_ = digest;
    message_ = *std::move(next);
    is_writing_ = true;
    this->StartWrite(&message_);
  }

  // With mutex_ held. A message that is on its way goes first: its end tells ours.
  void End(const grpc::Status& status) {
    if (is_finished_) return;
    is_finished_ = true;
    ended_with_ = status;
    if (!is_writing_) this->Finish(status);
  }

  IdentityHub& hub_;
  const Render render_;
  std::mutex mutex_;
  bool is_writing_ = false, is_finished_ = false;  // guarded by mutex_, as the rest
  // No step of the hub: also "nothing was ever published" must be told.
  uint64_t told_step_ = ~uint64_t{0};
  crypto::Digest told_;  // of the message sent last
  grpc::Status ended_with_;
  Response message_;
  std::optional<IdentityHub::Subscription> subscription_;
};

class SpiffeService final : public SpiffeWorkloadAPI::CallbackService {
 public:
  SpiffeService(IdentityHub& hub, JwtSource& tokens) : hub_(hub), tokens_(tokens) {}

  grpc::ServerWriteReactor<X509SVIDResponse>* FetchX509SVID(grpc::CallbackServerContext* context,
                                                            const X509SVIDRequest*) override {
    return new UpdateStream<X509SVIDResponse>(*context, hub_, X509Svid);
  }
  grpc::ServerWriteReactor<X509BundlesResponse>* FetchX509Bundles(
      grpc::CallbackServerContext* context, const X509BundlesRequest*) override {
    return new UpdateStream<X509BundlesResponse>(*context, hub_, X509Bundles);
  }
  grpc::ServerWriteReactor<JWTBundlesResponse>* FetchJWTBundles(
      grpc::CallbackServerContext* context, const JWTBundlesRequest*) override {
    return new UpdateStream<JWTBundlesResponse>(*context, hub_, JwtBundles);
  }

  grpc::ServerUnaryReactor* FetchJWTSVID(grpc::CallbackServerContext* context,
                                         const JWTSVIDRequest* request,
                                         JWTSVIDResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    const absl::Status allowed = MayFetch(*context, *request);
    if (!allowed.ok()) {
      reactor->Finish(ToGrpc(allowed));
      return reactor;
    }
    tokens_.Fetch({request->audience().begin(), request->audience().end()},
                  [reactor, response](absl::StatusOr<JwtSvid> made) {
                    if (made.ok()) {
                      JWTSVID* const svid = response->add_svids();
                      svid->set_spiffe_id(made->spiffe_id);
                      svid->set_svid(made->svid);
                    }
                    reactor->Finish(ToGrpc(made.status()));
                  });
    return reactor;
  }

  grpc::ServerUnaryReactor* ValidateJWTSVID(grpc::CallbackServerContext* context,
                                            const ValidateJWTSVIDRequest* request,
                                            ValidateJWTSVIDResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    absl::Status allowed = CheckHeader(*context);
    if (allowed.ok() && (request->audience().empty() || request->svid().empty() ||
                         request->svid().size() > kMaxSvidBytes)) {
      allowed = absl::InvalidArgumentError("an audience and a JWT-SVID of at most 64 KiB");
    }
    if (!allowed.ok()) {
      reactor->Finish(ToGrpc(allowed));
      return reactor;
    }
    tokens_.Validate(request->svid(), request->audience(),
                     [reactor, response](absl::StatusOr<ValidJwtSvid> valid) {
                       reactor->Finish(ToGrpc(Told(valid, response)));
                     });
    return reactor;
  }

 private:
  absl::Status MayFetch(const grpc::CallbackServerContext& context, const JWTSVIDRequest& request) {
    BG_RETURN_IF_ERROR(CheckHeader(context));
    if (request.audience().empty()) return absl::InvalidArgumentError("audience must be specified");
    const Held held = hub_.Now();
    if (held.identity == nullptr) return NoIdentity(held);
    if (!request.spiffe_id().empty() && request.spiffe_id() != held.identity->spiffe_id)
      return absl::PermissionDeniedError("this host has no identity of that SPIFFE ID");
    return absl::OkStatus();
  }

  // The standard has one code for a token that is not valid.
  static absl::Status Told(const absl::StatusOr<ValidJwtSvid>& valid,
                           ValidateJWTSVIDResponse* response) {
    const std::optional<Reason> reason = ReasonOf(valid.status());
    if (!valid.ok()) {
      const bool about_token = reason.has_value() && Info(*reason).outcome == OutcomeClass::kReject;
      return about_token ? Malformed(*reason, valid.status().message()) : valid.status();
    }
    const auto parsed =
        google::protobuf::util::JsonStringToMessage(valid->claims_json, response->mutable_claims());
    if (!parsed.ok()) return absl::InvalidArgumentError("the claims are no JSON object");
    response->set_spiffe_id(valid->spiffe_id);
    return absl::OkStatus();
  }

  IdentityHub& hub_;
  JwtSource& tokens_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSpiffeService(IdentityHub& hub, JwtSource& tokens) {
  return std::make_unique<SpiffeService>(hub, tokens);
}

}  // namespace bootgate::agent::workload
