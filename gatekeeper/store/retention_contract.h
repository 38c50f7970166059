// The promises of Store::Sweep, for every backend to keep. Test only; belongs to store_contract.h.
#pragma once

#include "gatekeeper/store/incident_contract.h"

namespace bootgate::gatekeeper::store {

class RetentionContract : public FleetContract {
 protected:
  static constexpr char kActor[] = "gatekeeper";

  // A verdict of host `number` at that second; its id.
  std::string Judge(int number, int64_t at) {
    Commit commit = Put(store_->GetHost(Host(number).id).value());
    commit.verdict.emplace();
    commit.verdict->id = absl::StrCat("v-", number, "-", at);
    commit.verdict->host_id = Host(number).id;
    commit.verdict->at = At(at);
    commit.verdict->outcome = "DENY";
    EXPECT_THAT(store_->Apply(commit), testing::IsOk());
    return commit.verdict->id;
  }
  // An incident "i-NUMBER" with that evidence, closed then; nullopt: still open.
  void Freeze(int number, const std::vector<std::string>& texts, std::optional<int64_t> closed_at) {
    Denied(number);
    Commit commit;
    commit.audit = {Audit("freeze")};
    commit.incident = store_->GetIncident(absl::StrCat("i-", number)).value();
    if (closed_at.has_value()) {
      commit.incident->state = "closed";
      commit.incident->closed_at = At(*closed_at);
    }
    for (const std::string& text : texts) {
      commit.blobs.push_back(Blob(text));
      commit.incident_evidence[text] = Blob(text).first;
    }
    ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  }
  bool Has(const std::string& text) { return store_->GetBlob(Blob(text).first).ok(); }
  bool HasVerdict(const std::string& id) { return store_->GetVerdict(id).ok(); }
  Swept SweepBefore(int64_t at, int limit = 100) {
    return store_
        ->Sweep({.verdicts_before = At(at), .evidence_before = At(at), .limit = limit}, kActor,
                At(at))
        .value();
  }
};

TEST_P(RetentionContract, EvidenceOfIncidentsClosedLongAgoGoesAndNoOther) {
  Freeze(1, {"old"}, 10);
  Freeze(2, {"open"}, std::nullopt);
  Freeze(3, {"young"}, 200);
  const Swept swept = SweepBefore(100);
  EXPECT_EQ(swept.incidents, 1);
  EXPECT_EQ(swept.blobs, 1);
  EXPECT_FALSE(Has("old"));
  EXPECT_TRUE(store_->GetEvidence("i-1")->empty());
  EXPECT_TRUE(Has("open"));
  EXPECT_TRUE(Has("young"));
  EXPECT_EQ(store_->GetEvidence("i-2")->size(), 1u);
  EXPECT_THAT(store_->GetIncident("i-1"), testing::IsOk());
}

TEST_P(RetentionContract, CredentialsThatEndedLongAgoGoUnlessTheyWereRevoked) {
  Commit commit = Put(Stored(1));
  for (const char* const serial : {"0a", "0b", "0c"})
    commit.issued.push_back(Credential(serial, commit.host->id));
  commit.issued[1].not_after = At(200);
  commit.issued[0].not_after = commit.issued[2].not_after = At(50);
  commit.issued[2].revoked = true;
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  EXPECT_EQ(SweepBefore(100).credentials, 1);
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<CredentialRow> left,
                          store_->ListCredentials(commit.host->id));
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].serial, "0b");
  EXPECT_EQ(left[1].serial, "0c");
  EXPECT_EQ(SweepBefore(100).credentials, 0);
}

TEST_P(RetentionContract, BlobStaysWhileAnybodyNamesIt) {
  Freeze(1, {"shared", "own"}, 10);
  Freeze(2, {"shared"}, std::nullopt);
  EXPECT_EQ(SweepBefore(100).blobs, 1);
  EXPECT_TRUE(Has("shared"));
  EXPECT_FALSE(Has("own"));
}

