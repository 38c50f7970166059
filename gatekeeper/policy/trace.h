// What one evaluation did, rule by rule. Made on request only.
//
// Implements: policy language specification, section 11 ("explain mode"). It holds values of
// claims, custom ones too: for who may see the evidence, never for a log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::policy {

inline constexpr size_t kMaxTracedClaims = 64;   // of one condition, of one rule
inline constexpr size_t kMaxTracedEvents = 64;   // of one claim
inline constexpr size_t kMaxTracedValue = 4096;  // bytes of a value's text
inline constexpr size_t kMaxTracedLinks = 4096;  // in all of a trace: claims of conditions

// A claim that a rule could see. Claims of types that no condition asks for are not listed.
struct TracedClaim {
  std::string type;
  Issuer issuer = Issuer::kAttestationService;
  std::string value_type;
  std::optional<ClaimValue> value;  // nullopt: longer than kMaxTracedValue, or JSON nobody made
  // EventSeq of the boot events that the value came from, as far as its JSON tells; ascending, the
  // first of event_count.
  std::vector<int64_t> events;
  size_t event_count = 0;
};

struct TracedCondition {
  int line = 1, column = 1;
  bool negated = false;
  bool holds = false;
  size_t selected = 0;         // claims
  std::vector<size_t> claims;  // the first of them: numbers in Trace::claims
};

struct TracedRule {
  std::string section;  // "authorizationrules", "issuancerules"
  int line = 1;
  std::string text;                              // as print.h writes it
  std::vector<TracedCondition> conditions;       // those that were tested
  std::optional<size_t> failed_condition;        // from 0: the one that ended the rule
  bool ran = false;                              // its action was done
  std::string error_kind;                        // why it could not be computed; empty: it could
  size_t made = 0;                               // claims that it added, issued, set as property
  std::vector<size_t> made_claims, from_claims;  // the first of them, and of those it names
};

struct Trace {
  std::vector<TracedClaim> claims;  // incoming ones, documents, then those of rules, in order
  std::vector<TracedRule> rules;    // those that were reached; not of configurationrules
};

}  // namespace bootgate::gatekeeper::policy
