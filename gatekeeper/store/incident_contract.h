// The promises of store.h about incidents, evidence and what others are told, for every backend to
// keep. Test only; belongs to store_contract.h.
#pragma once

#include "gatekeeper/store/store_contract.h"

namespace bootgate::gatekeeper::store {

class FleetContract : public StoreContract {
 protected:
  static IncidentEventRow Event(const std::string& kind, const std::string& text) {
    return {.at = At(11), .actor = "operator alice", .kind = kind, .text = text};
  }
  // The blob of `text`, as a commit carries it.
  static std::pair<std::string, Bytes> Blob(const std::string& text) {
    return {crypto::Hash(crypto::HashAlg::kSha256, AsBytes(text)).hex(), ToBytes(AsBytes(text))};
  }
  // Host `number`, stored, with an open incident "i-<number>".
  host::HostRecord Denied(int number) {
    Commit commit = Put(Stored(number));
    commit.host->trust = host::Trust::kQuarantined;
    commit.incident = Incident(absl::StrCat("i-", number), commit.host->id);
    commit.host->incident_id = commit.incident->id;
    EXPECT_THAT(store_->Apply(commit), testing::IsOk());
    return store_->GetHost(commit.host->id).value();
  }
  std::string Moves(int64_t after) {
    std::string all;
    const std::vector<ChangeRow> rows = store_->ListChanges(after, 100).value();
    for (const ChangeRow& row : rows) {
      absl::StrAppend(&all, row.before, ">", row.after, " ");
    }
    return all;
  }
};

// ---- incidents

TEST_P(FleetContract, IncidentKeepsWhatPeopleWrote) {
  const host::HostRecord host = Denied(1);
  BG_ASSERT_OK_AND_ASSIGN(IncidentRow incident, store_->GetIncident("i-1"));
  EXPECT_EQ(incident.revision, 1u);
  EXPECT_EQ(incident.action, "isolate");
  Commit commit;
  commit.audit = {Audit("incident.resolve")};
  commit.incident = incident;
  commit.incident->state = "resolved";
  commit.incident->assignee = "alice";
  commit.incident->root_cause = "a technician switched Secure Boot off";
  commit.incident->disposition = "misconfiguration";
  commit.incident->ticket = "T-1";
  commit.incident->resolved_by = "alice";
  commit.incident->approved_by = "bob";
  commit.incident->opened_by = "carol";
  commit.incident->resolved_at = At(20);
  commit.incident->approved_at = At(21);
  commit.incident->closed_at = At(22);
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  Reopen();
  BG_ASSERT_OK_AND_ASSIGN(incident, store_->GetIncident("i-1"));
  EXPECT_EQ(incident.revision, 2u);
  EXPECT_EQ(incident.host_id, host.id);
  EXPECT_EQ(incident.state, "resolved");
  EXPECT_EQ(incident.assignee, "alice");
  EXPECT_EQ(incident.root_cause, "a technician switched Secure Boot off");
  EXPECT_EQ(incident.disposition, "misconfiguration");
  EXPECT_EQ(incident.ticket, "T-1");
  EXPECT_EQ(incident.resolved_by, "alice");
  EXPECT_EQ(incident.approved_by, "bob");
  EXPECT_EQ(incident.opened_by, "carol");
  EXPECT_EQ(incident.resolved_at, At(20));
  EXPECT_EQ(incident.approved_at, At(21));
  EXPECT_EQ(incident.closed_at, At(22));
}

TEST_P(FleetContract, TwoWhoChangeAnIncidentAtOnceDoNotOverwriteEachOther) {
  Denied(1);
  Commit first;
  first.audit = {Audit("incident.assign")};
  first.incident = store_->GetIncident("i-1").value();
  Commit second = first;
  first.incident->assignee = "alice";
  second.incident->assignee = "bob";
  ASSERT_THAT(store_->Apply(first), testing::IsOk());
  EXPECT_THAT(store_->Apply(second), testing::HasCode(absl::StatusCode::kAborted));
  EXPECT_EQ(store_->GetIncident("i-1")->assignee, "alice");
}

// A host that fails again while somebody works on its incident takes nothing away from them, and
// they do not take its failure away.
TEST_P(FleetContract, FailureFoldedInIsAChangeToo) {
  const host::HostRecord host = Denied(1);
  const IncidentRow read = store_->GetIncident("i-1").value();
  Commit again;
  again.audit = {Audit("verdict")};
  again.incident = Incident("i-other", host.id);
  again.incident_events = {Event("failure", "SECURE_BOOT_OFF")};
  ASSERT_THAT(store_->Apply(again), testing::IsOk());
  Commit late;
  late.audit = {Audit("incident.assign")};
  late.incident = read;
  late.incident->assignee = "alice";
  EXPECT_THAT(store_->Apply(late), testing::HasCode(absl::StatusCode::kAborted));
  EXPECT_EQ(store_->GetIncident("i-1")->failures, 2);
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<IncidentEventRow> events,
                          store_->ListIncidentEvents("i-1"));
  ASSERT_EQ(events.size(), 1u) << "of the incident that it was folded into";
  EXPECT_EQ(events[0].kind, "failure");
}

