#include "agent/workload/signing_service.h"

#include <grpcpp/grpcpp.h>

#include <mutex>

#include "agent/workload/grpc_status.h"
#include "agent/workload/token_bucket.h"
#include "bootgate/v1/signing.grpc.pb.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/base/worker_pool.h"

namespace bootgate::agent::workload {
namespace {

constexpr size_t kQueue = 32;

absl::Status TooMany() {
  return Refuse(absl::StatusCode::kResourceExhausted, Reason::kTooManyRequests,
                "the TPM is asked for too many signatures; try again");
}

class SigningService final : public v1::Signing::CallbackService {
 public:
  SigningService(TpmSigner& signer, const Clock& clock, const SigningOptions& options)
      : signer_(signer), clock_(clock), bucket_(options.per_second, options.at_once) {}

  grpc::ServerUnaryReactor* Sign(grpc::CallbackServerContext* context,
                                 const v1::SignRequest* request,
                                 v1::SignResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    const absl::Status allowed = MaySign();
    if (!allowed.ok()) {
      reactor->Finish(ToGrpc(allowed));
    } else if (!worker_.TryRun([this, reactor, request, response] {
                 reactor->Finish(ToGrpc(SignNow(*request, response)));
               })) {
      reactor->Finish(ToGrpc(TooMany()));
    }
    return reactor;
  }

  grpc::ServerUnaryReactor* GetCertificate(grpc::CallbackServerContext* context,
                                           const v1::GetCertificateRequest*,
                                           v1::GetCertificateResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    const absl::StatusOr<TpmSigner::Shown> shown = Shown();
    if (shown.ok()) {
      for (const Bytes& der : shown->facts.chain) response->add_chain(std::string(AsText(der)));
      response->set_spiffe_id(shown->facts.spiffe_id);
      response->set_not_after(absl::ToUnixSeconds(shown->facts.not_after));
    }
    reactor->Finish(ToGrpc(shown.status()));
    return reactor;
  }

 private:
  absl::Status MaySign() {
    const std::lock_guard lock(mutex_);
    return bucket_.Take(clock_.Now()) ? absl::OkStatus() : TooMany();
  }

  absl::StatusOr<TpmSigner::Shown> Shown() {
    absl::StatusOr<TpmSigner::Shown> shown = signer_.Show(clock_.Now());
    if (absl::IsNotFound(shown.status()))
      return absl::PermissionDeniedError(shown.status().message());
    return shown;
  }

  absl::Status SignNow(const v1::SignRequest& request, v1::SignResponse* response) {
    BG_RETURN_IF_ERROR(Shown().status());
    const auto digest = crypto::Digest::From(crypto::HashAlg::kSha256, AsBytes(request.sha256()));
    if (!digest.ok()) return absl::InvalidArgumentError("sha256: 32 bytes");
    BG_ASSIGN_OR_RETURN(const Bytes made, signer_.SignSha256(*digest));
    response->set_signature(std::string(AsText(made)));
    return absl::OkStatus();
  }

  TpmSigner& signer_;
  const Clock& clock_;
  std::mutex mutex_;
  TokenBucket bucket_;            // guarded by mutex_
  WorkerPool worker_{1, kQueue};  // last: ends first
};

}  // namespace

std::unique_ptr<grpc::Service> MakeSigningService(TpmSigner& signer, const Clock& clock,
                                                  const SigningOptions& options) {
  return std::make_unique<SigningService>(signer, clock, options);
}

}  // namespace bootgate::agent::workload
