// The place of an error in a query, for people.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gatekeeper/json/utf8.h"
#include "gatekeeper/policy/jmespath/expression.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

constexpr size_t kBefore = 60;  // code points shown before the caret, and after it
constexpr size_t kAfter = 40;

// One entry for each code point; what cannot be shown is a question mark, white space a space.
struct Shown {
  std::vector<std::string> letters;
  size_t caret = 0;
};

Shown Letters(absl::string_view line, size_t position) {
  Shown shown;
  for (size_t at = 0; at < line.size();) {
    const size_t bytes = json::CodePointBytes(line, at);
    const auto c = static_cast<uint8_t>(line[at]);
    if (at < position) ++shown.caret;
    if (bytes == 0 || c == 0x7F ||
        (c >= 0x80 && c < 0xC3 && bytes == 2 && static_cast<uint8_t>(line[at + 1]) < 0xA0)) {
      shown.letters.emplace_back("?");
    } else if (c < 0x20) {
      shown.letters.emplace_back(" ");
    } else {
      shown.letters.emplace_back(line.substr(at, bytes));
    }
    at += std::max<size_t>(bytes, 1);
  }
  return shown;
}

}  // namespace

std::string MarkPosition(absl::string_view text, size_t position) {
  position = std::min(position, text.size());
  const size_t before = position == 0 ? absl::string_view::npos : text.rfind('\n', position - 1);
  const size_t start = before == absl::string_view::npos ? 0 : before + 1;
  const absl::string_view line = text.substr(start, text.find('\n', position) - start);
  const Shown shown = Letters(line, position - start);
  const size_t first = shown.caret > kBefore ? shown.caret - kBefore : 0;
  const size_t last = std::min(shown.letters.size(), shown.caret + kAfter);
  std::string out = first > 0 ? "..." : "";
  const size_t indent = out.size() + shown.caret - first;
  for (size_t at = first; at < last; ++at) out += shown.letters[at];
  return absl::StrCat(out, last < shown.letters.size() ? "..." : "", "\n", std::string(indent, ' '),
                      "^");
}

}  // namespace bootgate::gatekeeper::policy::jmespath
