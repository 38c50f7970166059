// Every text of a request against its grammar, by the fields' names: nothing that a handler sees
// can break out of a log line, a file's name or a selector (attack A73). A field of no kind that is
// known here is held to plain text.
#pragma once

#include "absl/status/status.h"

namespace google::protobuf {
class Message;
}

namespace bootgate::gatekeeper::operators {

inline constexpr size_t kMaxListed = 500;  // elements of a repeated field, entries of a map

// kInvalidArgument: HOST_ID_SYNTAX, SELECTOR, MESSAGE_MALFORMED, IDEMPOTENCY_KEY; names the field.
// An empty text is left to the handler. MESSAGE_TOO_LARGE: too many elements.
absl::Status CheckRequest(const google::protobuf::Message& request);

}  // namespace bootgate::gatekeeper::operators
