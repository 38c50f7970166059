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
  auto bytes = reference::WriteSet(draft);
  Require(bytes.ok());
  auto set = reference::ImaSet::FromBytes(*std::move(bytes));
  Require(set.ok());
  return *std::move(set);
}

void CheckJudging(const List& list) {
  static const auto* const rules = new reference::ImaReference(Rules());
  static const auto* const sets = new std::vector<std::shared_ptr<const reference::ImaSet>>{Set()};
  facts::Facts kept;
  for (const bootgate::ima::Entry& entry : list.entries()) facts::AddEntry(entry, kept);
  std::vector<reference::MeasuredKey> measured;
  for (const facts::MeasuredKey& key : facts::KeysOf(kept))
    measured.push_back({key.keyring, key.certificate});
  const reference::SigningKeys keys = reference::KeysThatCount(rules->rules, measured);
  const auto judge = [&](size_t entries) {
    return reference::JudgeEntries(
        {.reference = *rules, .sets = *sets, .keys = keys, .at = absl::UnixEpoch()}, list, entries);
  };
  const reference::JudgedEntries whole = judge(list.entries().size());
  const reference::JudgedEntries half = judge(list.entries().size() / 2);
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
