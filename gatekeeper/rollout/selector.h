// Which hosts an assignment is for: labels that a host must bear, all of them. Pure.
//
// The text "role=db,rack=7" is one selector with two labels; "" is the default, for every host.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::rollout {

inline constexpr size_t kMaxSelectorBytes = 1024;
inline constexpr size_t kMaxSelectorLabels = 16;

// The one way to write it: in order of label, nothing twice. Only selectors of this form are
// stored. kInvalidArgument when it is not of the form label=value[,label=value...].
absl::StatusOr<std::string> ReadSelector(absl::string_view text);

// "" fits every host. What is no selector fits none.
bool Fits(absl::string_view selector, const std::map<std::string, std::string>& labels);

// Whether `a` goes before `b` where both fit: more labels before fewer, then in alphabetical order.
bool IsMoreSpecific(absl::string_view a, absl::string_view b);

// For people: "" is "all hosts without a more specific one".
std::string ForWhom(absl::string_view selector);

}  // namespace bootgate::gatekeeper::rollout
