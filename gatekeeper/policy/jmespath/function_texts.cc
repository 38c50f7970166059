// Functions on texts, and those that take texts beside lists.
#include <string.h>

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/compare.h"
#include "gatekeeper/json/utf8.h"
#include "gatekeeper/policy/jmespath/case_folding.h"
#include "gatekeeper/policy/jmespath/function_rows.h"
#include "gatekeeper/policy/jmespath/types.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

using json::Value;

constexpr int64_t kBytesAStep = 64;    // compared or copied
constexpr int64_t kSearchedAStep = 8;  // bytes searched for a part
constexpr int64_t kLettersAStep = 1;   // bytes decoded one by one

int64_t Size(absl::string_view text) { return static_cast<int64_t>(text.size()); }

// memmem() is linear, whatever the texts; string_view::find() is not.
bool TextContains(absl::string_view text, absl::string_view part) {
  if (part.empty()) return true;
  return memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

// Code points in the opposite order.
std::string Reversed(absl::string_view text) {
  std::string out(text.size(), '\0');
  size_t end = text.size();
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = std::max<size_t>(json::CodePointBytes(text, at), 1);
    end -= bytes;
    std::copy_n(text.begin() + static_cast<ptrdiff_t>(at), bytes,
                out.begin() + static_cast<ptrdiff_t>(end));
    at += bytes;
  }
  return out;
}

}  // namespace

bool RunContains(Evaluator& evaluator, Arguments arguments, Value* out) {
  const Value& subject = arguments[0].value;
  const Value& wanted = arguments[1].value;
  *out = Value::Bool(false);
  if (subject.is_string()) {
    if (!evaluator.Step(1 + Size(subject.text()) / kSearchedAStep)) return false;
    *out = Value::Bool(wanted.is_string() && TextContains(subject.text(), wanted.text()));
    return true;
  }
  for (const Value& item : subject.items()) {
    const auto equal = json::Equal(item, wanted, evaluator.budget());
    if (!equal) return false;
    if (!*equal) continue;
    *out = Value::Bool(true);
    return true;
  }
  return true;
}

bool RunStartsWith(Evaluator& evaluator, Arguments arguments, Value* out) {
  const absl::string_view part = arguments[1].value.text();
  *out = Value::Bool(absl::StartsWith(arguments[0].value.text(), part));
  return evaluator.Step(Size(part) / kBytesAStep);
}

bool RunEndsWith(Evaluator& evaluator, Arguments arguments, Value* out) {
  const absl::string_view part = arguments[1].value.text();
  *out = Value::Bool(absl::EndsWith(arguments[0].value.text(), part));
  return evaluator.Step(Size(part) / kBytesAStep);
}

bool RunEqualsIgnoreCase(Evaluator& evaluator, Arguments arguments, Value* out) {
  const Value& a = arguments[0].value;
  const Value& b = arguments[1].value;
  *out = Value::Bool(false);
  if (!a.is_string() || !b.is_string()) return true;
  const int64_t steps = 1 + std::min(Size(a.text()), Size(b.text())) / kLettersAStep;
  if (!evaluator.Step(steps)) return false;
  *out = Value::Bool(EqualIgnoringCase(a.text(), b.text()));
  return true;
}

bool RunJoin(Evaluator& evaluator, Arguments arguments, Value* out) {
  const absl::string_view glue = arguments[0].value.text();
  const absl::Span<const Value> parts = arguments[1].value.items();
  int64_t bytes = 0;
  for (const Value& part : parts) bytes += Size(part.text()) + Size(glue);
  if (bytes > evaluator.budget().bytes_left() || !evaluator.Step(1 + bytes / kBytesAStep)) {
    return evaluator.budget().Bytes(bytes);
  }
  std::string text;
  text.reserve(static_cast<size_t>(bytes));
  for (size_t at = 0; at < parts.size(); ++at) {
    if (at > 0) text.append(glue.data(), glue.size());
    text.append(parts[at].text().data(), parts[at].text().size());
  }
  return evaluator.KeepText(text, out);
}

bool RunLength(Evaluator& evaluator, Arguments arguments, Value* out) {
  const Value& value = arguments[0].value;
  size_t length = 0;
  if (value.is_string()) {
    if (!evaluator.Step(1 + Size(value.text()) / kBytesAStep)) return false;
    length = json::CountCodePoints(value.text());
  } else {
    length = value.is_array() ? value.items().size() : value.members().size();
  }
  *out = Value::Integer(static_cast<int64_t>(length));
  return true;
}

bool RunReverse(Evaluator& evaluator, Arguments arguments, Value* out) {
  const Value& value = arguments[0].value;
  if (value.is_string()) {
    if (!evaluator.Step(1 + Size(value.text()) / kLettersAStep)) return false;
    return evaluator.KeepText(Reversed(value.text()), out);
  }
  std::vector<Value> items(value.items().rbegin(), value.items().rend());
  return evaluator.Keep(items, out);
}

bool RunToString(Evaluator& evaluator, Arguments arguments, Value* out) {
  *out = arguments[0].value;
  if (out->is_string()) return true;
  const auto text = json::CanonicalText(arguments[0].value, evaluator.budget());
  return text && evaluator.KeepText(*text, out);
}

bool RunType(Evaluator&, Arguments arguments, Value* out) {
  *out = Value::String(TypeName(arguments[0].value));
  return true;
}

}  // namespace bootgate::gatekeeper::policy::jmespath
