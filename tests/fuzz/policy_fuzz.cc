// Any text is read or refused at a place inside it; what was read evaluates the same every time.
//
// A first byte of 1, 2 or 3 puts the rest as rules into a policy that is otherwise right, so that
// the fuzzer gets past the frame; anything else is a whole policy.
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/policy/format_error.h"
#include "gatekeeper/policy/policy.h"

namespace {

using bootgate::AsText;
using bootgate::gatekeeper::Claim;
using bootgate::gatekeeper::Issuer;
using bootgate::gatekeeper::policy::Decision;
using bootgate::gatekeeper::policy::Evaluate;
using bootgate::gatekeeper::policy::Evaluation;
using bootgate::gatekeeper::policy::FormatError;
using bootgate::gatekeeper::policy::FormatWarning;
using bootgate::gatekeeper::policy::ParseError;
using bootgate::gatekeeper::policy::Policy;

void Require(bool holds) {
  if (!holds) __builtin_trap();
}

std::string Framed(absl::string_view input) {
  if (input.empty()) return "";
  const absl::string_view rest = input.substr(1);
  switch (input[0]) {
    case '1':
      return absl::StrCat("version=1.2;authorizationrules{", rest, "};");
    case '2':
      return absl::StrCat("version=1.2;authorizationrules{=>permit();};issuancerules{", rest, "};");
    case '3':
      return absl::StrCat("version=1.2;configurationrules{", rest, "};authorizationrules{};");
    default:
      return std::string(input);
  }
}

// The column may stand one behind the last code point: the end of the text.
void RequireInside(absl::string_view text, int line, int column) {
  Require(line >= 1 && column >= 1);
  for (int at = 1; at < line; ++at) {
    const size_t end = text.find('\n');
    Require(end != absl::string_view::npos);
    text.remove_prefix(end + 1);
  }
  Require(static_cast<size_t>(column) <= text.substr(0, text.find('\n')).size() + 1);
}

void RequirePrintable(absl::string_view shown) {
  for (const char c : shown) Require(static_cast<uint8_t>(c) >= 0x20 || c == '\n');
}

const std::vector<Claim>& Incoming() {
  static const std::vector<Claim> claims = {
      {"a", true, Issuer::kAttestationService, false},
      {"a", int64_t{1}, Issuer::kCustomClaim, false},
      {"b", std::string("[1, \"x\", null]"), Issuer::kAttestationService, false},
      {"pcrs", std::string("{}"), Issuer::kAttestationService, true},
  };
  return claims;
}

void RequireSameOutcome(const Evaluation& a, const Evaluation& b) {
  Require(a.decision == b.decision && a.outgoing == b.outgoing && a.properties == b.properties);
  Require(a.deny_rule_line == b.deny_rule_line && a.error_kind == b.error_kind);
  Require(a.error_line == b.error_line && a.message == b.message);
}

void RequireSound(const Evaluation& evaluation) {
  Require((evaluation.decision == Decision::kError) == !evaluation.error_kind.empty());
  Require(evaluation.decision == Decision::kPermit || evaluation.outgoing.empty());
  for (const Claim& claim : evaluation.outgoing) {
    Require(claim.issuer == Issuer::kAttestationPolicy && !claim.read_only);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text = Framed(AsText({data, size}));
  ParseError error;
  const auto policy = Policy::Read(text, &error);
  if (!policy) {
    RequireInside(text, error.line, error.column);
    Require(!error.kind.empty() && !error.message.empty());
    RequirePrintable(FormatError("fuzz", text, error));
    return 0;
  }
  for (const auto& warning : policy->warnings()) {
    RequireInside(text, warning.line, warning.column);
    RequirePrintable(FormatWarning("fuzz", text, warning));
  }
  const Evaluation first = Evaluate(*policy, Incoming());
  RequireSound(first);
  RequireSameOutcome(first, Evaluate(*Policy::Read(text, &error), Incoming()));
  return 0;
}
