#include "gatekeeper/policy/lint.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/nearest.h"
#include "gatekeeper/claims/claim_names.h"
#include "gatekeeper/policy/ast.h"
#include "gatekeeper/policy/limits.h"
#include "gatekeeper/policy/lint_evidence.h"
#include "gatekeeper/policy/selection.h"

namespace bootgate::gatekeeper::policy {
namespace {

enum Code {
  kPermitsWithoutEvidence,
  kUnknownType,
  kIssuerNotNamed,
  kUnreachable,
  kContradiction,
  kNeverPresent,
  kDenyNeverFires,
  kOpenPcr,
  kUnprovenLog,
  kNeverPermits,
};

// In the order of Code.
constexpr LintRow kRows[] = {
    {"L001", "a rule permits without evidence"},
    {"L002", "a claim type that the gatekeeper does not make and the policy does not add"},
    {"L003", "claims of different issuers satisfy a condition"},
    {"L004", "a rule after one that always denies"},
    {"L005", "a condition that no claim can satisfy"},
    {"L006", "a claim that is not there yet when the rule runs"},
    {"L007", "a deny that can never fire"},
    {"L008", "a register that anybody on the host can reset"},
    {"L009", "logs or registers taken from any issuer"},
    {"L010", "no rule permits"},
};

constexpr size_t kMaxShownName = 64;                // bytes of a name in a message
constexpr std::array<int, 2> kOpenPcrs = {16, 23};  // debug and application support: resettable
constexpr absl::string_view kIndexNames[] = {"PcrIndex", "Index"};

std::string Shown(absl::string_view name) {
  return absl::StrCat("\"", Printable(name, kMaxShownName), "\"");
}

bool IsOpenPcr(int64_t index) {
  return std::find(kOpenPcrs.begin(), kOpenPcrs.end(), index) != kOpenPcrs.end();
}

bool IsOpenPcr(absl::string_view number) {
  int64_t index = 0;
  return absl::SimpleAtoi(number, &index) && IsOpenPcr(index);
}

constexpr char kDigits[] = "0123456789", kEquals[] = " =`";

// "PcrIndex == `16`": whether such a comparison begins or ends what is left of a name in a query.
bool BeginsWithOpenPcr(absl::string_view after) {
  const size_t number = after.find_first_not_of(kEquals);
  if (number == absl::string_view::npos || !absl::StrContains(after.substr(0, number), "==")) {
    return false;
  }
  after.remove_prefix(number);
  return IsOpenPcr(after.substr(0, after.find_first_not_of(kDigits)));
}

bool EndsWithOpenPcr(absl::string_view before) {
  const size_t number = before.find_last_not_of(kEquals);
  if (number == absl::string_view::npos || !absl::StrContains(before.substr(number), "==")) {
    return false;
  }
  before = before.substr(0, number + 1);
  const size_t end = before.find_last_not_of(kDigits);
  return IsOpenPcr(before.substr(end == absl::string_view::npos ? 0 : end + 1));
}

// Whether a query compares a register's number with one of kOpenPcrs.
bool NamesOpenPcr(absl::string_view query) {
  for (const absl::string_view name : kIndexNames) {
    for (size_t at = query.find(name); at != absl::string_view::npos;
         at = query.find(name, at + 1)) {
      const absl::string_view before = query.substr(0, at);
      if (BeginsWithOpenPcr(query.substr(at + name.size())) || EndsWithOpenPcr(before)) return true;
    }
  }
  return false;
}

// JSON claims that a policy should take from the service alone.
bool IsLogOrRegisters(absl::string_view type) {
  return type == "events" || type == "bootEvents" || type == "pcrs";
}

class Linter {
 public:
  explicit Linter(const Program& program) : program_(program) {}

  std::vector<Warning> Run() && {
    NoteAdded(program_.authorization);
    NoteAdded(program_.issuance);
    for (const Rule& rule : program_.configuration) CheckSetting(rule);
    for (const Rule& rule : program_.authorization) CheckRule(rule);
    if (!permits_) Say(kNeverPermits, {}, "no rule permits: every host is denied");
    for (const Rule& rule : program_.issuance) CheckRule(rule);
    std::stable_sort(found_.begin(), found_.end(), [](const Warning& a, const Warning& b) {
      return std::tie(a.line, a.column, a.code) < std::tie(b.line, b.column, b.code);
    });
    return std::move(found_);
  }

 private:
  void Say(Code code, Place place, std::string message) {
    if (++counts_[code] > kMaxWarningsPerCode) return;
    found_.push_back({std::string(kRows[code].code), place.line, place.column, std::move(message)});
  }

