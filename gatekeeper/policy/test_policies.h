// Policies and claims for the tests of this room.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::gatekeeper::policy {

inline Policy ReadOrThrow(absl::string_view text) {
  ParseError error;
  auto policy = Policy::Read(text, &error);
  if (!policy) {
    throw std::runtime_error(absl::StrCat(error.line, ":", error.column, ": ", error.message));
  }
  return *std::move(policy);
}

// The error of a text that must not be read, as "KIND LINE:COLUMN"; "read" when it was.
inline std::string RefusalOf(absl::string_view text) {
  ParseError error;
  if (Policy::Read(text, &error)) return "read";
  return absl::StrCat(error.kind, " ", error.line, ":", error.column);
}

// A policy whose line 2 is in the named section and whose authorization permits everything.
inline std::string Issuing(absl::string_view rules, absl::string_view version = "1.2") {
  return absl::StrCat("version=", version, ";authorizationrules{=>permit();};issuancerules{\n",
                      rules, "\n};");
}
inline std::string Authorizing(absl::string_view rules, absl::string_view version = "1.2") {
  return absl::StrCat("version=", version, ";authorizationrules{\n", rules, "\n};");
}

// "permit", "deny" (nothing permitted), "deny LINE", or "error KIND LINE".
inline std::string OutcomeOf(const Evaluation& evaluation) {
  switch (evaluation.decision) {
    case Decision::kPermit:
      return "permit";
    case Decision::kDeny:
      if (!evaluation.deny_rule_line) return "deny";
      return absl::StrCat("deny ", *evaluation.deny_rule_line);
    case Decision::kError:
      return absl::StrCat("error ", evaluation.error_kind, " ", evaluation.error_line);
  }
  __builtin_unreachable();
}

inline const std::vector<Claim> kNoClaims;

inline Claim Proven(std::string type, ClaimValue value) {
  return {std::move(type), std::move(value), Issuer::kAttestationService, false};
}

}  // namespace bootgate::gatekeeper::policy
