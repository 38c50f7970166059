#include "gatekeeper/policy/json_value.h"

#include <cmath>
#include <optional>

namespace bootgate::gatekeeper::policy {
namespace {

Failure Overflow() { return {"overflow", "a JSON number does not fit into signed 64 bits"}; }

// Every double from here on is an integer, and none of them fits.
bool IsBeyondIntegers(double real) { return std::abs(real) >= 0x1p63; }

// Adds the value of a scalar; null adds nothing.
std::optional<Failure> AddScalar(const json::Value& json, Values& values, Workspace& workspace) {
  if (!workspace.Step()) return LimitFailure();
  switch (json.kind()) {
    case json::Kind::kNull:
      return std::nullopt;
    case json::Kind::kFalse:
    case json::Kind::kTrue:
      values.push_back({json.is_true()});
      return std::nullopt;
    case json::Kind::kInteger:
      values.push_back({json.integer()});
      return std::nullopt;
    case json::Kind::kBigInteger:
      return Overflow();
    case json::Kind::kReal:
      if (IsBeyondIntegers(json.real())) return Overflow();
      return Failure{"type", "the JSON holds a number with a fraction"};
    case json::Kind::kString:
      values.push_back({workspace.New(json.text())});
      return std::nullopt;
    case json::Kind::kArray:
      return Failure{"type", "an array inside an array is no claim value"};
    case json::Kind::kObject:
      return Failure{"type", "a JSON object is no claim value"};
  }
  __builtin_unreachable();
}

}  // namespace

Computed ValuesFromJson(const json::Value& json, Workspace& workspace) {
  Values values;
  const absl::Span<const json::Value> items =
      json.is_array() ? json.items() : absl::MakeConstSpan(&json, 1);
  for (const json::Value& item : items) {
    if (auto failure = AddScalar(item, values, workspace)) return *std::move(failure);
  }
  return values;
}

}  // namespace bootgate::gatekeeper::policy
