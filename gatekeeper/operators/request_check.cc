#include "gatekeeper/operators/request_check.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/fleet/names.h"

namespace bootgate::gatekeeper::operators {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

enum class Grammar { kText, kId, kSelector, kKey, kCode, kLongText, kDocument, kToken, kLabelName };

struct Row {
  absl::string_view field;
  Grammar grammar;
};
// By the field's name alone: one name means one thing in all requests.
constexpr Row kFields[] = {
    {"host_id", Grammar::kId},        {"host_ids", Grammar::kId},
    {"new_host_id", Grammar::kId},    {"peer_host_id", Grammar::kId},
    {"verdict_id", Grammar::kId},     {"incident_id", Grammar::kId},
    {"waiver_id", Grammar::kId},      {"join_token_id", Grammar::kId},
    {"reference_id", Grammar::kId},   {"ca_id", Grammar::kId},
    {"selector", Grammar::kSelector}, {"idempotency_key", Grammar::kKey},
    {"code", Grammar::kCode},         {"remove", Grammar::kLabelName},
    {"note", Grammar::kLongText},     {"root_cause", Grammar::kLongText},
    {"page_token", Grammar::kToken},  {"resume_token", Grammar::kToken},
};
// Not in requests alone: a note's text is long, a reference's is a document.
constexpr Row kMessageFields[] = {
    {"bootgate.v1.NoteIncidentRequest.text", Grammar::kLongText},
    {"bootgate.v1.PutReferenceRequest.text", Grammar::kDocument},
};

constexpr size_t kMaxLongText = 8192;  // bytes
constexpr size_t kMaxToken = 4096;     // bytes, of page and resume tokens
constexpr size_t kMaxKey = 128, kMaxCode = 64;

Grammar GrammarOf(const FieldDescriptor& field) {
  for (const Row& row : kMessageFields)
    if (field.full_name() == std::string(row.field)) return row.grammar;
  for (const Row& row : kFields)
    if (field.name() == std::string(row.field)) return row.grammar;
  return Grammar::kText;
}

absl::Status CheckKey(absl::string_view text) {
  const bool fine = text.size() <= kMaxKey && std::ranges::all_of(text, [](char c) {
                      return absl::ascii_isgraph(static_cast<unsigned char>(c));
                    });
  if (fine) return absl::OkStatus();
  return Malformed(Reason::kIdempotencyKey, absl::StrCat("idempotency_key: at most ", kMaxKey,
                                                         " printable characters without blanks"));
}

absl::Status CheckCode(absl::string_view what, absl::string_view text) {
  const bool fine =
      text.size() <= kMaxCode && std::ranges::all_of(text, [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
      });
  if (fine) return absl::OkStatus();
  return Malformed(Reason::kMessageMalformed,
                   absl::StrCat(what, " '", Printable(text, kMaxCode), "' is no code"));
}

absl::Status CheckToken(absl::string_view what, absl::string_view text) {
  if (text.size() <= kMaxToken && FromBase64Url(text).ok()) return absl::OkStatus();
  return Malformed(what == "page_token" ? Reason::kPageToken : Reason::kWatchToken,
                   absl::StrCat(what, ": not one that was given out"));
}

absl::Status CheckText(const FieldDescriptor& field, const std::string& text) {
  if (text.empty()) return absl::OkStatus();
  const absl::string_view name = field.name();
  switch (GrammarOf(field)) {
    case Grammar::kId:
      return fleet::CheckId(name, text);
    case Grammar::kSelector:
      return fleet::CheckSelector(text);
    case Grammar::kKey:
      return CheckKey(text);
    case Grammar::kCode:
      return CheckCode(name, text);
    case Grammar::kToken:
      return CheckToken(name, text);
    case Grammar::kLabelName:
      return fleet::CheckLabel(text, "x");
    case Grammar::kLongText:
      return fleet::CheckText(name, text, kMaxLongText);
    case Grammar::kDocument:
      return absl::OkStatus();  // its reader has its own rules
    case Grammar::kText:
      return fleet::CheckText(name, text);
  }
  __builtin_unreachable();
}

absl::Status CheckCount(const FieldDescriptor& field, int count) {
  if (static_cast<size_t>(count) <= kMaxListed) return absl::OkStatus();
  return Malformed(
      Reason::kMessageTooLarge,
      absl::StrCat(field.name(), ": ", count, " elements; at most ", kMaxListed, " in one call"));
}

absl::Status CheckMap(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  std::string scratch;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    const Reflection& of_entry = *entry.GetReflection();
    const auto text = [&](int number) {
      return of_entry.GetString(entry, entry.GetDescriptor()->FindFieldByNumber(number));
    };
    BG_RETURN_IF_ERROR(fleet::CheckLabel(text(1), text(2)));
  }
  return absl::OkStatus();
}

absl::Status CheckField(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const int count = field.is_repeated() ? reflection.FieldSize(message, &field) : 1;
  BG_RETURN_IF_ERROR(CheckCount(field, count));
  // All maps of requests are labels.
  if (field.is_map()) return CheckMap(message, field);
  for (int i = 0; i < count; ++i) {
    if (field.type() == FieldDescriptor::TYPE_STRING) {
      std::string scratch;
      BG_RETURN_IF_ERROR(
          CheckText(field, field.is_repeated()
                               ? reflection.GetRepeatedStringReference(message, &field, i, &scratch)
                               : reflection.GetStringReference(message, &field, &scratch)));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      // Requests nest as deep as their descriptors: never in circles.
      BG_RETURN_IF_ERROR(CheckRequest(field.is_repeated()
                                          ? reflection.GetRepeatedMessage(message, &field, i)
                                          : reflection.GetMessage(message, &field)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckRequest(const Message& request) {
  std::vector<const FieldDescriptor*> fields;
  request.GetReflection()->ListFields(request, &fields);
  for (const FieldDescriptor* field : fields) BG_RETURN_IF_ERROR(CheckField(request, *field));
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::operators
