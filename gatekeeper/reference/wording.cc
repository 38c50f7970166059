#include "gatekeeper/reference/wording.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace bootgate::gatekeeper::reference {
namespace {

// "subject" and what is said of it, when both texts say something of the same subject.
struct Split {
  absl::string_view subject, was, is;
};

std::optional<Split> SplitAt(absl::string_view was, absl::string_view is,
                             absl::string_view separator) {
  const size_t at = was.find(separator);
  if (at == absl::string_view::npos || at == 0 || is.find(separator) != at) return std::nullopt;
  if (was.substr(0, at) != is.substr(0, at)) return std::nullopt;
  const size_t from = at + separator.size();
  return Split{was.substr(0, at), was.substr(from), is.substr(from)};
}

// Escaped line ends and tabs part words too.
std::string Words(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\x0a", " "}, {"\\x09", " "}});
}

// Words of `text` that `other` has fewer of, in order.
std::string Surplus(absl::string_view text, absl::string_view other) {
  std::map<absl::string_view, int> there;
  for (absl::string_view word : absl::StrSplit(other, ' ', absl::SkipEmpty())) ++there[word];
  std::vector<absl::string_view> surplus;
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (--there[word] < 0) surplus.push_back(word);
  }
  return absl::StrJoin(surplus, " ");
}

// nullopt when nothing was gained or lost (words moved) or hardly a word stayed.
std::optional<std::string> SayWords(const Split& split) {
  const std::string was = Words(split.was), is = Words(split.is);
  const std::string gained = Surplus(is, was);
  const std::string lost = Surplus(was, is);
  const bool little_stayed =
      gained.size() * 2 > split.is.size() && lost.size() * 2 > split.was.size();
  if ((gained.empty() && lost.empty()) || little_stayed) return std::nullopt;
  std::string text(split.subject);
  if (!gained.empty()) absl::StrAppend(&text, " gained `", gained, "`");
  if (!lost.empty()) absl::StrAppend(&text, gained.empty() ? "" : " and", " lost `", lost, "`");
  return text;
}

}  // namespace

std::string SayChange(absl::string_view was, absl::string_view is) {
  if (was == is) return absl::StrCat(was, " has other content");
  if (const auto words = SplitAt(was, is, ": ")) {
    if (const auto said = SayWords(*words)) return *said;
    return absl::StrCat(words->subject, " was `", words->was, "`, is `", words->is, "`");
  }
  if (const auto value = SplitAt(was, is, " = ")) {
    return absl::StrCat(value->subject, " was ", value->was, ", is ", value->is);
  }
  return absl::StrCat("was `", was, "`, is `", is, "`");
}

}  // namespace bootgate::gatekeeper::reference
