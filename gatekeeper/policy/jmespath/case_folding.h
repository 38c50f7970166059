// Unicode simple case folding.
//
// Implements: the Unicode Standard, section 3.13, with the folds of status C and S of
// CaseFolding.txt (14.0); used by J1 of the policy language specification.
#pragma once

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::policy::jmespath {

char32_t FoldCase(char32_t code_point);

// Both must be UTF-8. No locale: the Turkish i is not special.
bool EqualIgnoringCase(absl::string_view a, absl::string_view b);

}  // namespace bootgate::gatekeeper::policy::jmespath
