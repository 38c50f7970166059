#include "gatekeeper/cli/labels.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper::cli {

absl::StatusOr<Labels> ParseLabels(const std::vector<std::string>& texts) {
  Labels out;
  for (const std::string& text : texts) {
    for (const absl::string_view label : absl::StrSplit(text, ',')) {
      const std::pair<std::string, std::string> parts =
          absl::StrSplit(label, absl::MaxSplits('=', 1));
      if (parts.first.empty() || parts.second.empty()) {
        return absl::InvalidArgumentError(absl::StrCat("label '", Printable(label, kMaxLabelBytes),
                                                       "' is not of the form "
                                                       "name=value"));
      }
      if (parts.first.size() > kMaxLabelBytes || parts.second.size() > kMaxLabelBytes ||
          out.size() == kMaxLabels) {
        return absl::InvalidArgumentError(absl::StrCat("a label is longer than ", kMaxLabelBytes,
                                                       " bytes, or there are more than ",
                                                       kMaxLabels));
      }
      if (!out.insert(parts).second) {
        return absl::InvalidArgumentError(
            absl::StrCat("label '", Printable(parts.first, kMaxLabelBytes), "' stands twice"));
      }
    }
  }
  return out;
}

std::string FormatLabels(const Labels& labels) {
  return absl::StrJoin(labels, ",", absl::PairFormatter("="));
}

}  // namespace bootgate::gatekeeper::cli
