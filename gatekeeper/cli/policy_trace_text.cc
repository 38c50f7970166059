#include "gatekeeper/cli/policy_trace_text.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper::cli {
namespace {

using policy::Trace;
using policy::TracedClaim;
using policy::TracedCondition;
using policy::TracedRule;

constexpr size_t kMaxShownRule = 400;   // bytes
constexpr size_t kMaxShownValue = 120;  // bytes
constexpr size_t kMaxShownClaims = 8;   // of one condition or rule
constexpr size_t kMaxShownEvents = 16;  // of one claim

std::string ValueShown(const TracedClaim& claim) {
  if (!claim.value) return "(a long text)";
  const std::string text = DisplayText(*claim.value);
  return text.size() <= kMaxShownValue ? text : absl::StrCat(text.substr(0, kMaxShownValue), "...");
}

std::string EventsShown(const TracedClaim& claim) {
  if (claim.event_count == 0) return "";
  std::vector<int64_t> first = claim.events;
  if (first.size() > kMaxShownEvents) first.resize(kMaxShownEvents);
  return absl::StrCat(claim.event_count == 1 ? "  from event " : "  from events ",
                      absl::StrJoin(first, ", "),
                      claim.event_count > first.size()
                          ? absl::StrCat(" and ", claim.event_count - first.size(), " more")
                          : "");
}

std::string ClaimShown(const Trace& trace, size_t number) {
  const TracedClaim& claim = trace.claims[number];
  return absl::StrCat("[", number, "] ", Printable(claim.type), " = ", ValueShown(claim), " (",
                      Name(claim.issuer), ")", EventsShown(claim));
}

void AddClaims(const Trace& trace, absl::string_view heading, const std::vector<size_t>& claims,
               size_t count, std::string* out) {
  for (size_t at = 0; at < claims.size() && at < kMaxShownClaims; ++at) {
    absl::StrAppend(out, "      ", heading, " ", ClaimShown(trace, claims[at]), "\n");
  }
  const size_t shown = std::min(claims.size(), kMaxShownClaims);
  if (count > shown) absl::StrAppend(out, "      ", heading, " ", count - shown, " more\n");
}

std::string Ended(const TracedRule& rule) {
  if (!rule.error_kind.empty()) return absl::StrCat("could not be computed: ", rule.error_kind);
  if (rule.ran) return "ran";
  const TracedCondition& failed = rule.conditions[*rule.failed_condition];
  return absl::StrCat(
      "did not run: condition ", *rule.failed_condition + 1,
      failed.negated ? " must select no claim, it selects " : " must select a claim, it selects ",
      failed.selected);
}

void AddRule(const Trace& trace, const TracedRule& rule, std::string* out) {
  absl::StrAppend(out, "line ", rule.line, ": ", Printable(rule.text, kMaxShownRule), "\n    ",
                  Ended(rule), "\n");
  for (size_t at = 0; at < rule.conditions.size(); ++at) {
    const TracedCondition& condition = rule.conditions[at];
    AddClaims(trace, absl::StrCat("condition ", at + 1, " selects"), condition.claims,
              condition.selected, out);
  }
  AddClaims(trace, "made", rule.made_claims, rule.made, out);
}

}  // namespace

std::string TraceTable(const Trace& trace) {
  std::string out;
  absl::string_view section;
  for (const TracedRule& rule : trace.rules) {
    if (section != rule.section) absl::StrAppend(&out, rule.section, "\n");
    section = rule.section;
    AddRule(trace, rule, &out);
  }
  return out;
}

}  // namespace bootgate::gatekeeper::cli