TEST_P(RetentionContract, WhatAHostWasLastAdmittedWithStays) {
  Freeze(1, {"log"}, 10);
  Commit commit = Put(store_->GetHost(Host(1).id).value());
  commit.blobs = {Blob("log"), Blob("pcrs")};
  commit.admitted_evidence = {{"boot_log", Blob("log").first}, {"pcrs", Blob("pcrs").first}};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  SweepBefore(100);
  EXPECT_TRUE(Has("log"));
  EXPECT_TRUE(Has("pcrs"));
  EXPECT_EQ(store_->GetEvidence(Host(1).id)->size(), 2u);
}

TEST_P(RetentionContract, WhatWasAdmittedBeforeGoesAtOnceUnlessItIsNamed) {
  Freeze(1, {"log 1"}, std::nullopt);
  Commit commit = Put(store_->GetHost(Host(1).id).value());
  commit.blobs = {Blob("log 1"), Blob("pcrs 1")};
  commit.admitted_evidence = {{"boot_log", Blob("log 1").first}, {"pcrs", Blob("pcrs 1").first}};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  commit.host = store_->GetHost(Host(1).id).value();
  commit.blobs = {Blob("log 2")};
  commit.admitted_evidence = {{"boot_log", Blob("log 2").first}};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  EXPECT_TRUE(Has("log 1"));
  EXPECT_TRUE(Has("log 2"));
  EXPECT_FALSE(Has("pcrs 1"));
}

TEST_P(RetentionContract, OldVerdictsGoButNotTheOnesThatMatter) {
  Freeze(1, {"one"}, std::nullopt);
  const std::string old = Judge(1, 1), opened = Judge(1, 2), newest = Judge(1, 3);
  Commit commit;
  commit.audit = {Audit("x")};
  commit.incident = store_->GetIncident("i-1").value();
  commit.incident->first_verdict_id = opened;
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  EXPECT_EQ(SweepBefore(100).verdicts, 1);
  EXPECT_FALSE(HasVerdict(old));
  EXPECT_TRUE(HasVerdict(opened));  // of an open incident
  EXPECT_TRUE(HasVerdict(newest));  // the host's last
}

TEST_P(RetentionContract, VerdictOfEvidenceThatIsKeptStays) {
  Freeze(1, {"young"}, std::nullopt);
  const std::string verdict = Judge(1, 1);
  Judge(1, 2);
  Commit commit;
  commit.audit = {Audit("close")};
  commit.incident = store_->GetIncident("i-1").value();
  commit.incident->first_verdict_id = commit.incident->last_verdict_id = verdict;
  commit.incident->state = "closed";
  commit.incident->closed_at = At(200);
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  EXPECT_EQ(SweepBefore(100).verdicts, 0);
  EXPECT_TRUE(HasVerdict(verdict));
  SweepBefore(300);
  EXPECT_FALSE(HasVerdict(verdict));
}

TEST_P(RetentionContract, SweepIsBoundedAndSaysWhetherThereIsMore) {
  Denied(1);
  for (int64_t at = 1; at <= 5; ++at) Judge(1, at);
  const Swept first = SweepBefore(100, 3);
  EXPECT_EQ(first.verdicts, 3);
  EXPECT_TRUE(first.more);
  const Swept second = SweepBefore(100, 3);
  EXPECT_EQ(second.verdicts, 1);
  EXPECT_FALSE(second.more);
}

TEST_P(RetentionContract, SweepIsAuditedAndTheTrailStays) {
  Freeze(1, {"old"}, 10);
  const size_t rows = store_->ListAudit(0, 1000)->size();
  SweepBefore(100);
  const std::vector<AuditRow> after = store_->ListAudit(0, 1000).value();
  ASSERT_EQ(after.size(), rows + 1);
  EXPECT_EQ(after.back().action, "retention");
  EXPECT_EQ(after.back().actor, kActor);
  SweepBefore(100);
  EXPECT_EQ(store_->ListAudit(0, 1000)->size(), rows + 1);  // nothing to do: nothing to say
}

}  // namespace bootgate::gatekeeper::store
