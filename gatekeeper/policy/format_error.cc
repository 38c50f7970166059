#include "gatekeeper/policy/format_error.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "gatekeeper/policy/text.h"

namespace bootgate::gatekeeper::policy {
namespace {

constexpr size_t kShownAround = 60;  // code points of the line on each side of the place
constexpr size_t kMaxShownBytes = 4096;

absl::string_view LineOf(absl::string_view text, int line) {
  for (int at = 1; at < line; ++at) {
    const size_t end = text.find('\n');
    if (end == absl::string_view::npos) return "";
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find_first_of("\r\n"));
}

// The code points of a line; a byte that is not UTF-8 stands alone.
std::vector<absl::string_view> CodePoints(absl::string_view line) {
  std::vector<absl::string_view> points;
  while (!line.empty()) {
    const size_t length = std::max<size_t>(SequenceLength(line), 1);
    points.push_back(line.substr(0, length));
    line.remove_prefix(length);
  }
  return points;
}

// C1 controls and the marks that reorder text can deceive a reader as well as control characters
// can.
bool Deceives(absl::string_view point) {
  if (point.size() == 2) return point[0] == '\xc2' && static_cast<uint8_t>(point[1]) < 0xa0;
  if (point.size() != 3) return false;
  const absl::string_view lead = point.substr(0, 2);
  const auto last = static_cast<uint8_t>(point[2]);
  if (lead == "\xe2\x80") return (last >= 0x8b && last <= 0x8f) || (last >= 0xa8 && last <= 0xae);
  return lead == "\xe2\x81" && last >= 0xa0 && last <= 0xaf;
}

// One code point as shown: one column wide unless it must be escaped.
std::string Shown(absl::string_view point) {
  if (point == "\t") return " ";
  return Deceives(point) ? "?" : Printable(point);
}

size_t Width(absl::string_view shown) {
  return static_cast<size_t>(std::count_if(
      shown.begin(), shown.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

std::string Excerpt(absl::string_view line, int column) {
  const std::vector<absl::string_view> points = CodePoints(line);
  const size_t at = std::min(static_cast<size_t>(std::max(column, 1) - 1), points.size());
  const size_t begin = at > kShownAround ? at - kShownAround : 0;
  const size_t end = std::min(points.size(), at + kShownAround);
  std::string before = begin > 0 ? "..." : "", after;
  for (size_t i = begin; i < at; ++i) absl::StrAppend(&before, Shown(points[i]));
  for (size_t i = at; i < end; ++i) absl::StrAppend(&after, Shown(points[i]));
  return absl::StrCat("  ", before, after, end < points.size() ? "..." : "", "\n  ",
                      std::string(Width(before), ' '), "^\n");
}

std::string Format(absl::string_view file, absl::string_view text, int line, int column,
                   absl::string_view severity, absl::string_view message, absl::string_view code) {
  return absl::StrCat(Printable(file, kMaxShownBytes), ":", line, ":", column, ": ", severity, ": ",
                      Printable(message, kMaxShownBytes), " [", Printable(code), "]\n",
                      Excerpt(LineOf(WithoutByteOrderMark(text), line), column));
}

}  // namespace

std::string FormatError(absl::string_view file, absl::string_view text, const ParseError& error) {
  return Format(file, text, error.line, error.column, "error", error.message, error.kind);
}

std::string FormatWarning(absl::string_view file, absl::string_view text, const Warning& warning) {
  return Format(file, text, warning.line, warning.column, "warning", warning.message, warning.code);
}

}  // namespace bootgate::gatekeeper::policy
