// The Azure Attestation policy language: read once, evaluate many times.
//
// Implements: the policy language specification (docs/policies.md). Version 1.0 now; 1.1 and 1.2
// constructs are read and refused with a clear error where they are not built.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::policy {

// A problem of the text, at a place: line and column from 1, columns in code points.
struct ParseError {
  std::string kind;  // "syntax", "version", "unsupported-version", "section", "unknown-function", ...
  int line = 1, column = 1;
  std::string message;
};
struct Warning {
  std::string code;  // "W001" ... "W007"
  int line = 1, column = 1;
  std::string message;
};

class Program;  // the compiled form

// An immutable policy; copies share it. Any thread.
class Policy {
 public:
  // On failure `error` is filled and the result is nullopt.
  static std::optional<Policy> Read(absl::string_view text, ParseError* error);

  const std::string& id() const { return id_; }  // hex SHA-256 of the text
  const std::string& text() const { return text_; }
  const std::vector<Warning>& warnings() const { return warnings_; }
  const Program& program() const { return *program_; }

 private:
  Policy() = default;
  std::string id_, text_;
  std::vector<Warning> warnings_;
  std::shared_ptr<const Program> program_;
};

enum class Decision { kPermit, kDeny, kError };

struct Evaluation {
  explicit Evaluation(Decision d) : decision(d) {}
  Decision decision;
  std::vector<Claim> outgoing;          // permit: in order of issue, duplicates kept
  std::vector<Claim> properties;        // permit
  std::optional<int> deny_rule_line;    // deny: of the rule whose deny() ran; nullopt: nothing permitted
  std::string error_kind;               // error: "type", "multi-valued", ...
  int error_line = 0;
  std::string message;
};

// Pure and deterministic.
Evaluation Evaluate(const Policy& policy, const std::vector<Claim>& incoming);

}  // namespace bootgate::gatekeeper::policy
