#include "gatekeeper/reference/imaset/version.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace bootgate::gatekeeper::reference {
namespace {

using Order = std::strong_ordering;

template <typename Is>
absl::string_view TakeWhile(absl::string_view* text, Is is) {
  const auto end = std::find_if_not(text->begin(), text->end(), is);
  const absl::string_view taken = text->substr(0, static_cast<size_t>(end - text->begin()));
  text->remove_prefix(taken.size());
  return taken;
}

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
bool IsLetter(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }

// Numbers of any length, as text.
Order CompareNumbers(absl::string_view a, absl::string_view b) {
  TakeWhile(&a, [](char c) { return c == '0'; });
  TakeWhile(&b, [](char c) { return c == '0'; });
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

struct Split {
  absl::string_view before, after;
  bool found;
};
Split SplitFirst(absl::string_view text, char at) {
  const size_t place = text.find(at);
  if (place == absl::string_view::npos) return {{}, text, false};
  return {text.substr(0, place), text.substr(place + 1), true};
}
Split SplitLast(absl::string_view text, char at) {
  const size_t place = text.rfind(at);
  if (place == absl::string_view::npos) return {text, {}, false};
  return {text.substr(0, place), text.substr(place + 1), true};
}

// The end of a part sorts as 0: after ~, before letters, and these before all else.
int DebianRank(absl::string_view part) {
  if (part.empty()) return 0;
  const auto c = static_cast<unsigned char>(part.front());
  if (c == '~') return -1;
  return IsLetter(part.front()) ? c : c + 256;
}

Order CompareDebianParts(absl::string_view a, absl::string_view b) {
  while (!a.empty() || !b.empty()) {
    absl::string_view text_a = TakeWhile(&a, [](char c) { return !IsDigit(c); });
    absl::string_view text_b = TakeWhile(&b, [](char c) { return !IsDigit(c); });
    while (!text_a.empty() || !text_b.empty()) {
      const Order order = DebianRank(text_a) <=> DebianRank(text_b);
      if (order != Order::equal) return order;
      text_a.remove_prefix(1);
      text_b.remove_prefix(1);
    }
    const Order order = CompareNumbers(TakeWhile(&a, IsDigit), TakeWhile(&b, IsDigit));
    if (order != Order::equal) return order;
  }
  return Order::equal;
}

// rpm: digits and letters are compared in turn; all else only separates. ~ sorts before the end, ^
// after the end and before anything else.
Order CompareRpmParts(absl::string_view a, absl::string_view b) {
  const auto separates = [](char c) { return !IsDigit(c) && !IsLetter(c) && c != '~' && c != '^'; };
  while (true) {
    TakeWhile(&a, separates);
    TakeWhile(&b, separates);
    const bool tilde_a = absl::StartsWith(a, "~"), tilde_b = absl::StartsWith(b, "~");
    const bool caret_a = absl::StartsWith(a, "^"), caret_b = absl::StartsWith(b, "^");
    if (tilde_a != tilde_b) return tilde_a ? Order::less : Order::greater;
    if (caret_a != caret_b) {
      if (caret_a) return b.empty() ? Order::greater : Order::less;
      return a.empty() ? Order::less : Order::greater;
    }
    if (tilde_a || caret_a) {
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    if (a.empty() || b.empty()) return !a.empty() <=> !b.empty();
    const bool number_a = IsDigit(a.front()), number_b = IsDigit(b.front());
    if (number_a != number_b) return number_a ? Order::greater : Order::less;
    const absl::string_view part_a = TakeWhile(&a, number_a ? IsDigit : IsLetter);
    const absl::string_view part_b = TakeWhile(&b, number_a ? IsDigit : IsLetter);
    const Order order = number_a ? CompareNumbers(part_a, part_b) : part_a.compare(part_b) <=> 0;
    if (order != Order::equal) return order;
  }
}

absl::string_view SchemeOf(const Package& package) {
  const Split split = SplitFirst(package.origin, ':');
  return split.found ? split.before : split.after;
}

}  // namespace

Order CompareDebianVersions(absl::string_view a, absl::string_view b) {
  const Split epoch_a = SplitFirst(a, ':'), epoch_b = SplitFirst(b, ':');
  const Order epochs = CompareNumbers(epoch_a.before, epoch_b.before);
  if (epochs != Order::equal) return epochs;
  const Split a_parts = SplitLast(epoch_a.after, '-'), b_parts = SplitLast(epoch_b.after, '-');
  const Order upstream = CompareDebianParts(a_parts.before, b_parts.before);
  if (upstream != Order::equal) return upstream;
  return CompareDebianParts(a_parts.after, b_parts.after);
}

Order CompareRpmVersions(absl::string_view a, absl::string_view b) {
  const Split epoch_a = SplitFirst(a, ':'), epoch_b = SplitFirst(b, ':');
  const Order epochs = CompareNumbers(epoch_a.before, epoch_b.before);
  if (epochs != Order::equal) return epochs;
  const Split a_parts = SplitLast(epoch_a.after, '-'), b_parts = SplitLast(epoch_b.after, '-');
  const Order versions = CompareRpmParts(a_parts.before, b_parts.before);
  if (versions != Order::equal) return versions;
  return CompareRpmParts(a_parts.after, b_parts.after);
}

bool IsSamePackage(const Package& a, const Package& b) {
  return a.name == b.name && a.origin == b.origin;
}

bool IsNewer(const Package& a, const Package& than) {
  if (!IsSamePackage(a, than)) return false;
  if (SchemeOf(a) == "deb") return CompareDebianVersions(a.version, than.version) > 0;
  if (SchemeOf(a) == "rpm") return CompareRpmVersions(a.version, than.version) > 0;
  return false;
}

}  // namespace bootgate::gatekeeper::reference
