// Reads a gatekeeper's notices until the stream ends, is stopped, or stays silent for too long.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "absl/time/time.h"
#include "agent/client/gatekeeper_client.h"

namespace grpc {
class ChannelInterface;
class Status;
}  // namespace grpc

namespace bootgate::v1 {
class Standing;
}

namespace bootgate::agent {

// Printable and bounded, whatever was sent.
Standing DecodeStanding(const v1::Standing& in);

// Blocks; `on_notice` is called from this thread. How the call ended: DEADLINE_EXCEEDED for silence
// of several heartbeats: a connection that died without a word.
grpc::Status ReadNotices(const std::shared_ptr<grpc::ChannelInterface>& channel,
                         const std::string& host_id,
                         const std::function<void(const Notice&)>& on_notice,
                         const std::stop_token& stop);

}  // namespace bootgate::agent
