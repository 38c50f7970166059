// Any text is read or refused at a place inside it; what was read prints as a text that reads as
// the same program, and evaluates the same every time: compiled anew, with a trace, and with its
// JSON claim as a document or as text.
//
// A first byte of 1, 2 or 3 puts the rest as rules into a policy that is otherwise right, so that
// the fuzzer gets past the frame; anything else is a whole policy.
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/json/parse.h"
#include "gatekeeper/policy/ast.h"
#include "gatekeeper/policy/format_error.h"
#include "gatekeeper/policy/limits.h"
#include "gatekeeper/policy/lint.h"
#include "gatekeeper/policy/policy.h"
#include "gatekeeper/policy/print.h"

namespace {

using bootgate::AsText;
using bootgate::gatekeeper::Claim;
using bootgate::gatekeeper::Issuer;
using bootgate::gatekeeper::policy::Decision;
using bootgate::gatekeeper::policy::Document;
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

constexpr char kEvents[] =
    R"({"Events":[{"EventSeq":0,"PcrIndex":7,"ProcessedData":{"UnicodeName":"SecureBoot"}},)"
    R"({"EventSeq":1,"PcrIndex":12,"ProcessedData":{}}],"n":[1,2.5,"x",null,true]})";

const std::vector<Claim>& PlainClaims() {
  static const std::vector<Claim> claims = {
      {"a", true, Issuer::kAttestationService, false},
      {"a", int64_t{1}, Issuer::kCustomClaim, false},
      {"b", std::string("[1, \"x\", null]"), Issuer::kAttestationService, false},
      {"q", std::string("n[?@ > `1`]"), Issuer::kCustomClaim, false},
      {"pcrs", std::string("{}"), Issuer::kAttestationService, true},
  };
  return claims;
}

Evaluation WithText(const Policy& policy) {
  std::vector<Claim> claims = PlainClaims();
  claims.push_back({"events", std::string(kEvents), Issuer::kAttestationService, false});
  return Evaluate(policy, claims);
}

Evaluation WithDocument(const Policy& policy, bool trace) {
  const std::vector<Document> documents = {
      {"events", Issuer::kAttestationService, false, [](bootgate::gatekeeper::json::Arena& arena) {
         return bootgate::gatekeeper::json::Parse(kEvents, arena).value();
       }}};
  return Evaluate(policy, {.claims = PlainClaims(), .documents = documents}, {.trace = trace});
}

// Text can cost what a document does not: a budget may end at another place.
bool IsLimit(const Evaluation& evaluation) {
  return evaluation.error_kind == bootgate::gatekeeper::policy::kLimitKind;
}

void RequirePrintsAsItself(const Policy& policy) {
  const std::string printed = Print(policy.program());
  if (printed.size() > bootgate::gatekeeper::policy::kMaxTextBytes) return;
  ParseError error;
  const auto again = Policy::Read(printed, &error);
  Require(again.has_value() && SameProgram(policy.program(), again->program()));
  Require(Print(again->program()) == printed);
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
  for (const auto& finding : Lint(*policy)) RequireInside(text, finding.line, finding.column);
  RequirePrintsAsItself(*policy);
  const Evaluation first = WithDocument(*policy, false);
  RequireSound(first);
  RequireSameOutcome(first, WithDocument(*Policy::Read(text, &error), true));
  const Evaluation of_text = WithText(*policy);
  if (!IsLimit(first) && !IsLimit(of_text)) RequireSameOutcome(first, of_text);
  return 0;
}