  // Which types the policy adds, and where first.
  void NoteAdded(const std::vector<Rule>& rules) {
    for (const Rule& rule : rules) {
      if (const auto* made = std::get_if<ClaimArguments>(&rule.action.arguments)) {
        const std::string* const type = StringLiteralOf(*made->type);
        if (type == nullptr) {
          adds_any_ = true;
        } else {
          first_added_.try_emplace(*type, rule.place.line);
        }
      } else if (const auto* copy = std::get_if<ClaimCopy>(&rule.action.arguments)) {
        const std::string* const type = TypeSelected(rule.conditions[copy->condition]);
        if (type == nullptr) adds_any_ = true;
      }
    }
  }

  void CheckSetting(const Rule& rule) {
    const auto& made = std::get<ClaimArguments>(rule.action.arguments);
    const auto* mask = std::get_if<int64_t>(LiteralOf(*made.value));
    if (mask == nullptr || *StringLiteralOf(*made.type) != kRequiredPcrMask) return;
    for (const int pcr : kOpenPcrs) {
      if ((*mask >> pcr & 1) == 0) continue;
      Say(kOpenPcr, made.value->place,
          absl::StrCat("the mask names PCR ", pcr,
                       ", which anybody on the host can reset: it proves nothing"));
    }
  }

  void CheckRule(const Rule& rule) {
    if (always_denies_) {
      Say(kUnreachable, rule.place,
          absl::StrCat("never reached: the rule at line ", *always_denies_, " always denies"));
    }
    bool possible = !always_denies_.has_value();
    for (const Condition& condition : rule.conditions) {
      possible = CheckCondition(condition) && possible;
      for (const Comparison& comparison : condition.comparisons) CheckQueries(comparison.right);
    }
    CheckActionQueries(rule.action);
    CheckVerdict(rule, possible);
    evidence_.Add(rule);
    NoteDone(rule);
  }

  void CheckVerdict(const Rule& rule, bool possible) {
    if (rule.action.verb == Verb::kDeny) {
      if (!possible) Say(kDenyNeverFires, rule.action.place, "this deny can never fire");
      if (rule.conditions.empty() && !always_denies_) always_denies_ = rule.place.line;
    }
    if (rule.action.verb != Verb::kPermit || !possible) return;
    permits_ = true;
    if (evidence_.Demanded(rule)) return;
    Say(kPermitsWithoutEvidence, rule.action.place,
        rule.conditions.empty()
            ? "permits every host: no condition asks for evidence"
            : "permits without evidence: no condition asks for what a bad host lacks");
  }

  void NoteDone(const Rule& rule) {
    if (const auto* made = std::get_if<ClaimArguments>(&rule.action.arguments)) {
      if (const std::string* const type = StringLiteralOf(*made->type)) added_.insert(*type);
    } else if (const auto* copy = std::get_if<ClaimCopy>(&rule.action.arguments)) {
      const std::string* const type = TypeSelected(rule.conditions[copy->condition]);
      if (type != nullptr) added_.insert(*type);
    }
  }

  // Whether the condition can hold.
  bool CheckCondition(const Condition& condition) {
    const Selection selection = SelectionOf(condition);
    if (selection.contradiction != nullptr) {
      Say(kContradiction, selection.contradiction->place,
          condition.negated ? "no claim can satisfy all of these: the condition always holds"
                            : "no claim can satisfy all of these: the rule never runs");
      return condition.negated;
    }
    CheckIssuers(condition, selection);
    if (selection.type == nullptr || CanBeThere(selection)) return true;
    SayNotThere(condition, selection);
    return condition.negated;
  }

  bool IsAdded(const std::string& type) const { return adds_any_ || added_.contains(type); }

  bool CanBeThere(const Selection& selection) const {
    const auto from = [&](Issuer issuer) { return (selection.issuers & BitOf(issuer)) != 0; };
    const std::string& type = *selection.type;
    return (from(Issuer::kAttestationService) && FindClaimName(type) != nullptr) ||
           (from(Issuer::kAttestationPolicy) && IsAdded(type)) ||
           (from(Issuer::kCustomClaim) && absl::StartsWith(type, kCustomPrefix));
  }

