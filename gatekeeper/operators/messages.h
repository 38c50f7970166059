// Messages by what their descriptors say.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace google::protobuf {
class Message;
class MethodDescriptor;
}  // namespace google::protobuf

namespace bootgate::gatekeeper::operators {

using google::protobuf::Message;

// Every method of the operators' services, by the descriptors that are linked in.
std::vector<const google::protobuf::MethodDescriptor*> OperatorsMethods();

std::unique_ptr<Message> NewRequest(const google::protobuf::MethodDescriptor& method);
std::unique_ptr<Message> NewAnswer(const google::protobuf::MethodDescriptor& method);

// SHA-256 over a method's name and a request, which is written in one way only.
Bytes DigestOf(absl::string_view method, const Message& request);
std::string Serialized(const Message& message);

// The text of a field of this name; empty: there is none.
std::string TextField(const Message& message, const char* name);
bool FlagField(const Message& message, const char* name);

// Cuts the answer's first field to the request's `fields`. kInvalidArgument MESSAGE_MALFORMED: a
// path that the listed message does not have.
absl::Status TrimAnswer(const Message& request, Message* answer);

}  // namespace bootgate::gatekeeper::operators
