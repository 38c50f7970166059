// The claims that the gatekeeper makes from evidence, by name: one table for all who need to know
// them (the policy linter, the operator's tools, docs/policies.md, which a test compares with it).
//
// A claim that is made and that is not here is a defect of this table, never a refusal.
// Implements: policy language specification, section 6; of our own what it does not list.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace bootgate::gatekeeper {

enum class ClaimKind { kBoolean, kInteger, kString, kJson };  // kJson: a String that is JSON text
absl::string_view Name(ClaimKind kind);                       // "Boolean", ..., "JSON"

enum class Occurrence { kOnce, kSeveral };  // kSeveral: one claim for each value

// Which value of the claim a host that must not be admitted cannot show.
enum class Proof {
  kNothing,  // none: any host may have any value
  kTrue,     // true
  kFalse,    // false: said of a proven log only
  kValue,    // the value that a policy asks for
  kInside,   // something in the JSON
};

struct ClaimName {
  absl::string_view name;
  ClaimKind kind;
  Occurrence occurrence;
  Proof proof;
  absl::string_view meaning;  // one line for an operator
};

absl::Span<const ClaimName> ClaimNames();

// nullptr when there is none of this name. Custom claims are not in the table.
const ClaimName* FindClaimName(absl::string_view name);

// Members of a token that are the service's alone: no policy issues them, no host claims them
// (section 3.4).
absl::Span<const absl::string_view> TokenNames();

// What a host claims of its own accord bears this before its name (section 6.5).
inline constexpr absl::string_view kCustomPrefix = "custom:";

}  // namespace bootgate::gatekeeper