  void SayNotThere(const Condition& condition, const Selection& selection) {
    const std::string& type = *selection.type;
    const absl::string_view effect =
        condition.negated ? "the condition always holds" : "the rule never runs";
    const auto later = first_added_.find(type);
    if (later != first_added_.end() && !added_.contains(type)) {
      Say(kNeverPresent, condition.place,
          absl::StrCat(Shown(type), " is added by the rule at line ", later->second,
                       ", which is not before this one: ", effect));
    } else if (FindClaimName(type) != nullptr || added_.contains(type)) {
      Say(kNeverPresent, condition.place,
          absl::StrCat("there is no claim ", Shown(type), " of this issuer: ", effect));
    } else {
      const std::string near = Nearest(type);
      Say(kUnknownType, condition.place,
          absl::StrCat("no claim is called ", Shown(type),
                       near.empty() ? "" : absl::StrCat(", did you mean ", Shown(near), "?"),
                       near.empty() ? ": " : " Here ", effect));
    }
  }

  std::string Nearest(const std::string& type) const {
    std::vector<std::string> names;
    for (const ClaimName& claim : ClaimNames()) names.emplace_back(claim.name);
    names.insert(names.end(), added_.begin(), added_.end());
    return NearestName(type, names);
  }

  void CheckIssuers(const Condition& condition, const Selection& selection) {
    const auto from = [&](Issuer issuer) { return (selection.issuers & BitOf(issuer)) != 0; };
    if (condition.negated) return;
    if (selection.type == nullptr) {
      if (from(Issuer::kCustomClaim) && !NamesIssuer(condition)) {
        Say(kIssuerNotNamed, condition.place,
            "without type and issuer a client's custom claim satisfies this too");
      }
      return;
    }
    const std::string& type = *selection.type;
    if (IsLogOrRegisters(type) && selection.issuers == kAllIssuers && !NamesIssuer(condition)) {
      Say(kUnprovenLog, condition.place,
          absl::StrCat("add issuer==\"AttestationService\": ", Shown(type),
                       " should be the proven one"));
    } else if (FindClaimName(type) != nullptr && IsAdded(type) &&
               from(Issuer::kAttestationService) && from(Issuer::kAttestationPolicy) &&
               !NamesIssuer(condition)) {
      Say(kIssuerNotNamed, condition.place,
          absl::StrCat("both the gatekeeper's ", Shown(type),
                       " and the one that this policy adds satisfy this: name the issuer"));
    }
  }

  // Also by an expression, which is then trusted.
  static bool NamesIssuer(const Condition& condition) {
    return std::any_of(
        condition.comparisons.begin(), condition.comparisons.end(),
        [](const Comparison& comparison) { return comparison.property == Property::kIssuer; });
  }

  void CheckActionQueries(const Action& action) {
    if (const auto* made = std::get_if<ClaimArguments>(&action.arguments)) {
      CheckQueries(*made->value);
    }
  }

  // Queries, and parts that queries are made of.
  void CheckQueries(const Expression& expression) {
    const auto* call = std::get_if<Call>(&expression.form);
    if (call == nullptr) return;
    for (const Expression& argument : call->arguments) {
      CheckQueries(argument);
      const std::string* const text = StringLiteralOf(argument);
      if (text == nullptr || !NamesOpenPcr(*text)) continue;
      Say(kOpenPcr, argument.place,
          "PCR 16 and 23 can be reset by anybody on the host: what they show proves nothing");
    }
  }

  const Program& program_;
  std::vector<Warning> found_;
  std::array<size_t, std::size(kRows)> counts_ = {};
  std::map<std::string, int> first_added_;  // type -> line, of all rules
  std::set<std::string> added_;             // by the rules so far
  bool adds_any_ = false;                   // some rule computes the type of what it adds
  bool permits_ = false;
  std::optional<int> always_denies_;  // line
  Evidence evidence_;
};

}  // namespace

absl::Span<const LintRow> LintRows() { return kRows; }

std::vector<Warning> Lint(const Policy& policy) { return Linter(policy.program()).Run(); }

std::optional<ParseError> ResettableProblem(const Policy& policy,
                                            const std::vector<Warning>& found) {
  for (const Setting& setting : policy.configuration().settings) {
    if (setting.name == kAllowResettable && setting.value == ClaimValue(true)) return std::nullopt;
  }
  const auto open = std::find_if(found.begin(), found.end(), [](const Warning& warning) {
    return warning.code == kRows[kOpenPcr].code;
  });
  if (open == found.end()) return std::nullopt;
  return ParseError{"resettable-pcr", open->line, open->column,
                    absl::StrCat(open->message, "; where it is meant, say so by the property ",
                                 kAllowResettable)};
}

}  // namespace bootgate::gatekeeper::policy
