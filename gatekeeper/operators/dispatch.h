// From a method's name and the bytes of a request to an answer: the same steps for all methods.
//
// Role, size, decoding, grammar of every text, idempotency key, handler, field mask. What has no
// row in the authz table or no handler is not there.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/operators/answers.h"
#include "gatekeeper/operators/handler.h"

namespace google::protobuf {
class MethodDescriptor;
}

namespace bootgate::gatekeeper::operators {

inline constexpr size_t kMaxRequestBytes = size_t{1} << 20;
inline constexpr size_t kMaxDocumentBytes = size_t{17} << 20;  // policies, references

// Any thread.
class Dispatcher {
 public:
  // kInternal names each method of the services that lacks a row of the authz table, and each row
  // or handler without a method: such a program does not start (attack A69).
  static absl::StatusOr<std::unique_ptr<Dispatcher>> Make(Backend& backend, WatchHub& hub);

  // `path`: as HTTP/2 has it: "/bootgate.v1.HostService/ListHosts". kUnimplemented. Nothing of a
  // request is looked at before.
  absl::Status MayCall(absl::string_view path, const Caller& caller) const;
  bool IsStream(absl::string_view path) const;

  // After MayCall. MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, those of CheckRequest, the handler's.
  absl::StatusOr<std::string> Answer(absl::string_view path, const Caller& caller,
                                     absl::string_view request);
  absl::StatusOr<std::unique_ptr<Source>> Open(absl::string_view path, const Caller& caller,
                                               absl::string_view request);

 private:
  struct Entry {
    const google::protobuf::MethodDescriptor* descriptor = nullptr;
    std::string name;  // full
    Method method = {};
  };

  Dispatcher(Backend& backend, WatchHub& hub)
      : backend_(backend), hub_(hub), answers_(backend.store) {}
  const Entry* Find(absl::string_view path) const;
  absl::StatusOr<std::unique_ptr<Message>> Decode(const Entry& entry,
                                                  absl::string_view bytes) const;

  Backend& backend_;
  WatchHub& hub_;
  Answers answers_;
  std::map<std::string, Entry, std::less<>> entries_;  // by path
};

}  // namespace bootgate::gatekeeper::operators
