// Places in a policy text, and the warnings gathered while it is read.
//
// Implements: policy language specification, sections 2.1 (how lines and columns count) and 2.6.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::gatekeeper::policy {

// Line and column from 1; a column counts code points.
struct Place {
  int line = 1, column = 1;
};

// One row per irregular but accepted form.
enum class WarningCode {
  kSingleEquals,      // W001
  kSectionSemicolon,  // W002
  kKeywordCase,       // W003
  kIssueAsAdd,        // W004
  kBackslash,         // W005
  kUnknownSetting,    // W006
  kHexadecimal,       // W007
};

// Keeps the first kMaxWarningsPerCode of each code, in text order.
class WarningList {
 public:
  void Add(WarningCode code, Place place);
  std::vector<Warning> Take() { return std::move(warnings_); }

 private:
  std::vector<Warning> warnings_;
  std::vector<size_t> counts_;
};

}  // namespace bootgate::gatekeeper::policy
