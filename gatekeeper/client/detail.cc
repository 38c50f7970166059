#include "gatekeeper/client/detail.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace bootgate::gatekeeper::client {
namespace {

using nlohmann::ordered_json;

constexpr size_t kDigestShown = 12;     // hex digits
constexpr size_t kShortestDigest = 64;  // hex digits: SHA-256
constexpr char kBefore[] = "before", kAfter[] = "after";

std::string ValueText(const ordered_json& value) {
  if (value.is_string()) return ShortDigest(value.get<std::string>());
  if (value.is_null()) return "";
  if (!value.is_structured()) return value.dump();
  std::vector<std::string> parts;
  for (const auto& [name, part] : value.items()) {
    const std::string text = ValueText(part);
    if (text.empty()) continue;
    parts.push_back(value.is_object() ? absl::StrCat(name, "=", text) : text);
  }
  return absl::StrJoin(parts, value.is_object() ? " " : "+");
}

std::string OrNothing(const std::string& text) { return text.empty() ? "nothing" : text; }

// `before` is null for what is new.
void AddChanges(const ordered_json& before, const ordered_json& after,
                std::vector<std::string>* parts) {
  for (const auto& [name, value] : after.items()) {
    const bool was_there = before.is_object() && before.contains(name);
    const std::string now = ValueText(value), then = was_there ? ValueText(before[name]) : "";
    if (now == then) continue;
    parts->push_back(was_there ? absl::StrCat(name, ": ", OrNothing(then), " -> ", OrNothing(now))
                               : absl::StrCat(name, ": ", now));
  }
}

}  // namespace

std::string ShortDigest(absl::string_view text) {
  if (text.size() < kShortestDigest) return std::string(text.data(), text.size());
  for (const char c : text) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) {
      return std::string(text.data(), text.size());
    }
  }
  return std::string(text.data(), kDigestShown);
}

std::string DetailText(absl::string_view json) {
  const ordered_json detail =
      ordered_json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (!detail.is_object()) return std::string(json.data(), json.size());
  std::vector<std::string> parts;
  const bool changes = detail.contains(kAfter) && detail[kAfter].is_object();
  if (changes) AddChanges(detail.value(kBefore, ordered_json()), detail[kAfter], &parts);
  for (const auto& [name, value] : detail.items()) {
    if (changes && (name == kBefore || name == kAfter)) continue;
    const std::string text = ValueText(value);
    if (!text.empty()) parts.push_back(absl::StrCat(name, ": ", text));
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace bootgate::gatekeeper::client
