// How a method looks from inside: who calls, what is asked; an answer or a Status with its reason.
//
// Before a handler runs, the caller's role has been checked and every text of the request has been
// held against its grammar (request_check.h); after it, the answer is cut to the wanted fields and
// kept under the idempotency key (dispatch.h).
#pragma once

#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/operators/backend.h"
#include "gatekeeper/operators/caller.h"

namespace google::protobuf {
class Message;
}

namespace bootgate::gatekeeper::operators {

class WatchHub;

struct Call {
  const Caller& caller;
  Backend& backend;
  WatchHub& hub;
  absl::string_view method;  // full name
};

using google::protobuf::Message;
using Handler = absl::Status (*)(const Call&, const Message&, Message*);

// What a streaming method answers, piece by piece.
class Source {
 public:
  struct Piece {
    enum class Kind { kMessage, kNothingYet, kEnd };
    Kind kind = Kind::kEnd;
    std::string bytes;  // kMessage: serialized
  };
  virtual ~Source() = default;
  // Bounded work; never two at once. After kNothingYet it is asked again when the store has
  // changed, and each second.
  virtual absl::StatusOr<Piece> Next() = 0;
};
using Opener = absl::StatusOr<std::unique_ptr<Source>> (*)(const Call&, const Message&);

struct Method {
  absl::string_view name;  // full name
  Handler handler;         // one of the two
  Opener opener;
};

// For tables: Unary<&ListHosts> of absl::Status ListHosts(const Call&, const Request&, Answer*).
template <typename Request, typename Answer>
struct UnaryOf {
  template <absl::Status (*kHandle)(const Call&, const Request&, Answer*)>
  static absl::Status Run(const Call& call, const Message& request, Message* answer) {
    return kHandle(call, static_cast<const Request&>(request), static_cast<Answer*>(answer));
  }
};
template <typename Request, typename Answer>
UnaryOf<Request, Answer> TypesOf(absl::Status (*)(const Call&, const Request&, Answer*));
template <auto kHandle>
constexpr Handler Unary = &decltype(TypesOf(kHandle))::template Run<kHandle>;

template <typename Request>
struct StreamOf {
  template <absl::StatusOr<std::unique_ptr<Source>> (*kOpen)(const Call&, const Request&)>
  static absl::StatusOr<std::unique_ptr<Source>> Run(const Call& call, const Message& request) {
    return kOpen(call, static_cast<const Request&>(request));
  }
};
template <typename Request>
StreamOf<Request> RequestOf(absl::StatusOr<std::unique_ptr<Source>> (*)(const Call&,
                                                                        const Request&));
template <auto kOpen>
constexpr Opener Stream = &decltype(RequestOf(kOpen))::template Run<kOpen>;

// The families of methods, one file each.
std::span<const Method> HostMethods();
std::span<const Method> VerdictMethods();
std::span<const Method> QuarantineMethods();
std::span<const Method> AdminMethods();
std::span<const Method> CaMethods();
std::span<const Method> CredentialMethods();
std::span<const Method> AuditMethods();
std::span<const Method> PolicyMethods();
std::span<const Method> IncidentMethods();
std::span<const Method> WaiverMethods();
std::span<const Method> BrakeMethods();

}  // namespace bootgate::gatekeeper::operators
