// absl::Status to grpc::Status: the one place where a refusal gets its form on the wire.
#pragma once

#include "absl/status/status.h"

namespace grpc {
class Status;
}

namespace bootgate::gatekeeper::service {

// Keeps the code; carries the reason as google.rpc.ErrorInfo. Of our own faults (kInternal,
// kUnavailable, kDataLoss) the peer learns the reason code, not the message.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace bootgate::gatekeeper::service
