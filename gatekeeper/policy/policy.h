// The Azure Attestation policy language: read once, evaluate many times.
//
// Implements: the policy language specification (docs/policies.md), versions 1.0, 1.1 and 1.2.
// Limits: limits.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/policy/incoming.h"
#include "gatekeeper/policy/trace.h"

namespace bootgate::gatekeeper::policy {

// A problem of the text, at a place: line and column from 1, columns in code points.
struct ParseError {
  // "syntax", "version", "unsupported-version", "section", "unknown-function", "arity", "type",
  // "unbound-identifier", "duplicate-identifier", "overflow", "jmespath", "limit"
  std::string kind;
  int line = 1, column = 1;
  std::string message;  // safe to print
};
struct Warning {
  std::string code;  // "W001" ... "W007"
  int line = 1, column = 1;
  std::string message;
};

// What the configurationrules of a policy ask for, with the language's defaults for what they leave
// out. It must be known, and applied, before evidence is verified.
struct Setting {
  std::string name;
  ClaimValue value;
};
inline constexpr absl::string_view kRequiredPcrMask = "required_pcr_mask";  // a setting's name
inline constexpr uint32_t kAllPcrs = 0xffffff;  // PCR 0 to 23, one bit each
struct Configuration {
  bool require_valid_aik_cert = true;
  uint32_t required_pcr_mask = kAllPcrs;  // bit n: PCR n must be in the quote
  std::vector<Setting> settings;          // as given: one per name, unknown names too
};

struct Program;  // the compiled form: ast.h

// An immutable policy; copies share it. Any thread.
class Policy {
 public:
  // On failure `error`, which must not be null, is filled and the result is nullopt.
  static std::optional<Policy> Read(absl::string_view text, ParseError* error);

  const std::string& id() const { return id_; }  // hex SHA-256 of the text
  const std::string& text() const { return text_; }
  const std::vector<Warning>& warnings() const { return warnings_; }
  const Configuration& configuration() const { return configuration_; }
  const Program& program() const { return *program_; }
  // Whether any rule can see claims of this type: false means that nobody needs to make them. True
  // for every type when a condition does not say by a literal which type it selects.
  bool Reads(absl::string_view claim_type) const;

 private:
  Policy() = default;
  std::string id_, text_;
  std::vector<Warning> warnings_;
  Configuration configuration_;
  std::shared_ptr<const Program> program_;
  bool reads_all_ = false;
  std::vector<std::string> reads_;  // types, sorted
};

enum class Decision { kPermit, kDeny, kError };

struct Evaluation {
  explicit Evaluation(Decision d) : decision(d) {}
  Decision decision;
  std::vector<Claim> outgoing;    // permit: in order of issue, duplicates kept
  std::vector<Claim> properties;  // permit
  std::optional<int>
      deny_rule_line;  // deny: of the rule whose deny() ran; nullopt: nothing permitted
  // error: "type", "multi-valued", "empty-value", "json", "jmespath-syntax", "jmespath-runtime",
  // "overflow", "read-only", "reserved-claim", and kLimitKind
  std::string error_kind;
  int error_line = 0;  // error: of the rule; 0 when no rule had begun
  std::string message;
  std::shared_ptr<const Trace> trace;  // when it was asked for
};
// The evaluation needed more work or memory than one may take.
inline constexpr absl::string_view kLimitKind = "limit";

struct EvaluateOptions {
  bool trace = false;
};

// Pure, deterministic and bounded. The incoming set is what was made from verified evidence, in
// order. Any thread; evaluations share the policy without locks.
Evaluation Evaluate(const Policy& policy, const Incoming& incoming,
                    const EvaluateOptions& options = {});
Evaluation Evaluate(const Policy& policy, const std::vector<Claim>& incoming);

}  // namespace bootgate::gatekeeper::policy
