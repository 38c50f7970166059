#include "gatekeeper/fleet/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/rollout/selector.h"

namespace bootgate::gatekeeper::fleet {
namespace {

constexpr size_t kShown = 64;  // bytes of a bad name in a message

// Characters that turn the direction of writing, in UTF-8: U+061C, U+200E, U+200F, U+202A to
// U+202E, U+2066 to U+2069 (Unicode Standard Annex 9, section 2).
constexpr absl::string_view kDirection[] = {
    "\xd8\x9c",     "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac",
    "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9"};

bool IsLetterOrDigit(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

bool IsLowerOrDigit(char c) {
  return IsLetterOrDigit(c) && !absl::ascii_isupper(static_cast<unsigned char>(c));
}

// Letters and digits at both ends, and these inside, too.
bool IsPart(absl::string_view text, absl::string_view inside, absl::string_view at_ends = "") {
  const auto among = [](char c, absl::string_view set) {
    return set.find(c) != absl::string_view::npos;
  };
  const auto is_end = [&](char c) { return IsLetterOrDigit(c) || among(c, at_ends); };
  return !text.empty() && is_end(text.front()) && is_end(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return is_end(c) || among(c, inside); });
}

absl::Status Bad(absl::string_view what, absl::string_view text, Reason reason,
                 absl::string_view wanted) {
  return Malformed(reason, absl::StrCat(what, " '", Printable(text, kShown), "': ", wanted));
}

}  // namespace

bool IsId(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxIdBytes && IsLowerOrDigit(text.front()) &&
         IsLowerOrDigit(text.back()) && std::ranges::all_of(text, [](char c) {
           return IsLowerOrDigit(c) || c == '.' || c == '-';
         });
}

bool IsLabelName(absl::string_view text) {
  constexpr absl::string_view kInside = "._-";
  if (text.size() > kMaxLabelNameBytes) return false;
  const size_t slash = text.find('/');
  if (slash == absl::string_view::npos) return IsPart(text, kInside);
  return IsPart(text.substr(0, slash), kInside) && IsPart(text.substr(slash + 1), kInside);
}

bool IsLabelValue(absl::string_view text) {
  return text.size() <= kMaxLabelValueBytes && IsPart(text, "._-@+ ", ":");
}

bool IsPlainText(absl::string_view text) {
  // Printable keeps exactly UTF-8 without control characters as it is.
  if (Printable(text, text.size() + 1) != text) return false;
  return std::ranges::none_of(kDirection, [&](absl::string_view mark) {
    return text.find(mark) != absl::string_view::npos;
  });
}

absl::Status CheckId(absl::string_view what, absl::string_view text) {
  if (IsId(text)) return absl::OkStatus();
  return Bad(what, text, Reason::kHostIdSyntax,
             "an id has lower-case letters and digits, '.' and '-' inside, at most 253 in all");
}

absl::Status CheckLabel(absl::string_view name, absl::string_view value) {
  if (!IsLabelName(name)) {
    return Bad("label", name, Reason::kSelector,
               "a label's name has letters and digits, with '.', '_', '-' and one '/' inside");
  }
  if (!IsLabelValue(value)) {
    return Bad(absl::StrCat("label ", name, " with the value"), value, Reason::kSelector,
               "a label's value has letters, digits and ':', and inside '.', '_', '-', '@', '+' "
               "and blanks");
  }
  return absl::OkStatus();
}

absl::Status CheckLabels(const std::map<std::string, std::string>& labels) {
  if (labels.size() > kMaxLabels) {
    return Malformed(Reason::kSelector, absl::StrCat(labels.size(), " labels; at most ", kMaxLabels,
                                                     " are kept of a host"));
  }
  for (const auto& [name, value] : labels) BG_RETURN_IF_ERROR(CheckLabel(name, value));
  return absl::OkStatus();
}

absl::Status CheckSelector(absl::string_view text) {
  const absl::StatusOr<std::string> canonical = rollout::ReadSelector(text);
  if (!canonical.ok()) return Malformed(Reason::kSelector, canonical.status().message());
  for (absl::string_view rest = *canonical; !rest.empty();) {
    const absl::string_view label = rest.substr(0, rest.find(','));
    const size_t equals = label.find('=');
    BG_RETURN_IF_ERROR(CheckLabel(label.substr(0, equals), label.substr(equals + 1)));
    rest.remove_prefix(std::min(rest.size(), label.size() + 1));
  }
  return absl::OkStatus();
}

absl::Status CheckText(absl::string_view what, absl::string_view text, size_t max_bytes) {
  if (text.size() > max_bytes) {
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat(what, ": ", text.size(), " bytes; at most ", max_bytes));
  }
  if (IsPlainText(text)) return absl::OkStatus();
  return Bad(what, text, Reason::kMessageMalformed,
             "plain text without control characters and turns of direction is taken");
}

absl::Status CheckReason(absl::string_view text) {
  if (absl::StripAsciiWhitespace(text).empty())
    return Malformed(Reason::kMessageMalformed, "reason: say why, it stays in the audit trail");
  return CheckText("reason", text);
}

}  // namespace bootgate::gatekeeper::fleet
