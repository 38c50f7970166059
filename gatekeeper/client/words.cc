#include "gatekeeper/client/words.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper::client {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;
using nlohmann::ordered_json;

// TRUST_STATE_ of TRUST_STATE_UNSPECIFIED: the zero value stands in each enum.
std::string Prefix(const EnumDescriptor& kind) {
  constexpr absl::string_view kZero = "UNSPECIFIED";
  const std::string& zero = kind.FindValueByNumber(0)->name();
  return zero.substr(0, zero.size() - kZero.size());
}

std::vector<std::string> Words(const EnumDescriptor& kind) {
  std::vector<std::string> words;
  for (int i = 0; i < kind.value_count(); ++i) {
    const int number = kind.value(i)->number();
    if (number != 0) words.push_back(Word(kind, number));
  }
  return words;
}

ordered_json ToJson(const Message& message);

// One value: of a plain field (`index` -1) or of a repeated one.
ordered_json ValueOf(const Message& message, const FieldDescriptor& field, int index) {
  const google::protobuf::Reflection& in = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return one ? in.GetInt32(message, &field) : in.GetRepeatedInt32(message, &field, index);
    case FieldDescriptor::CPPTYPE_INT64:
      return one ? in.GetInt64(message, &field) : in.GetRepeatedInt64(message, &field, index);
    case FieldDescriptor::CPPTYPE_UINT32:
      return one ? in.GetUInt32(message, &field) : in.GetRepeatedUInt32(message, &field, index);
    case FieldDescriptor::CPPTYPE_UINT64:
      return one ? in.GetUInt64(message, &field) : in.GetRepeatedUInt64(message, &field, index);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return one ? in.GetDouble(message, &field) : in.GetRepeatedDouble(message, &field, index);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return one ? in.GetFloat(message, &field) : in.GetRepeatedFloat(message, &field, index);
    case FieldDescriptor::CPPTYPE_BOOL:
      return one ? in.GetBool(message, &field) : in.GetRepeatedBool(message, &field, index);
    case FieldDescriptor::CPPTYPE_ENUM:
      return Word(*field.enum_type(), one ? in.GetEnumValue(message, &field)
                                          : in.GetRepeatedEnumValue(message, &field, index));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text =
          one ? in.GetString(message, &field) : in.GetRepeatedString(message, &field, index);
      return field.type() == FieldDescriptor::TYPE_BYTES ? ToHex(AsBytes(text)) : text;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(one ? in.GetMessage(message, &field)
                        : in.GetRepeatedMessage(message, &field, index));
  }
  __builtin_unreachable();
}

ordered_json MapOf(const Message& message, const FieldDescriptor& field) {
  const google::protobuf::Reflection& in = *message.GetReflection();
  std::map<std::string, ordered_json> sorted;  // a map has no order on the wire
  for (int i = 0; i < in.FieldSize(message, &field); ++i) {
    const Message& entry = in.GetRepeatedMessage(message, &field, i);
    const google::protobuf::Descriptor& kind = *entry.GetDescriptor();
    sorted[ValueOf(entry, *kind.FindFieldByNumber(1), -1).get<std::string>()] =
        ValueOf(entry, *kind.FindFieldByNumber(2), -1);
  }
  ordered_json out = ordered_json::object();
  for (auto& [key, value] : sorted) out[key] = std::move(value);
  return out;
}

ordered_json FieldOf(const Message& message, const FieldDescriptor& field) {
  const google::protobuf::Reflection& in = *message.GetReflection();
  if (field.is_map()) return MapOf(message, field);
  if (field.is_repeated()) {
    ordered_json out = ordered_json::array();
    for (int i = 0; i < in.FieldSize(message, &field); ++i) {
      out.push_back(ValueOf(message, field, i));
    }
    return out;
  }
  if (field.has_presence() && !in.HasField(message, &field)) return nullptr;
  return ValueOf(message, field, -1);
}

ordered_json ToJson(const Message& message) {
  const google::protobuf::Descriptor& kind = *message.GetDescriptor();
  if (kind.full_name() == Timestamp::descriptor()->full_name()) {
    return TimeText(static_cast<const Timestamp&>(message));
  }
  ordered_json out = ordered_json::object();
  for (int i = 0; i < kind.field_count(); ++i) {
    out[kind.field(i)->name()] = FieldOf(message, *kind.field(i));
  }
  return out;
}

std::string Text(const ordered_json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

constexpr int kIndent = 2, kOneLine = -1;

}  // namespace

std::string Word(const EnumDescriptor& kind, int value) {
  const google::protobuf::EnumValueDescriptor* const named = kind.FindValueByNumber(value);
  if (value == 0) return "";
  if (named == nullptr) return absl::StrCat("unknown-", value);  // of a newer gatekeeper
  std::string word = absl::AsciiStrToLower(named->name().substr(Prefix(kind).size()));
  for (char& c : word) c = c == '_' ? '-' : c;
  return word;
}

absl::StatusOr<int> Value(const EnumDescriptor& kind, absl::string_view word) {
  for (int i = 0; i < kind.value_count(); ++i) {
    const int number = kind.value(i)->number();
    if (number != 0 && Word(kind, number) == word) return number;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", Printable(word), "' is none of: ", absl::StrJoin(Words(kind), ", ")));
}

absl::Time TimeOf(const Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

std::string TimeText(const Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return "-";
  return FormatUtc(TimeOf(time));
}

void SetTime(absl::Time time, Timestamp* out) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  out->set_seconds(seconds);
  out->set_nanos(
      static_cast<int32_t>((time - absl::FromUnixSeconds(seconds)) / absl::Nanoseconds(1)));
}

absl::StatusOr<absl::Time> PointInTime(absl::string_view text, absl::Time now) {
  absl::Duration before;
  if (absl::ParseDuration(text, &before) && before >= absl::ZeroDuration()) return now - before;
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return time;
  return absl::InvalidArgumentError(
      absl::StrCat("'", Printable(text),
                   "' is no time such as 2026-11-23T01:30:00Z, and no duration such as 2h"));
}

std::string JsonText(const Message& message) { return Text(ToJson(message), kIndent); }
std::string JsonText(const Message& message, const Message& more, const std::string& name) {
  ordered_json out = ToJson(message);
  out[name] = FieldOf(more, *more.GetDescriptor()->FindFieldByName(name));
  return Text(out, kIndent);
}

std::string JsonLine(const Message& message) { return Text(ToJson(message), kOneLine); }

std::string JsonList(const Message& message, const std::string& name) {
  return Text(FieldOf(message, *message.GetDescriptor()->FindFieldByName(name)), kIndent);
}

}  // namespace bootgate::gatekeeper::client
