// Findings, claims and verdicts: the vocabulary between formats (left) and rules (right).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/reason.h"
#include "gatekeeper/claims/action.h"

namespace bootgate::gatekeeper {

enum class Severity { kInfo, kWarning, kFail };  // kFail alone makes a DENY
std::string Name(Severity severity);             // "info", "warning", "fail"

// One thing found in evidence. Text fields are safe to print (see Printable).
struct Finding {
  Reason code = Reason::kInternal;
  Severity severity = Severity::kFail;
  std::optional<uint32_t> register_index;
  std::optional<uint32_t> event;  // event number in the boot log, or entry number in the IMA list
  std::string expected, actual;   // short; empty when there is no such side
  std::string text;               // one sentence an operator understands
  std::string path;               // of the file that an IMA entry is about; empty: of none
  // Of one that fails: what it comes to. kObserve: it would have failed, and is a warning instead,
  // by configuration or by the waiver named. None: nobody has asked, or there is nothing to ask.
  std::optional<Action> action = std::nullopt;
  std::string waiver = {};
};

// A claim of the policy language (specification section 3.1).
using ClaimValue = std::variant<bool, int64_t, std::string>;
enum class Issuer { kAttestationService, kAttestationPolicy, kCustomClaim };
std::string Name(Issuer issuer);                     // "AttestationService", ...
std::string ValueTypeName(const ClaimValue& value);  // "Boolean", "Integer", "String"
std::string DisplayText(const ClaimValue& value);    // for people: safe to print, cut when long
struct Claim {
  std::string type;
  ClaimValue value;
  Issuer issuer = Issuer::kAttestationService;
  bool read_only = false;

  friend bool operator==(const Claim&, const Claim&) = default;
};

// What was, and what was not, looked at.
struct NotChecked {
  std::string what, why;
};
struct Coverage {
  std::vector<std::string> checked;
  std::vector<NotChecked> not_checked;
};

// What a policy that is not enforced would have made of the same evidence. Only told: it changes
// nothing.
struct PolicyReport {
  std::string policy_id;
  OutcomeClass outcome = OutcomeClass::kError;  // kError: its evaluation failed by our own fault
  std::vector<Finding> findings;                // of this policy alone
  std::vector<NotChecked> not_checked;          // what it could not see
};

// The outcome of judging evidence. There is no default "pass": the outcome must be given.
struct Verdict {
  explicit Verdict(OutcomeClass outcome_class) : outcome(outcome_class) {}
  OutcomeClass outcome;
  std::vector<Finding> findings;
  std::vector<Claim> claims;  // ADMIT, DENY: what the policy saw and issued
  Coverage coverage;
  std::string policy_id;               // digest of the policy text; empty when there was none
  std::string reference_id;            // digest of the reference; empty when there was none
  std::optional<PolicyReport> report;  // ADMIT, DENY: of the policy that is reported on
};

}  // namespace bootgate::gatekeeper
