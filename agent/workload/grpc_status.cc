#include "agent/workload/grpc_status.h"

#include <grpcpp/support/status.h>

#include <optional>
#include <string>

#include "common/base/reason.h"
#include "google/rpc/error_info.pb.h"

namespace bootgate::agent::workload {

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message(status.message());
  const std::optional<Reason> reason = ReasonOf(status);
  if (!reason.has_value()) return grpc::Status(code, message);
  google::rpc::ErrorInfo detail;
  detail.set_reason(std::string(Code(*reason)));
  detail.set_domain("bootgate");
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(message);
  details.add_details()->PackFrom(detail);
  return grpc::Status(code, message, details.SerializeAsString());
}

}  // namespace bootgate::agent::workload
