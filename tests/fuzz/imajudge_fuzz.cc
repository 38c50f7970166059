// Any bytes as a quoted IMA list: what its records say comes back from its kept form, claims and
// findings are bounded, and more of the list never says less.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "gatekeeper/appraisal/ima/claims.h"
#include "gatekeeper/claims/bounded_findings.h"
#include "gatekeeper/reference/imaset/write.h"
#include "gatekeeper/reference/judge_entries.h"
#include "tests/fuzz/require.h"

namespace {

using bootgate::ByteView;
using bootgate::fuzz::Require;
using bootgate::ima::List;
namespace appraisal = bootgate::gatekeeper::appraisal;
namespace facts = bootgate::gatekeeper::appraisal::ima_list;
namespace reference = bootgate::gatekeeper::reference;

constexpr size_t kKinds = 16;  // of findings, each bounded by itself

void CheckFacts(const List& list) {
  facts::Facts kept;
  for (const bootgate::ima::Entry& entry : list.entries()) facts::AddEntry(entry, kept);
  const auto back = facts::Decode(facts::Encode(kept));
  Require(back.has_value() && *back == kept);
  std::vector<bootgate::gatekeeper::Finding> findings;
  std::vector<bootgate::gatekeeper::Claim> claims;
  bootgate::gatekeeper::Coverage coverage;
  appraisal::Notes notes(findings, claims, coverage);
  facts::AddClaims(kept, notes);
  Require(findings.empty());
}

reference::ImaReference Rules() {
  reference::ImaReference out;
  out.present = true;
  auto rules = reference::ImaRulesFromJson(
      R"({"by_digest":["/tmp/.*"],"excludes":["/var/.*"],"trusted_keyrings":[".ima"],)"
      R"("signatures":"accept","unverified":["/home/.*"],"keyrings":{".machine":[]}})");
  Require(rules.ok());
  out.rules = *std::move(rules);
  return out;
}

std::shared_ptr<const reference::ImaSet> Set() {
  reference::SetDraft draft;
  draft.items.emplace_back();
  draft.items.back().path = "/bin/a";
  draft.items.back().digest = bootgate::Bytes(32, 7);
  draft.rules.excludes = {"^/run/", "\\.pyc$"};
  draft.rules.ignored_keyrings = {".blacklist"};
  auto bytes = reference::WriteSet(draft);
  Require(bytes.ok());
  auto set = reference::ImaSet::FromBytes(*std::move(bytes));
  Require(set.ok());
  return *std::move(set);
}

// In pieces of any size the same comes of it.
void CheckStreamed(const reference::JudgeEntriesInput& input, const List& list,
                   const reference::JudgedEntries& whole) {
  reference::EntryJudge judge(input);
  for (const bootgate::ima::Entry& entry : list.entries()) {
    judge.Add(entry);
    if (entry.number % 3 == 0) judge.Flush();
  }
  const reference::JudgedEntries streamed = judge.Finish();
  Require(streamed.findings.size() == whole.findings.size());
  Require(streamed.looked_up == whole.looked_up && streamed.listed == whole.listed &&
          streamed.excluded == whole.excluded && streamed.ignored_keys == whole.ignored_keys);
}

void CheckJudging(const List& list) {
  static const auto* const rules = new reference::ImaReference(Rules());
  static const auto* const sets = new std::vector<std::shared_ptr<const reference::ImaSet>>{Set()};
  facts::Facts kept;
  for (const bootgate::ima::Entry& entry : list.entries()) facts::AddEntry(entry, kept);
  std::vector<reference::MeasuredKey> measured;
  for (const facts::MeasuredKey& key : facts::KeysOf(kept))
    measured.push_back({key.keyring, key.certificate});
  static const auto* const of_sets =
      new reference::RulesOfSets(reference::RulesThatComeWith(*sets));
  Require(of_sets->unusable.empty() && of_sets->excludes.size() == 1);
  const reference::SigningKeys keys = reference::KeysThatCount(rules->rules, measured, *of_sets);
  const auto with = [&](const reference::RulesOfSets* rules_of_sets) {
    return reference::JudgeEntriesInput{.reference = *rules,
                                        .sets = *sets,
                                        .keys = keys,
                                        .at = absl::UnixEpoch(),
                                        .of_sets = rules_of_sets};
  };
  const auto judge = [&](size_t entries) {
    return reference::JudgeEntries(with(of_sets), list, entries);
  };
  const reference::JudgedEntries whole = judge(list.entries().size());
  const reference::JudgedEntries half = judge(list.entries().size() / 2);
  CheckStreamed(with(of_sets), list, whole);
  // What sets leave out is taken from what is judged, and from nothing else.
  const reference::JudgedEntries plain =
      reference::JudgeEntries(with(nullptr), list, list.entries().size());
  Require(plain.excluded <= whole.excluded && plain.ignored_keys == 0);
  Require(whole.looked_up <= plain.looked_up);
  Require(whole.findings.size() <=
          kKinds * (bootgate::gatekeeper::BoundedFindings::kMaxPerCode + 1));
  Require(half.findings.size() <= whole.findings.size());
  Require(half.looked_up <= whole.looked_up && half.excluded <= whole.excluded);
  Require(judge(SIZE_MAX).findings.size() == whole.findings.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const List list = List::Parse(ByteView(data, size));
  CheckFacts(list);
  CheckJudging(list);
  return 0;
}