TEST_P(FleetContract, EventsAreAHistoryInOrder) {
  Denied(1);
  for (const char* const text : {"looked at the log", "asked the owner"}) {
    Commit note;
    note.audit = {Audit("incident.note")};
    note.incident_events = {Event("note", text)};
    note.incident_events[0].incident_id = "i-1";
    ASSERT_THAT(store_->Apply(note), testing::IsOk());
  }
  Reopen();
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<IncidentEventRow> events,
                          store_->ListIncidentEvents("i-1"));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].text, "looked at the log");
  EXPECT_EQ(events[1].text, "asked the owner");
  EXPECT_EQ(events[1].actor, "operator alice");
  EXPECT_EQ(events[1].at, At(11));
  EXPECT_GT(events[1].sequence, events[0].sequence);
}

TEST_P(FleetContract, EventOfNoIncidentIsRefused) {
  Denied(1);
  for (const std::string id : {"", "i-none"}) {
    Commit note;
    note.audit = {Audit("incident.note")};
    note.incident_events = {Event("note", "text")};
    note.incident_events[0].incident_id = id;
    EXPECT_FALSE(store_->Apply(note).ok()) << id;
  }
}

TEST_P(FleetContract, UnknownIncidentIsNotFound) {
  Denied(1);
  for (const char* const id : {"", "i-2", "i-"}) {
    EXPECT_THAT(store_->GetIncident(id), testing::HasCode(absl::StatusCode::kNotFound)) << id;
  }
}

// ---- evidence

TEST_P(FleetContract, EvidenceOfAnIncidentIsAddedAndNeverReplaced) {
  const host::HostRecord host = Denied(1);
  Commit commit;
  commit.audit = {Audit("freeze")};
  commit.incident = Incident("i-again", host.id);
  commit.blobs = {Blob("log"), Blob("quote")};
  commit.incident_evidence = {{"boot_log", Blob("log").first}};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  commit.incident_evidence = {{"boot_log", Blob("quote").first}, {"quote", Blob("quote").first}};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  const EvidenceParts parts = {{"boot_log", Blob("log").first}, {"quote", Blob("quote").first}};
  EXPECT_EQ(store_->GetEvidence("i-1").value(), parts);
  EXPECT_TRUE(store_->GetEvidence("i-again")->empty());
}

TEST_P(FleetContract, WhatAHostWasAdmittedWithIsReplaced) {
  Commit commit = Put(Stored(1));
  commit.blobs = {Blob("log 1"), Blob("pcrs")};
  commit.admitted_evidence = {{"boot_log", Blob("log 1").first}, {"pcrs", Blob("pcrs").first}};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  ASSERT_THAT(store_->Apply(Put(store_->GetHost(Host(1).id).value())), testing::IsOk());
  EXPECT_EQ(store_->GetEvidence(Host(1).id).value(), *commit.admitted_evidence);
  commit.host = store_->GetHost(Host(1).id).value();
  commit.blobs = {Blob("log 2")};
  commit.admitted_evidence = {{"boot_log", Blob("log 2").first}};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  Reopen();
  EXPECT_EQ(store_->GetEvidence(Host(1).id).value(), *commit.admitted_evidence);
}

