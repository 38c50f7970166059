// Messages of the operators' API in words: enums without their prefix, times in UTC, JSON.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace google::protobuf {
class EnumDescriptor;
class Message;
class Timestamp;
}  // namespace google::protobuf

namespace bootgate::gatekeeper::client {

// TRUST_STATE_QUARANTINED: "quarantined"; the unspecified value: "".
std::string Word(const google::protobuf::EnumDescriptor& kind, int value);
// The number of a word; kInvalidArgument names those that there are.
absl::StatusOr<int> Value(const google::protobuf::EnumDescriptor& kind, absl::string_view word);

// "2026-11-23T01:30:36Z"; "-" when it is not set.
std::string TimeText(const google::protobuf::Timestamp& time);
absl::Time TimeOf(const google::protobuf::Timestamp& time);
void SetTime(absl::Time time, google::protobuf::Timestamp* out);
// "2026-11-23T01:30:36Z", or a duration: as long before now ("2h"). kInvalidArgument.
absl::StatusOr<absl::Time> PointInTime(absl::string_view text, absl::Time now);

// All fields under their names, set or not, in the order of the message: enums as words, times as
// text, bytes in hex, 64-bit numbers as numbers. Messages that are not set: null.
std::string JsonText(const google::protobuf::Message& message);  // with a line break at the end
// The same with the list `name` of another message behind the fields.
std::string JsonText(const google::protobuf::Message& message,
                     const google::protobuf::Message& more, const std::string& name);
std::string JsonLine(const google::protobuf::Message& message);  // on one line
// The field `name`, repeated, as a list.
std::string JsonList(const google::protobuf::Message& message, const std::string& name);

}  // namespace bootgate::gatekeeper::client
