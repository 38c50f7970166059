#include "common/ima/list_builder.h"
#include "gatekeeper/reference/policy_trace.h"
#include "gatekeeper/reference/reference.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::reference {
namespace {

using ::bootgate::testing::AddField;
using ::bootgate::testing::DigestField;
using ::bootgate::testing::ListBuilder;
using ::bootgate::testing::PathField;
using ::testing::ElementsAre;

// A measured buffer: a sign of the IMA policy that was in force.
ListBuilder& AddBuffer(ListBuilder& list, absl::string_view name) {
  bytes::Writer data;
  AddField(data, DigestField(crypto::HashAlg::kSha256, "buffer"));
  AddField(data, PathField(name));
  AddField(data, AsBytes("buffer"));
  return list.Entry("ima-buf", data.view());
}

Reference Learned(ListBuilder& good, Unlisted unlisted) {
  static const eventlog::Log no_log = eventlog::Log::Parse({});
  const Bytes bytes = good.Finish();
  const ima::List list = ima::List::Parse(bytes);
  return Learn({.log = no_log,
                .banks = {},
                .ima = &list,
                .ima_entries = list.entries().size(),
                .unlisted = unlisted});
}

ImaComparison Compare(const Reference& reference, ListBuilder& list, const ImaProgress* before,
                      ImaProgress* progress) {
  const Bytes bytes = list.Finish();
  const ima::List parsed = ima::List::Parse(bytes);
  const size_t entries = parsed.entries().size();
  if (before != nullptr) progress->notes = before->notes;
  progress->entries = (before != nullptr ? before->entries : 0) + entries;
  return CompareIma(reference, parsed, entries, before, progress);
}

std::vector<std::pair<Reason, Severity>> Kinds(const std::vector<Finding>& findings) {
  std::vector<std::pair<Reason, Severity>> kinds;
  for (const Finding& finding : findings) kinds.emplace_back(finding.code, finding.severity);
  return kinds;
}

constexpr std::pair kUnlistedWarning(Reason::kImaUnlisted, Severity::kWarning);
constexpr std::pair kPolicyDiffers(Reason::kImaPolicyDiffers, Severity::kWarning);

TEST(CompareIma, LaterEntriesAreNumberedFromTheListsFirst) {
  ListBuilder good, first, later;
  const Reference reference = Learned(good.Ng("/bin/a", "a"), Unlisted::kFail);
  ImaProgress before, after;
  EXPECT_TRUE(Compare(reference, first.Ng("/bin/a", "a"), nullptr, &before).findings.empty());
  const ImaComparison compared =
      Compare(reference, later.Ng("/bin/a", "a").Ng("/bin/b", "b"), &before, &after);
  ASSERT_EQ(compared.findings.size(), 1u);
  EXPECT_EQ(compared.findings[0].event, 2u);
  EXPECT_FALSE(compared.judge_whole);
}

// While the lists are not comparable, unlisted files are passed with a warning. When they become
// so, the files that were passed must be looked at again.
TEST(CompareIma, EntriesThatMakeTheListsComparableNeedTheWholeList) {
  ListBuilder good, first, more, buffer;
  const Reference reference =
      Learned(AddBuffer(good.Ng("/bin/a", "a"), "selinux-state"), Unlisted::kComparable);
  ImaProgress before, then;
  EXPECT_THAT(Kinds(Compare(reference, first.Ng("/bin/evil", "e"), nullptr, &before).findings),
              ElementsAre(kUnlistedWarning, kPolicyDiffers));
  EXPECT_THAT(Kinds(before.findings), ElementsAre(kUnlistedWarning));
  const ImaComparison same = Compare(reference, more.Ng("/bin/a", "a"), &before, &then);
  EXPECT_FALSE(same.judge_whole);
  EXPECT_THAT(Kinds(same.findings), ElementsAre(kPolicyDiffers));
  EXPECT_TRUE(Compare(reference, AddBuffer(buffer, "selinux-state"), &before, &then).judge_whole);
}

TEST(CompareIma, WhatWasComparableMayCeaseToBe) {
  ListBuilder good, first, later;
  const Reference reference = Learned(good.Ng("/bin/a", "a"), Unlisted::kComparable);
  ImaProgress before, after;
  Compare(reference, first.Ng("/bin/a", "a"), nullptr, &before);
  const ImaComparison compared =
      Compare(reference, AddBuffer(later.Ng("/bin/b", "b"), "kexec-cmdline"), &before, &after);
  EXPECT_FALSE(compared.judge_whole);
  EXPECT_THAT(Kinds(compared.findings),
              ElementsAre(kUnlistedWarning, kUnlistedWarning, kPolicyDiffers));
}

TEST(CompareIma, WithoutTheTraceOfEarlierEntriesTheWholeListIsNeeded) {
  ListBuilder good, later;
  const Reference reference = Learned(good.Ng("/bin/a", "a"), Unlisted::kFail);
  const ImaProgress before = {
      .entries = 1, .registers = {}, .findings = {}, .claims = {}, .not_checked = {}, .notes = {}};
  ImaProgress after;
  EXPECT_TRUE(Compare(reference, later.Ng("/bin/a", "a"), &before, &after).judge_whole);
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference
