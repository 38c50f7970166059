#include "gatekeeper/service/status_codec.h"

#include <grpcpp/support/status.h>

#include <string>

#include "common/base/reason.h"
#include "google/rpc/error_info.pb.h"

namespace bootgate::gatekeeper::service {
namespace {

constexpr char kDomain[] = "bootgate";

bool IsOurFault(absl::StatusCode code) {
  return code == absl::StatusCode::kInternal || code == absl::StatusCode::kUnavailable ||
         code == absl::StatusCode::kDataLoss || code == absl::StatusCode::kUnknown;
}

// What the peer is told. A corrupt row is nothing a peer can mend: it is an internal error to it.
// A structure that was cut is malformed like any other.
absl::StatusCode CodeToTell(absl::StatusCode code) {
  if (code == absl::StatusCode::kDataLoss || code == absl::StatusCode::kUnknown)
    return absl::StatusCode::kInternal;
  return code == absl::StatusCode::kOutOfRange ? absl::StatusCode::kInvalidArgument : code;
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const Reason reason = ReasonOf(status).value_or(Reason::kInternal);
  const ReasonInfo& info = Info(reason);
  const std::string message =
      IsOurFault(status.code()) ? std::string(info.meaning) : std::string(status.message());
  google::rpc::ErrorInfo detail;
  detail.set_reason(std::string(info.code));
  detail.set_domain(kDomain);
  google::rpc::Status details;
  details.set_code(static_cast<int>(CodeToTell(status.code())));
  details.set_message(message);
  details.add_details()->PackFrom(detail);
  return grpc::Status(static_cast<grpc::StatusCode>(CodeToTell(status.code())), message,
                      details.SerializeAsString());
}

}  // namespace bootgate::gatekeeper::service
