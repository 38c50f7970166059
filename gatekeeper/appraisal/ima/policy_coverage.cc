#include "gatekeeper/appraisal/ima/policy_coverage.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper::appraisal::ima_list {
namespace {

constexpr size_t kMaxRule = 200;  // bytes of a rule in a sentence

struct Subject {
  absl::string_view name;  // in the claim
  absl::string_view what;  // in a sentence
  std::vector<absl::string_view> functions;
};

const std::vector<Subject>& Subjects() {
  static const auto* const subjects = new std::vector<Subject>{
      {"executables", "programs that are started", {"BPRM_CHECK", "CREDS_CHECK"}},
      {"libraries", "files mapped to be executed, such as libraries", {"MMAP_CHECK", "FILE_MMAP"}},
      {"files",
       "files that are read, scripts run by an interpreter among them",
       {"FILE_CHECK", "PATH_CHECK"}},
      {"modules", "kernel modules", {"MODULE_CHECK"}},
      {"firmware", "firmware that drivers load", {"FIRMWARE_CHECK"}},
      {"kexec", "kernels for kexec", {"KEXEC_KERNEL_CHECK"}},
      {"policy", "new IMA policies", {"POLICY_CHECK"}},
      {"keys", "keys loaded into keyrings", {"KEY_CHECK"}},
      {"critical_data", "critical data of the kernel", {"CRITICAL_DATA"}},
      {"kexec_command_line", "command lines for kexec", {"KEXEC_CMDLINE"}}};
  return *subjects;
}

struct Rule {
  absl::string_view text;
  bool measures = false;
  absl::string_view function;                 // "" : any
  std::vector<absl::string_view> conditions;  // but for func, mask and what only shapes the entry
};

// Says how a measurement is made, not of what.
bool IsShape(absl::string_view word) {
  for (const absl::string_view head :
       {"mask=", "pcr=", "template=", "permit_directio", "digest_type=", "appraise_"}) {
    if (absl::StartsWith(word, head)) return true;
  }
  return false;
}

std::vector<Rule> RulesOf(absl::string_view policy) {
  std::vector<Rule> rules;
  for (const absl::string_view line :
       absl::StrSplit(policy.substr(0, kMaxPolicyText), '\n', absl::SkipWhitespace())) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty() || (words[0] != "measure" && words[0] != "dont_measure")) continue;
    Rule rule{.text = line, .measures = words[0] == "measure", .function = {}, .conditions = {}};
    for (size_t i = 1; i < words.size(); ++i) {
      if (absl::StartsWith(words[i], "func="))
        rule.function = words[i].substr(5);
      else if (!IsShape(words[i]))
        rule.conditions.push_back(words[i]);
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

bool IsOf(const Rule& rule, const Subject& subject) {
  return rule.function.empty() ||
         std::ranges::find(subject.functions, rule.function) != subject.functions.end();
}

class CoverageMaker {
 public:
  explicit CoverageMaker(std::vector<Rule> rules) : rules_(std::move(rules)) {}

  PolicyCoverage Run() {
    for (const Subject& subject : Subjects()) Look(subject);
    for (const Rule& rule : rules_) {
      if (!rule.measures) Leave(rule);
    }
    return std::move(out_);
  }

 private:
  // Measured without conditions, under conditions, or not at all.
  void Look(const Subject& subject) {
    std::vector<absl::string_view> conditional;
    for (const Rule& rule : rules_) {
      if (!IsOf(rule, subject)) continue;
      if (!rule.measures && rule.conditions.empty()) break;  // nothing after it is measured
      if (!rule.measures) continue;
      if (rule.conditions.empty()) {
        out_.measured.emplace_back(subject.name);
        return;
      }
      conditional.push_back(rule.text);
    }
    if (conditional.empty()) {
      Note(absl::StrCat("IMA: ", subject.what), "no rule of the host's IMA policy measures them");
      return;
    }
    out_.measured.emplace_back(subject.name);
    Note(absl::StrCat("IMA: ", subject.what, ", all others"),
         absl::StrCat("the host's IMA policy measures only: ",
                      Printable(absl::StrJoin(conditional, "; "), kMaxRule)));
  }

  void Leave(const Rule& rule) {
    if (rule.conditions.empty() && rule.function.empty()) return;  // said for each subject
    Note(absl::StrCat(
             "IMA: ", Printable(absl::StrJoin(rule.conditions, " "), kMaxRule),
             rule.function.empty() ? "" : absl::StrCat(" (", Printable(rule.function, 32), ")")),
         absl::StrCat("the host's IMA policy leaves it out: ", Printable(rule.text, kMaxRule)));
  }

  void Note(std::string what, std::string why) {
    if (out_.not_measured.size() < kMaxPolicyNotes)
      out_.not_measured.push_back({std::move(what), std::move(why)});
  }

  const std::vector<Rule> rules_;
  PolicyCoverage out_;
};

}  // namespace

PolicyCoverage CoverageOf(absl::string_view policy) { return CoverageMaker(RulesOf(policy)).Run(); }

}  // namespace bootgate::gatekeeper::appraisal::ima_list
