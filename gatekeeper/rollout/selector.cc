#include "gatekeeper/rollout/selector.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper::rollout {
namespace {

absl::Status NoSelector(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("selector '", Printable(text, 128),
                   "' is not of the form label=value, several with commas between"));
}

size_t LabelsIn(absl::string_view selector) {
  return static_cast<size_t>(std::count(selector.begin(), selector.end(), ',')) +
         (selector.empty() ? 0 : 1);
}

}  // namespace

absl::StatusOr<std::string> ReadSelector(absl::string_view text) {
  if (text.empty()) return std::string();
  if (text.size() > kMaxSelectorBytes || LabelsIn(text) > kMaxSelectorLabels)
    return NoSelector(text);
  std::map<std::string, std::string> labels;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const std::pair<std::string, std::string> label = absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (label.first.empty() || label.second.empty()) return NoSelector(text);
    const auto [known, added] = labels.insert(label);
    if (!added && known->second != label.second) return NoSelector(text);
  }
  return absl::StrJoin(labels, ",", absl::PairFormatter("="));
}

bool Fits(absl::string_view selector, const std::map<std::string, std::string>& labels) {
  if (selector.empty()) return true;
  for (const absl::string_view part : absl::StrSplit(selector, ',')) {
    const size_t equals = part.find('=');
    if (equals == absl::string_view::npos) return false;
    const auto label = labels.find(std::string(part.substr(0, equals)));
    if (label == labels.end() || label->second != part.substr(equals + 1)) return false;
  }
  return true;
}

bool IsMoreSpecific(absl::string_view a, absl::string_view b) {
  const size_t of_a = LabelsIn(a), of_b = LabelsIn(b);
  return of_a != of_b ? of_a > of_b : a < b;
}

std::string ForWhom(absl::string_view selector) {
  return selector.empty() ? "all hosts without a more specific one" : std::string(selector);
}

}  // namespace bootgate::gatekeeper::rollout
