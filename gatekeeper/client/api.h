// The operators' API, as its client sees it: one gatekeeper, calls by name.
//
// Calls are made by the name of service and method ("HostService/ListHosts") with the messages of
// proto/bootgate/v1; gRPC itself stays behind this header.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace google::protobuf {
class MessageLite;
}
namespace grpc {
class Channel;
}

namespace bootgate::gatekeeper::client {

// Mutual TLS: who the operator is and which gatekeepers are believed. Files are PEM.
struct ServerOptions {
  std::string address;   // host:port of the operators' port
  std::string identity;  // certificate, issuers and private key; the key also in NAME.key beside it
  std::string ca;        // CAs of gatekeepers; empty: roots.pem beside `identity`
  std::string name;      // expected in its certificate; empty: the host of `address`
};

inline constexpr absl::Duration kCallDeadline = absl::Seconds(30);

class Api {
 public:
  // Reads the files; connects with the first call. kInvalidArgument or kNotFound: a file.
  static absl::StatusOr<std::unique_ptr<Api>> Connect(const ServerOptions& options);
  // Over a channel that is there: of a service in this very process.
  static std::unique_ptr<Api> Over(std::shared_ptr<grpc::Channel> channel);
  virtual ~Api() = default;

  // One request, one answer. Errors are the gatekeeper's, with their reason; kUnavailable: it does
  // not answer, with SERVER_AUTH when it is not who it should be.
  virtual absl::Status Call(absl::string_view method, const google::protobuf::MessageLite& request,
                            google::protobuf::MessageLite& answer,
                            absl::Duration deadline = kCallDeadline) = 0;

  // One request, answers as they come: each is read into `answer`, then `each` is called. Ends with
  // the stream, or with the first error of `each`.
  virtual absl::Status Stream(absl::string_view method,
                              const google::protobuf::MessageLite& request,
                              google::protobuf::MessageLite& answer,
                              const std::function<absl::Status()>& each,
                              absl::Duration deadline = absl::InfiniteDuration()) = 0;
};

}  // namespace bootgate::gatekeeper::client
