#include "gatekeeper/policy/string_value.h"

#include <utility>

#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/parse.h"
#include "gatekeeper/policy/workspace.h"

namespace bootgate::gatekeeper::policy {
namespace {

constexpr size_t kArenaBytesPerStep = 64;  // what filling an arena costs

Failure FailureOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kResourceExhausted:
      return LimitFailure();
    case absl::StatusCode::kOutOfRange:
      return {"overflow", "the JSON holds a number that is too large"};
    default:
      return {"json", "the text is not JSON"};
  }
}

// The first byte of the canonical text; nullopt when it takes the text to know.
std::optional<char> FirstByte(const json::Value& json) {
  switch (json.kind()) {
    case json::Kind::kNull:
      return 'n';
    case json::Kind::kFalse:
      return 'f';
    case json::Kind::kTrue:
      return 't';
    case json::Kind::kString:
      return '"';
    case json::Kind::kArray:
      return '[';
    case json::Kind::kObject:
      return '{';
    case json::Kind::kInteger:
    case json::Kind::kBigInteger:
    case json::Kind::kReal:
      return std::nullopt;
  }
  __builtin_unreachable();
}

// How many values and names a JSON text can have, cheaply: there is a mark before each but the
// first.
size_t ValuesAtMost(absl::string_view json) {
  size_t marks = 1;
  for (const char c : json) {
    if (c == ',' || c == ':' || c == '[' || c == '{') ++marks;
  }
  return marks;
}

}  // namespace

Failure LimitFailure() { return {"limit", "the policy needs more work or memory than is allowed"}; }

bool StringValue::MakeDocument(Workspace& workspace) {
  if (document_ == nullptr) return true;
  const size_t before = workspace.arena().used_bytes();
  json_ = std::exchange(document_, nullptr)->make(workspace.arena());
  const size_t used = workspace.arena().used_bytes() - before;
  return workspace.budget().Step(static_cast<int64_t>(used / kArenaBytesPerStep)) &&
         !workspace.arena().exhausted();
}

std::optional<absl::string_view> StringValue::Text(Workspace& workspace) {
  if (text_) return text_;
  if (!MakeDocument(workspace)) return std::nullopt;
  // Text costs steps, too: whoever has spent most of them cannot have a long one made.
  const int64_t values = workspace.budget().steps_left() / kStepsPerPrintedValue;
  json::Budget own(values, values * kStepsPerPrintedValue * kPrintedBytesPerStep);
  std::optional<std::string> text = json::CanonicalText(*json_, own);
  if (!text || !workspace.Printed(text->size(), values - own.steps_left())) return std::nullopt;
  made_ = *std::move(text);
  text_ = made_;
  return text_;
}

std::variant<json::Value, Failure> StringValue::Json(Workspace& workspace) {
  if (!MakeDocument(workspace)) return LimitFailure();
  if (json_) return *json_;
  if (no_json_) return FailureOf(*no_json_);
  if (!workspace.Parse(text_->size()) || !workspace.ParseValues(ValuesAtMost(*text_))) {
    return LimitFailure();
  }
  absl::StatusOr<json::Value> parsed = json::Parse(*text_, workspace.arena());
  if (!parsed.ok()) return FailureOf(no_json_.emplace(parsed.status().code()));
  json_ = *parsed;
  return *json_;
}

std::optional<bool> SameText(StringValue& a, StringValue& b, Workspace& workspace) {
  if (&a == &b) return true;
  const auto first = [](const StringValue& value) -> std::optional<char> {
    if (const auto& text = value.text_if_made()) {
      return text->empty() ? '\0' : text->front();
    }
    return value.json_if_made() ? FirstByte(*value.json_if_made()) : std::nullopt;
  };
  const std::optional<char> of_a = first(a), of_b = first(b);
  if (of_a && of_b && *of_a != *of_b) return false;
  const auto text_of_a = a.Text(workspace), text_of_b = b.Text(workspace);
  if (!text_of_a || !text_of_b || !workspace.Step(text_of_a->size())) return std::nullopt;
  return *text_of_a == *text_of_b;
}

}  // namespace bootgate::gatekeeper::policy