TEST_P(FleetContract, EvidenceWithoutItsBlobOrItsOwnerIsRefused) {
  Commit commit = Put(Stored(1));
  commit.admitted_evidence = {{"boot_log", Blob("never stored").first}};
  EXPECT_FALSE(store_->Apply(commit).ok());
  commit.blobs = {Blob("never stored")};
  commit.host.reset();
  EXPECT_THAT(store_->Apply(commit), testing::HasCode(absl::StatusCode::kInvalidArgument));
  commit.admitted_evidence.reset();
  commit.incident_evidence = {{"boot_log", Blob("never stored").first}};
  EXPECT_THAT(store_->Apply(commit), testing::HasCode(absl::StatusCode::kInvalidArgument));
}

// ---- what others are told

TEST_P(FleetContract, EveryMoveOfTrustIsToldAndNothingElseIs) {
  EXPECT_EQ(store_->LastChange().value(), 0);
  const host::HostRecord host = Stored(1);
  EXPECT_EQ(Moves(0), ">pending ");
  ASSERT_THAT(store_->Apply(Put(host)), testing::IsOk());
  EXPECT_EQ(store_->LastChange().value(), 1) << "it did not move";
  Commit commit = Put(store_->GetHost(host.id).value());
  commit.host->trust = host::Trust::kQuarantined;
  commit.host->incident_id = "i-1";
  commit.host->why = "Secure Boot was off";
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  commit.host = store_->GetHost(host.id).value();
  commit.host->trust = host::Trust::kInvestigating;
  commit.why = "alice looks at it";
  commit.audit[0].at = At(7);
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  Reopen();
  EXPECT_EQ(Moves(1), "pending>quarantined quarantined>investigating ");
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<ChangeRow> rows, store_->ListHostChanges(host.id));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1].kind, "trust");
  EXPECT_EQ(rows[1].why, "Secure Boot was off");
  EXPECT_EQ(rows[1].incident_id, "i-1");
  EXPECT_EQ(rows[2].why, "alice looks at it");
  EXPECT_EQ(rows[2].at, At(7));
  EXPECT_EQ(rows[2].sequence, store_->LastChange().value());
  EXPECT_EQ(store_->ListChanges(0, 2)->size(), 2u);
  EXPECT_TRUE(store_->ListHostChanges("h-none")->empty());
}

TEST_P(FleetContract, MoveOfACommitThatFailedIsNotTold) {
  const host::HostRecord read = Stored(1);
  ASSERT_THAT(store_->Apply(Put(read)), testing::IsOk());
  Commit late = Put(read);
  late.host->trust = host::Trust::kTrusted;
  late.changes = {{.at = At(1), .kind = "brake", .after = "engaged"}};
  EXPECT_THAT(store_->Apply(late), testing::HasCode(absl::StatusCode::kAborted));
  EXPECT_EQ(Moves(0), ">pending ");
}

TEST_P(FleetContract, OtherChangesStandInTheSameOrder) {
  Commit commit = Put(Host(1));
  commit.changes = {
      {.at = At(3), .kind = "brake", .before = "off", .after = "engaged", .why = "5"}};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<ChangeRow> rows, store_->ListChanges(0, 10));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].kind, "brake");
  EXPECT_EQ(rows[1].host_id, "");
  EXPECT_EQ(rows[1].why, "5");
}

TEST_P(FleetContract, MovesAreCountedOnceForEachHost) {
  for (const int number : {1, 2}) {
    const host::HostRecord host = Denied(number);
    Commit back = Put(host);
    back.host->trust = host::Trust::kTrusted;
    ASSERT_THAT(store_->Apply(back), testing::IsOk());
    Commit again = Put(store_->GetHost(host.id).value());
    again.host->trust = host::Trust::kQuarantined;
    again.verdict = Verdict(absl::StrCat("v-", number), host.id);
    again.audit[0].at = At(100 * number);
    ASSERT_THAT(store_->Apply(again), testing::IsOk());
  }
  Denied(3);  // by nobody's verdict
  EXPECT_EQ(store_->CountMoves("quarantined", At(0)).value(), 2);
  EXPECT_EQ(store_->CountMoves("quarantined", At(150)).value(), 1);
  EXPECT_EQ(store_->CountMoves("quarantined", At(201)).value(), 0);
  EXPECT_EQ(store_->CountMoves("suspect", At(0)).value(), 0);
}

