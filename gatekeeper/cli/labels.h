// Labels as operators write them: name=value, several with commas or one by one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace bootgate::gatekeeper::cli {

using Labels = std::map<std::string, std::string>;

inline constexpr size_t kMaxLabels = 64;
inline constexpr size_t kMaxLabelBytes = 256;  // of a name, of a value

// "role=db", "rack=7,row=3". kInvalidArgument names the one that is none, or that stands twice.
absl::StatusOr<Labels> ParseLabels(const std::vector<std::string>& texts);
std::string FormatLabels(const Labels& labels);  // "rack=7,row=3"; empty when there are none

}  // namespace bootgate::gatekeeper::cli
