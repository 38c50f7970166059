// What an IMA policy measures, and what it leaves out.
//
// Implements: Linux Documentation/ABI/testing/ima_policy (rules, one a line). Rules count in order:
// a "dont_measure" before a "measure" takes things out.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::appraisal::ima_list {

inline constexpr size_t kMaxPolicyText = size_t{1} << 20;  // bytes
inline constexpr size_t kMaxPolicyNotes = 64;

struct PolicyCoverage {
  // In this order where measured: "executables", "libraries", "files", "modules", "firmware",
  // "kexec", "policy", "keys", "critical_data", "kexec_command_line".
  std::vector<std::string> measured;
  std::vector<NotChecked> not_measured;  // what, and which rule says so
};

// Lines that are no rules are passed over.
PolicyCoverage CoverageOf(absl::string_view policy);

}  // namespace bootgate::gatekeeper::appraisal::ima_list
