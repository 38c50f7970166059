#include "gatekeeper/cli/ima_list_judge.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gatekeeper/appraisal/ima/boot_aggregate.h"
#include "gatekeeper/appraisal/ima/entry_checks.h"
#include "gatekeeper/appraisal/notes.h"

namespace bootgate::gatekeeper::cli {
namespace {

using appraisal::ima_list::AggregateCheck;
using appraisal::ima_list::EntryChecks;

class Judge : public ImaListJudge {
 public:
  Judge(ImaJudging judging, reference::RulesOfSets of_sets)
      : sets_(std::move(judging.sets)),
        of_sets_(std::move(of_sets)),
        reference_{.present = true, .rules = std::move(judging.rules)},
        keys_(reference::KeysThatCount(reference_.rules, {}, of_sets_)),
        notes_(out_.findings, claims_, out_.coverage),
        checks_({.tolerance = tolerance_}, notes_),
        aggregates_({}, notes_),
        entries_({.reference = reference_,
                  .sets = sets_,
                  .keys = keys_,
                  .at = judging.at,
                  .records = reference::UnlistedRecords::kCount,
                  .of_sets = &of_sets_}) {}

  void Add(const ima::Entry& entry) override {
    ++out_.entries;
    checks_.Check(entry);
    aggregates_.Check(entry);
    entries_.Add(entry);
  }

  void Flush() override { entries_.Flush(); }

  ImaListJudged Finish() override {
    checks_.Finish();
    aggregates_.Finish();
    out_.violations = checks_.violations();
    out_.counts = entries_.Finish();
    const std::vector<Finding> more = std::exchange(out_.counts.findings, {});
    out_.findings.insert(out_.findings.end(), more.begin(), more.end());
    std::ranges::stable_sort(out_.findings, {}, [](const Finding& finding) {
      return finding.event.value_or(UINT32_MAX);  // "and 200 more" at the end
    });
    AddCoverage();
    return std::move(out_);
  }

 private:
  void AddCoverage() {
    const auto not_checked = [this](uint64_t count, absl::string_view what, std::string why) {
      if (count > 0) notes_.NotChecked(absl::StrCat(count, what), std::move(why));
    };
    const reference::JudgedEntries& counts = out_.counts;
    not_checked(counts.excluded, " files of excluded paths", "a set excludes them");
    not_checked(counts.ignored_keys, " keys loaded into keyrings that a set leaves out",
                "the set says so");
    not_checked(counts.unlisted_records, " records of the kernel", "no set lists them");
    if (reference_.rules.signatures == reference::SignatureRule::kIgnore && !keys_.empty()) {
      notes_.NotChecked("signatures of files", "they are ignored (--signatures)");
    }
  }

  const std::vector<std::shared_ptr<const reference::ImaSet>> sets_;
  const reference::RulesOfSets of_sets_;
  const reference::ImaReference reference_;
  const reference::SigningKeys keys_;
  const appraisal::ima_list::Tolerance tolerance_;
  ImaListJudged out_;
  std::vector<Claim> claims_;
  appraisal::Notes notes_;
  EntryChecks checks_;
  AggregateCheck aggregates_;
  reference::EntryJudge entries_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ImaListJudge>> ImaListJudge::Make(ImaJudging judging) {
  reference::RulesOfSets of_sets = reference::RulesThatComeWith(judging.sets);
  if (!of_sets.unusable.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(of_sets.unusable, "; "));
  }
  return std::make_unique<Judge>(std::move(judging), std::move(of_sets));
}

}  // namespace bootgate::gatekeeper::cli
