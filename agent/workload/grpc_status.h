// absl::Status to grpc::Status for programs of this host: the reason code in ErrorInfo.
#pragma once

#include "absl/status/status.h"

namespace grpc {
class Status;
}

namespace bootgate::agent::workload {

grpc::Status ToGrpc(const absl::Status& status);

}  // namespace bootgate::agent::workload