// What a commit was decided by has not moved, or it is void; its own steps are part of it.
TEST_P(FleetContract, CommitStandsWithItsStepsOrNotAtAll) {
  StoreDocuments();
  Commit commit = Put(Host(1));
  commit.step_seen = {.kind = "policy", .newest = 0};
  commit.steps = {Enforce("", "aa")};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  EXPECT_EQ(store_->ListAssignments("policy")->size(), 1u);
  Commit late = Put(Host(2));
  late.step_seen = {.kind = "policy", .newest = 0};
  EXPECT_THAT(store_->Apply(late), testing::HasCode(absl::StatusCode::kAborted));
  EXPECT_THAT(store_->GetHost(Host(2).id), testing::HasCode(absl::StatusCode::kNotFound));
  late.step_seen->newest = store_->ListSteps("policy")->back().sequence;
  EXPECT_THAT(store_->Apply(late), testing::IsOk());
}

TEST_P(FleetContract, WhatEndedLongAgoIsNotRevoked) {
  Commit commit = Put(Stored(1));
  commit.issued = {Credential("0a", commit.host->id), Credential("0b", commit.host->id)};
  commit.issued[1].not_after = At(3600) + absl::Hours(48);
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  Commit cut = Put(store_->GetHost(Host(1).id).value());
  cut.audit[0].at = At(3601) + absl::Hours(24);
  cut.revoke_host_credentials = true;
  ASSERT_THAT(store_->Apply(cut), testing::IsOk());
  EXPECT_FALSE(store_->IsRevoked("0a").value());
  EXPECT_TRUE(store_->IsRevoked("0b").value());
}

TEST_P(FleetContract, ConsumerKeepsItsPlaceAndItsDeadLetters) {
  EXPECT_TRUE(store_->ListConsumers()->empty());
  ConsumerRow row = {.name = "pager", .told = 4, .next_attempt = At(9)};
  ASSERT_THAT(store_->PutConsumer(row), testing::IsOk());
  row.told = 5;
  row.attempts = 3;
  row.last_error = "500";
  const DeadLetterRow dead = {
      .consumer = "pager", .change = 5, .at = At(8), .attempts = 7, .error = "410 Gone"};
  ASSERT_THAT(store_->PutConsumer(row, dead), testing::IsOk());
  Reopen();
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<ConsumerRow> consumers, store_->ListConsumers());
  ASSERT_EQ(consumers.size(), 1u);
  EXPECT_EQ(consumers[0].told, 5);
  EXPECT_EQ(consumers[0].attempts, 3);
  EXPECT_EQ(consumers[0].next_attempt, At(9));
  EXPECT_EQ(consumers[0].last_error, "500");
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<DeadLetterRow> letters, store_->ListDeadLetters());
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].consumer, "pager");
  EXPECT_EQ(letters[0].change, 5);
  EXPECT_EQ(letters[0].at, At(8));
  EXPECT_EQ(letters[0].attempts, 7);
  EXPECT_EQ(letters[0].error, "410 Gone");
  ASSERT_THAT(store_->RemoveDeadLetter(letters[0].sequence), testing::IsOk());
  EXPECT_THAT(store_->RemoveDeadLetter(letters[0].sequence),
              testing::HasCode(absl::StatusCode::kNotFound));
  EXPECT_TRUE(store_->ListDeadLetters()->empty());
}

// ---- lists by pages

TEST_P(FleetContract, HostsComeByPagesAndStates) {
  for (const int number : {1, 2, 3, 4}) Stored(number);
  Denied(5);
  const auto ids = [](const absl::StatusOr<std::vector<host::HostRecord>>& hosts) {
    std::string all;
    for (const host::HostRecord& host : hosts.value())
      absl::StrAppend(&all, host.id.substr(17, 1), " ");
    return all;
  };
  EXPECT_EQ(ids(store_->ListHostsAfter("", 2, {}, nullptr)), "1 2 ");
  EXPECT_EQ(ids(store_->ListHostsAfter(Host(2).id, 2, {}, nullptr)), "3 4 ");
  EXPECT_EQ(ids(store_->ListHostsAfter("", 10, {host::Trust::kQuarantined}, nullptr)), "5 ");
  EXPECT_EQ(ids(store_->ListHostsAfter(
                Host(3).id, 10, {host::Trust::kQuarantined, host::Trust::kPending}, nullptr)),
            "4 5 ");
  EXPECT_EQ(ids(store_->ListHostsAfter("", 0, {}, nullptr)), "");
}

TEST_P(FleetContract, VerdictsComeNewestFirstByPages) {
  for (const int number : {1, 2}) {
    const host::HostRecord host = Stored(number);
    for (const int64_t at : {10, 20, 20}) {
      Commit commit;
      commit.audit = {Audit("verdict")};
      static int given = 0;
      commit.verdict = Verdict(absl::StrCat("v-", given++), host.id);
      commit.verdict->at = At(at);
      ASSERT_THAT(store_->Apply(commit), testing::IsOk());
    }
  }
  const auto ids = [](const absl::StatusOr<std::vector<VerdictRow>>& rows) {
    std::string all;
    for (const VerdictRow& row : rows.value()) absl::StrAppend(&all, row.id, " ");
    return all;
  };
  EXPECT_EQ(ids(store_->ListVerdicts("", "", 10)), "v-5 v-4 v-2 v-1 v-3 v-0 ");
  EXPECT_EQ(ids(store_->ListVerdicts("", "v-4", 2)), "v-2 v-1 ");
  EXPECT_EQ(ids(store_->ListVerdicts(Host(2).id, "", 10)), "v-5 v-4 v-3 ");
  EXPECT_EQ(ids(store_->ListVerdicts(Host(2).id, "v-4", 10)), "v-3 ");
  EXPECT_THAT(store_->ListVerdicts("", "v-none", 10),
              testing::HasCode(absl::StatusCode::kNotFound));
}

// ---- operators

TEST_P(FleetContract, AnswerIsRememberedForItsCallerAndForgottenInTime) {
  const AnswerRow answer = {
      .actor = "alice", .key = "k", .request_sha256 = Bytes(32, 1), .answer = {1, 2}, .at = At(10)};
  ASSERT_THAT(store_->PutAnswer(answer, At(0)), testing::IsOk());
  AnswerRow other = answer;
  other.answer = {3};
  EXPECT_THAT(store_->PutAnswer(other, At(0)), testing::HasCode(absl::StatusCode::kAlreadyExists));
  Reopen();
  BG_ASSERT_OK_AND_ASSIGN(const AnswerRow read, store_->GetAnswer("alice", "k"));
  EXPECT_EQ(read.request_sha256, Bytes(32, 1));
  EXPECT_EQ(read.answer, Bytes({1, 2}));
  EXPECT_THAT(store_->GetAnswer("bob", "k"), testing::HasCode(absl::StatusCode::kNotFound));
  other.key = "later";
  ASSERT_THAT(store_->PutAnswer(other, At(11)), testing::IsOk());
  EXPECT_THAT(store_->GetAnswer("alice", "k"), testing::HasCode(absl::StatusCode::kNotFound));
}

TEST_P(FleetContract, CheckpointsAndLonelyAuditRowsAreKept) {
  ASSERT_THAT(store_->PutAudit(Audit("evidence.read")), testing::IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const AuditHead head, store_->GetAuditHead());
  EXPECT_EQ(head.sequence, 1);
  const CheckpointRow checkpoint = {.sequence = head.sequence,
                                    .at = At(5),
                                    .chain = head.chain,
                                    .key_id = "c0ffee",
                                    .signature = {7}};
  ASSERT_THAT(store_->PutCheckpoint(checkpoint), testing::IsOk());
  ASSERT_THAT(store_->PutCheckpoint(checkpoint), testing::IsOk());
  Reopen();
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<CheckpointRow> rows, store_->ListCheckpoints());
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].chain, head.chain);
  EXPECT_EQ(rows[0].key_id, "c0ffee");
  EXPECT_EQ(rows[0].signature, Bytes({7}));
  EXPECT_EQ(rows[0].at, At(5));
}

}  // namespace bootgate::gatekeeper::store
