// The promises of store.h, for every backend to keep. Test only.
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, ::testing::Values(Backend{...}));
#pragma once

#include <stdlib.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/hex.h"
#include "common/crypto/hash.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/store/audit_chain.h"
#include "gatekeeper/store/record_codec.h"
#include "gatekeeper/store/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::store {

struct Backend {
  std::string name;
  // Opens what lies in `folder`, made if it is not there. A second call: a second user of the same.
  std::function<std::unique_ptr<Store>(const std::string& folder)> open;
};
inline void PrintTo(const Backend& backend, std::ostream* os) { *os << backend.name; }

class StoreContract : public ::testing::TestWithParam<Backend> {
 protected:
  StoreContract() {
    std::string pattern = ::testing::TempDir() + "/store.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    store_ = Open();
  }
  std::unique_ptr<Store> Open() const { return GetParam().open(folder_); }
  void Reopen() {
    store_.reset();
    store_ = Open();
  }

  static absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1'800'000'000 + seconds); }

  static AuditRow Audit(const std::string& action) {
    AuditRow row;
    row.at = At(0);
    row.actor = "gatekeeper";
    row.action = action;
    row.subject = "subject";
    row.detail_json = "{}";
    return row;
  }

  static host::HostRecord Host(int number) {
    host::HostRecord host;
    host.id = absl::StrCat("h-", absl::Hex(number, absl::kZeroPad16), "0000000000000000");
    host.ek_public = {1, 2, 3};
    host.last_seen_at = At(1);
    host.labels = {{"rack", absl::StrCat(number)}};
    return host;
  }

  static Commit Put(const host::HostRecord& host) {
    Commit commit;
    commit.host = host;
    commit.audit = {Audit("host.put")};
    return commit;
  }

  // A stored host at revision 1.
  host::HostRecord Stored(int number) {
    EXPECT_THAT(store_->Apply(Put(Host(number))), testing::IsOk());
    absl::StatusOr<host::HostRecord> host = store_->GetHost(Host(number).id);
    EXPECT_THAT(host, testing::IsOk());
    return host.ok() ? *host : host::HostRecord();
  }

  static VerdictRow Verdict(const std::string& id, const std::string& host_id) {
    VerdictRow row;
    row.id = id;
    row.host_id = host_id;
    row.at = At(5);
    row.outcome = "DENY";
    row.policy_id = "p";
    row.reference_id = "r";
    row.body_json = R"({"findings":[]})";
    row.boot = {.reset_count = 0xffffffff, .restart_count = 1, .clock_ms = 0xffffffffffffffff};
    return row;
  }

  static CredentialRow Credential(const std::string& serial, const std::string& host_id) {
    CredentialRow row;
    row.serial = serial;
    row.host_id = host_id;
    row.verdict_id = "v-1";
    row.profile = "tpm-key";
    row.not_before = At(0);
    row.not_after = At(3600);
    return row;
  }

  static IncidentRow Incident(const std::string& id, const std::string& host_id) {
    IncidentRow row;
    row.id = id;
    row.host_id = host_id;
    row.first_verdict_id = row.last_verdict_id = absl::StrCat("v-of-", id);
    row.opened_at = row.last_at = At(10);
    row.state = "open";
    row.why = absl::StrCat("why ", id);
    row.reasons = {"SECURE_BOOT_OFF", "POLICY_DENY"};
    return row;
  }

  static Bytes Secret() {
    return ToBytes(crypto::Hash(crypto::HashAlg::kSha256, AsBytes("secret")).view());
  }
  static JoinToken Token(const std::string& id, int uses) {
    JoinToken token;
    token.id = id;
    token.secret_sha256 = Secret();
    token.labels = {{"role", "db"}};
    token.uses_left = uses;
    token.created_at = At(0);
    token.expires_at = At(60);
    token.approves = true;
    return token;
  }

  static DocumentRow Document(const std::string& id, const std::string& text) {
    return {.kind = "policy",
            .id = id,
            .name = "main",
            .text = text,
            .author = "root",
            .created_at = At(0)};
  }

  static VersionRow Version(const std::string& name, int64_t number, const std::string& id) {
    VersionRow row;
    row.kind = "policy";
    row.name = name;
    row.version = number;
    row.document_id = id;
    row.author = "root";
    row.at = At(3);
    return row;
  }

  void StoreDocuments() {
    for (const char* const id : {"aa", "bb"}) {
      ASSERT_THAT(store_->PutDocument(Document(id, id), Audit("policy")), testing::IsOk());
    }
  }

  static AssignmentRow Enforce(const std::string& selector, const std::string& id) {
    AssignmentRow row;
    row.kind = "policy";
    row.selector = selector;
    row.document_id = id;
    row.author = "root";
    row.at = At(4);
    return row;
  }

  size_t AuditRows() { return store_->ListAudit(0, 100000).value().size(); }

  void ExpectWholeAuditChain() {
    AuditHead head = {.sequence = 0, .chain = ChainStart()};
    BG_ASSERT_OK_AND_ASSIGN(const std::vector<AuditRow> rows, store_->ListAudit(0, 1000000));
    for (const AuditRow& row : rows) {
      ASSERT_THAT(CheckFollows(head, row), testing::IsOk());
      head = {.sequence = row.sequence, .chain = row.chain};
    }
    BG_ASSERT_OK_AND_ASSIGN(const AuditHead told, store_->GetAuditHead());
    EXPECT_EQ(told.sequence, head.sequence);
    EXPECT_EQ(told.chain, head.chain);
  }

  std::string folder_;
  std::unique_ptr<Store> store_;
};

// ---- hosts

TEST_P(StoreContract, HostComesBackWithTheNextRevision) {
  host::HostRecord host = Stored(1);
  EXPECT_EQ(host.revision, 1u);
  EXPECT_EQ(host.labels, Host(1).labels);
  EXPECT_EQ(host.ek_public, Host(1).ek_public);
  host.trust = host::Trust::kTrusted;
  ASSERT_THAT(store_->Apply(Put(host)), testing::IsOk());
  Reopen();
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord back, store_->GetHost(host.id));
  EXPECT_EQ(back.revision, 2u);
  EXPECT_EQ(back.trust, host::Trust::kTrusted);
}

TEST_P(StoreContract, UnknownHostIsNotFound) {
  EXPECT_THAT(store_->GetHost("h-none"), testing::HasCode(absl::StatusCode::kNotFound));
}

TEST_P(StoreContract, SecondWriterOfOneRevisionIsTurnedAway) {
  const host::HostRecord read = Stored(1);
  host::HostRecord first = read, second = read;
  first.hostname = "first";
  second.hostname = "second";
  ASSERT_THAT(store_->Apply(Put(first)), testing::IsOk());
  EXPECT_THAT(store_->Apply(Put(second)), testing::HasCode(absl::StatusCode::kAborted));
  EXPECT_EQ(store_->GetHost(read.id)->hostname, "first");
}

TEST_P(StoreContract, SecondEnrolmentOfOneHostIsTurnedAway) {
  Stored(1);
  EXPECT_THAT(store_->Apply(Put(Host(1))), testing::HasCode(absl::StatusCode::kAborted));
  EXPECT_EQ(store_->GetHost(Host(1).id)->revision, 1u);
}

TEST_P(StoreContract, HostThatWasNeverStoredHasNoRevisionToWriteOver) {
  host::HostRecord host = Host(1);
  host.revision = 3;
  EXPECT_THAT(store_->Apply(Put(host)), testing::HasCode(absl::StatusCode::kAborted));
}

TEST_P(StoreContract, HostsAreListedInOrderOfId) {
  for (const int number : {3, 1, 2}) Stored(number);
  std::vector<std::string> corrupt;
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<host::HostRecord> hosts, store_->ListHosts(&corrupt));
  ASSERT_EQ(hosts.size(), 3u);
  EXPECT_EQ(hosts[0].id, Host(1).id);
  EXPECT_EQ(hosts[2].id, Host(3).id);
  EXPECT_TRUE(corrupt.empty());
}

// ---- one commit, all or nothing

TEST_P(StoreContract, CommitStoresAllItsParts) {
  const host::HostRecord host = Stored(1);
  const Bytes evidence = {9, 8, 7};
  const std::string digest = crypto::Hash(crypto::HashAlg::kSha256, evidence).hex();
  Commit commit = Put(host);
  commit.verdict = Verdict("v-1", host.id);
  commit.blobs = {{digest, evidence}};
  commit.issued = {Credential("0a", host.id)};
  commit.incident = Incident("i-1", host.id);
  commit.effects = {{.kind = "open-incident", .host_id = host.id, .verdict_id = "v-1"}};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  Reopen();

  BG_ASSERT_OK_AND_ASSIGN(const VerdictRow verdict, store_->GetVerdict("v-1"));
  EXPECT_EQ(verdict.host_id, host.id);
  EXPECT_EQ(verdict.at, At(5));
  EXPECT_EQ(verdict.outcome, "DENY");
  EXPECT_EQ(verdict.policy_id, "p");
  EXPECT_EQ(verdict.reference_id, "r");
  EXPECT_EQ(verdict.body_json, R"({"findings":[]})");
  EXPECT_EQ(verdict.boot.reset_count, 0xffffffffu);
  EXPECT_EQ(verdict.boot.clock_ms, 0xffffffffffffffffu);
  EXPECT_EQ(store_->GetBlob(digest).value(), evidence);
  EXPECT_EQ(store_->ListCredentials(host.id)->size(), 1u);
  EXPECT_EQ(store_->ListIncidents("")->size(), 1u);
  EXPECT_EQ(store_->PendingEffects(10)->size(), 1u);
  EXPECT_EQ(AuditRows(), 2u);
}

TEST_P(StoreContract, CommitThatFailsLeavesNothingBehind) {
  const host::HostRecord read = Stored(1);
  ASSERT_THAT(store_->Apply(Put(read)), testing::IsOk());
  ASSERT_THAT(store_->PutJoinToken(Token("t", 1), Audit("token")), testing::IsOk());
  const size_t audit_rows = AuditRows();

  Commit late = Put(read);  // at the revision that is gone
  late.verdict = Verdict("v-late", read.id);
  late.blobs = {
      {crypto::Hash(crypto::HashAlg::kSha256, AsBytes("x")).hex(), ToBytes(AsBytes("x"))}};
  late.effects = {{.kind = "notify-quarantine", .host_id = read.id, .verdict_id = "v-late"}};
  late.incident = Incident("i-late", read.id);
  late.join_token = JoinTokenUse{.id = "t", .secret_sha256 = Secret(), .now = At(1)};
  EXPECT_THAT(store_->Apply(late), testing::HasCode(absl::StatusCode::kAborted));

  EXPECT_THAT(store_->GetVerdict("v-late"), testing::HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->GetBlob(late.blobs[0].first), testing::HasCode(absl::StatusCode::kNotFound));
  EXPECT_TRUE(store_->PendingEffects(10)->empty());
  EXPECT_TRUE(store_->ListIncidents("")->empty());
  EXPECT_THAT(store_->CheckJoinToken("t", Secret(), At(1)), testing::IsOk());
  EXPECT_EQ(AuditRows(), audit_rows);
}

TEST_P(StoreContract, NothingIsDecidedWithoutAnAuditRow) {
  Commit silent = Put(Host(1));
  silent.audit.clear();
  EXPECT_THAT(store_->Apply(silent), testing::Refuses(Reason::kAuditUnavailable));
  EXPECT_THAT(store_->GetHost(Host(1).id), testing::HasCode(absl::StatusCode::kNotFound));
}

TEST_P(StoreContract, RecordsOfNoHostAreRefused) {
  Commit orphan;
  orphan.verdict = Verdict("v-1", "h-none");
  orphan.audit = {Audit("verdict")};
  EXPECT_THAT(store_->Apply(orphan), testing::HasCode(absl::StatusCode::kFailedPrecondition));
}

TEST_P(StoreContract, VerdictAndSerialAreGivenOnce) {
  const host::HostRecord host = Stored(1);
  Commit commit;
  commit.verdict = Verdict("v-1", host.id);
  commit.audit = {Audit("verdict")};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  EXPECT_THAT(store_->Apply(commit), testing::HasCode(absl::StatusCode::kAlreadyExists));
  Commit issue;
  issue.issued = {Credential("0a", host.id), Credential("0a", host.id)};
  issue.audit = {Audit("issue")};
  EXPECT_THAT(store_->Apply(issue), testing::HasCode(absl::StatusCode::kAlreadyExists));
}

// ---- evidence

TEST_P(StoreContract, BlobIsStoredOnceUnderItsDigest) {
  Commit commit;
  commit.audit = {Audit("freeze")};
  commit.blobs = {{crypto::Hash(crypto::HashAlg::kSha256, {}).hex(), {}}};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  EXPECT_EQ(store_->GetBlob(commit.blobs[0].first).value(), Bytes());
  commit.blobs[0].second = {1};
  EXPECT_THAT(store_->Apply(commit), testing::HasCode(absl::StatusCode::kInvalidArgument));
}

// ---- credentials

TEST_P(StoreContract, RevocationTakesAllOfOneHostAndNoOther) {
  const host::HostRecord bad = Stored(1), good = Stored(2);
  Commit issue;
  issue.audit = {Audit("issue")};
  issue.issued = {Credential("0a", bad.id), Credential("0b", bad.id), Credential("0c", good.id)};
  ASSERT_THAT(store_->Apply(issue), testing::IsOk());
  EXPECT_FALSE(store_->IsRevoked("0a").value());

  Commit revoke = Put(bad);
  revoke.revoke_host_credentials = true;
  ASSERT_THAT(store_->Apply(revoke), testing::IsOk());
  EXPECT_TRUE(store_->IsRevoked("0a").value());
  EXPECT_TRUE(store_->IsRevoked("0b").value());
  EXPECT_FALSE(store_->IsRevoked("0c").value());
  EXPECT_EQ(store_->ListCredentials(bad.id)->at(0).revoked_at, At(0));
  EXPECT_EQ(store_->ListCredentials(good.id)->at(0).revoked_at, std::nullopt);
}

TEST_P(StoreContract, SerialThatWasNeverIssuedIsRevoked) {
  EXPECT_TRUE(store_->IsRevoked("ff").value());
}

TEST_P(StoreContract, CertificatesOfTheTpmsKeysOutliveTheRevocationOfTheRest) {
  const host::HostRecord host = Stored(1);
  Commit issue;
  issue.audit = {Audit("issue")};
  for (const auto& [serial, kind] : std::map<std::string, std::string>{
           {"0a", "host"}, {"0b", "ak"}, {"0c", "ek"}, {"0d", "svid"}}) {
    issue.issued.push_back(Credential(serial, host.id));
    issue.issued.back().kind = kind;
    issue.issued.back().issuer = "c0ffee";
  }
  ASSERT_THAT(store_->Apply(issue), testing::IsOk());
  Commit revoke = Put(host);
  revoke.revoke_host_credentials = true;
  ASSERT_THAT(store_->Apply(revoke), testing::IsOk());
  for (const char* const serial : {"0a", "0d"}) {
    EXPECT_TRUE(store_->IsRevoked(serial).value()) << serial;
  }
  EXPECT_FALSE(store_->IsRevoked("0b").value()) << "the host goes on to attest";
  EXPECT_FALSE(store_->IsRevoked("0c").value());
  EXPECT_EQ(store_->GetCredential("0c")->kind, "ek");
  EXPECT_EQ(store_->GetCredential("0c")->issuer, "c0ffee");

  revoke = Put(store_->GetHost(host.id).value());
  revoke.revoke_ek_certificates = true;
  ASSERT_THAT(store_->Apply(revoke), testing::IsOk());
  EXPECT_TRUE(store_->IsRevoked("0b").value());
  EXPECT_TRUE(store_->IsRevoked("0c").value());
}

TEST_P(StoreContract, CredentialIsFoundByItsSerial) {
  Stored(1);
  Commit issue;
  issue.audit = {Audit("issue")};
  issue.issued = {Credential("0a", Host(1).id)};
  ASSERT_THAT(store_->Apply(issue), testing::IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const CredentialRow row, store_->GetCredential("0a"));
  EXPECT_EQ(row.host_id, Host(1).id);
  EXPECT_EQ(row.kind, "host");
  EXPECT_EQ(row.not_after, At(3600));
  EXPECT_FALSE(row.revoked_at.has_value());
  EXPECT_THAT(store_->GetCredential("0b"), testing::HasCode(absl::StatusCode::kNotFound));
}

// What a list of revoked certificates is made of, the first time and from then on.
TEST_P(StoreContract, RevocationsAreNumberedInTheirOrderAndNeverTwice) {
  const host::HostRecord one = Stored(1), two = Stored(2);
  EXPECT_EQ(store_->LastRevocation().value(), 0);
  Commit issue;
  issue.audit = {Audit("issue")};
  issue.issued = {Credential("0c", one.id), Credential("0b", two.id), Credential("0a", two.id),
                  Credential("0d", two.id)};
  issue.issued[1].not_after = At(100);
  ASSERT_THAT(store_->Apply(issue), testing::IsOk());
  EXPECT_EQ(store_->LastRevocation().value(), 0);

  Commit revoke = Put(two);
  revoke.revoke_host_credentials = true;
  ASSERT_THAT(store_->Apply(revoke), testing::IsOk());
  const int64_t first = store_->LastRevocation().value();
  EXPECT_GT(first, 0);
  Reopen();
  revoke = Commit();
  revoke.audit = {Audit("revoke")};
  revoke.audit[0].at = At(50);
  revoke.revoke_serials = {"0c", "0a"};  // the second one already is
  ASSERT_THAT(store_->Apply(revoke), testing::IsOk());
  EXPECT_EQ(store_->LastRevocation().value(), first + 1);
  EXPECT_EQ(store_->GetCredential("0a")->revoked_at, At(0));
  EXPECT_EQ(store_->GetCredential("0c")->revoked_at, At(50));

  const auto serials = [&](int64_t after, absl::Time now) {
    std::string all;
    int64_t last = after;
    const std::vector<RevokedRow> rows = store_->ListRevoked(after, now).value();
    for (const RevokedRow& row : rows) {
      EXPECT_GT(row.number, last);
      EXPECT_TRUE(row.credential.revoked);
      last = row.number;
      absl::StrAppend(&all, row.credential.serial, " ");
    }
    return all;
  };
  EXPECT_EQ(serials(0, At(99)), "0a 0b 0d 0c ");
  EXPECT_EQ(serials(0, At(100)), "0a 0d 0c ") << "0b has expired";
  EXPECT_EQ(serials(first, At(99)), "0c ");
  EXPECT_EQ(serials(first + 1, At(99)), "");
}

TEST_P(StoreContract, RevokingAnUnknownSerialRevokesNothing) {
  Stored(1);
  Commit issue;
  issue.audit = {Audit("issue")};
  issue.issued = {Credential("0a", Host(1).id)};
  ASSERT_THAT(store_->Apply(issue), testing::IsOk());
  Commit revoke;
  revoke.audit = {Audit("revoke")};
  revoke.revoke_serials = {"0a", "ff"};
  EXPECT_THAT(store_->Apply(revoke), testing::HasCode(absl::StatusCode::kNotFound));
  EXPECT_FALSE(store_->IsRevoked("0a").value());
  EXPECT_EQ(store_->LastRevocation().value(), 0);
}

TEST_P(StoreContract, TwoHostsAndADocumentAreWrittenTogetherOrNotAtAll) {
  Commit swap;
  swap.host = Stored(1);
  swap.host->trust = host::Trust::kRetired;
  swap.other_host = Stored(2);
  swap.other_host->replaces = Host(1).id;
  swap.documents = {Document("aa", "why")};
  swap.audit = {Audit("host.swap-tpm")};
  Commit stale = swap;
  stale.other_host->revision += 1;
  EXPECT_THAT(store_->Apply(stale), testing::HasCode(absl::StatusCode::kAborted));
  EXPECT_NE(store_->GetHost(Host(1).id)->trust, host::Trust::kRetired);
  EXPECT_FALSE(store_->GetDocument("policy", "aa").ok());
  ASSERT_THAT(store_->Apply(swap), testing::IsOk());
  EXPECT_EQ(store_->GetHost(Host(1).id)->trust, host::Trust::kRetired);
  EXPECT_EQ(store_->GetHost(Host(2).id)->replaces, Host(1).id);
  EXPECT_EQ(store_->GetDocument("policy", "aa")->text, "why");
  // Another text under a known id takes nothing else along.
  Commit other;
  other.host = store_->GetHost(Host(2).id).value();
  other.host->approved = !other.host->approved;
  other.documents = {Document("aa", "another text")};
  other.audit = {Audit("host.approve")};
  EXPECT_THAT(store_->Apply(other), testing::HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_NE(store_->GetHost(Host(2).id)->approved, other.host->approved);
}

// ---- the IMA cursor

TEST_P(StoreContract, CursorIsWrittenWithItsVerdictOrNotAtAll) {
  const host::HostRecord read = Stored(1);
  Commit commit = Put(read);
  host::ImaCursor& cursor = commit.host->ima_cursor.emplace();
  cursor.reset_count = 7;
  cursor.rules = {.policy_id = "p", .reference_id = "r", .options_id = "o"};
  cursor.progress.entries = 86;
  cursor.progress.registers = {{.value = crypto::Digest::Ones(crypto::HashAlg::kSha256)}};
  cursor.progress.notes = {{"reference/policy", {1, 2}}};
  commit.verdict = Verdict("v-1", read.id);
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  Reopen();
  const host::HostRecord host = store_->GetHost(read.id).value();
  ASSERT_TRUE(host.ima_cursor.has_value());
  EXPECT_EQ(host.ima_cursor->rules, cursor.rules);
  EXPECT_EQ(host.ima_cursor->progress.entries, 86u);
  EXPECT_EQ(host.ima_cursor->progress.registers, cursor.progress.registers);
  EXPECT_EQ(host.ima_cursor->progress.notes, cursor.progress.notes);

  // Another replica, which read the record before: neither its verdict nor its older cursor stays.
  cursor.progress.entries = 80;
  commit.verdict = Verdict("v-2", read.id);
  EXPECT_THAT(store_->Apply(commit), testing::HasCode(absl::StatusCode::kAborted));
  EXPECT_EQ(store_->GetHost(read.id)->ima_cursor->progress.entries, 86u);
  EXPECT_THAT(store_->GetVerdict("v-2"), testing::HasCode(absl::StatusCode::kNotFound));
}

// ---- incidents

TEST_P(StoreContract, RepeatedFailuresFoldIntoTheOpenIncident) {
  const host::HostRecord host = Stored(1);
  Commit commit;
  commit.audit = {Audit("verdict")};
  commit.incident = Incident("i-1", host.id);
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  commit.incident = Incident("i-2", host.id);
  commit.incident->last_at = At(99);
  commit.incident->reasons = {"IMA_DIGEST"};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());

  BG_ASSERT_OK_AND_ASSIGN(const std::vector<IncidentRow> rows, store_->ListIncidents(host.id));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].id, "i-1");
  EXPECT_EQ(rows[0].failures, 2);
  EXPECT_EQ(rows[0].opened_at, At(10));
  EXPECT_EQ(rows[0].last_at, At(99));
  EXPECT_EQ(rows[0].first_verdict_id, "v-of-i-1");
  EXPECT_EQ(rows[0].last_verdict_id, "v-of-i-2");
  EXPECT_EQ(rows[0].why, "why i-1");
  EXPECT_THAT(rows[0].reasons, ::testing::ElementsAre("IMA_DIGEST"));
}

TEST_P(StoreContract, ClosedIncidentIsNotFoldedInto) {
  const host::HostRecord host = Stored(1), other = Stored(2);
  Commit commit;
  commit.audit = {Audit("incident")};
  commit.incident = Incident("i-1", host.id);
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  commit.incident->state = "closed";
  commit.incident->revision = 1;
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  commit.incident = Incident("i-2", host.id);
  commit.incident->opened_at = At(50);
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  commit.incident = Incident("i-3", other.id);
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());

  BG_ASSERT_OK_AND_ASSIGN(const std::vector<IncidentRow> rows, store_->ListIncidents(host.id));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].state, "closed");
  EXPECT_EQ(rows[0].failures, 1);
  EXPECT_EQ(rows[1].id, "i-2");
  EXPECT_EQ(store_->ListIncidents("")->size(), 3u);
}

// ---- effects

TEST_P(StoreContract, EffectsStayUntilTheyAreDoneAndAreNumberedOnce) {
  const host::HostRecord host = Stored(1);
  Commit commit;
  commit.audit = {Audit("verdict")};
  commit.effects = {{.kind = "revoke-credentials", .host_id = host.id, .verdict_id = "v-1"},
                    {.kind = "notify-quarantine", .host_id = host.id, .verdict_id = "v-1"}};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  Reopen();
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<EffectRow> effects, store_->PendingEffects(10));
  ASSERT_EQ(effects.size(), 2u);
  EXPECT_EQ(effects[0].kind, "revoke-credentials");
  EXPECT_EQ(effects[1].verdict_id, "v-1");
  EXPECT_EQ(store_->PendingEffects(1)->size(), 1u);
  for (const EffectRow& effect : effects) {
    ASSERT_THAT(store_->MarkEffectDone(effect.sequence), testing::IsOk());
    ASSERT_THAT(store_->MarkEffectDone(effect.sequence), testing::IsOk());
  }
  EXPECT_TRUE(store_->PendingEffects(10)->empty());
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  EXPECT_GT(store_->PendingEffects(10)->at(0).sequence, effects[1].sequence);
}

// ---- join tokens

TEST_P(StoreContract, JoinTokenIsUsedAsOftenAsItMayBe) {
  ASSERT_THAT(store_->PutJoinToken(Token("t", 2), Audit("token")), testing::IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const JoinToken first, store_->RedeemJoinToken("t", Secret(), At(1)));
  EXPECT_EQ(first.uses_left, 1);
  EXPECT_EQ(first.labels, Token("t", 2).labels);
  EXPECT_TRUE(first.approves);
  EXPECT_THAT(store_->RedeemJoinToken("t", Secret(), At(1)), testing::IsOk());
  EXPECT_THAT(store_->RedeemJoinToken("t", Secret(), At(1)),
              testing::Refuses(Reason::kJoinTokenUsed));
  EXPECT_THAT(store_->CheckJoinToken("t", Secret(), At(1)),
              testing::Refuses(Reason::kJoinTokenUsed));
}

TEST_P(StoreContract, CheckingAJoinTokenUsesNothingUp) {
  ASSERT_THAT(store_->PutJoinToken(Token("t", 1), Audit("token")), testing::IsOk());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(store_->CheckJoinToken("t", Secret(), At(1))->uses_left, 1);
  }
}

TEST_P(StoreContract, JoinTokenNeedsItsSecretAndItsTime) {
  ASSERT_THAT(store_->PutJoinToken(Token("t", 1), Audit("token")), testing::IsOk());
  const Bytes wrong(32, 0);
  EXPECT_THAT(store_->RedeemJoinToken("t", wrong, At(1)),
              testing::Refuses(Reason::kJoinTokenUnknown));
  EXPECT_THAT(store_->RedeemJoinToken("t", {}, At(1)), testing::Refuses(Reason::kJoinTokenUnknown));
  EXPECT_THAT(store_->RedeemJoinToken("u", Secret(), At(1)),
              testing::Refuses(Reason::kJoinTokenUnknown));
  EXPECT_THAT(store_->RedeemJoinToken("t", Secret(), At(60)),
              testing::Refuses(Reason::kJoinTokenExpired));
  EXPECT_THAT(store_->RedeemJoinToken("t", Secret(), At(59)), testing::IsOk());
}

TEST_P(StoreContract, JoinTokenIdIsGivenOnce) {
  ASSERT_THAT(store_->PutJoinToken(Token("t", 1), Audit("token")), testing::IsOk());
  EXPECT_THAT(store_->PutJoinToken(Token("t", 9), Audit("token")),
              testing::HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(AuditRows(), 1u);
}

TEST_P(StoreContract, JoinTokenIsUsedUpByTheCommitItPaysFor) {
  ASSERT_THAT(store_->PutJoinToken(Token("t", 1), Audit("token")), testing::IsOk());
  Commit commit = Put(Host(1));
  commit.join_token = JoinTokenUse{.id = "t", .secret_sha256 = Secret(), .now = At(1)};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  commit.host = Host(2);
  EXPECT_THAT(store_->Apply(commit), testing::Refuses(Reason::kJoinTokenUsed));
  EXPECT_THAT(store_->GetHost(Host(2).id), testing::HasCode(absl::StatusCode::kNotFound));
}

TEST_P(StoreContract, JoinTokensAreListedAndRevoked) {
  JoinToken token = Token("t2", 3);
  token.author = "root";
  token.created_at = At(5);
  ASSERT_THAT(store_->PutJoinToken(token, Audit("token")), testing::IsOk());
  ASSERT_THAT(store_->PutJoinToken(Token("t1", 1), Audit("token")), testing::IsOk());
  ASSERT_THAT(store_->RedeemJoinToken("t2", Secret(), At(1)), testing::IsOk());
  Reopen();
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<JoinToken> tokens, store_->ListJoinTokens());
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[0].id, "t1");
  EXPECT_EQ(tokens[1].uses, 3);
  EXPECT_EQ(tokens[1].uses_left, 2);
  EXPECT_EQ(tokens[1].author, "root");
  EXPECT_FALSE(tokens[1].revoked_at.has_value());

  AuditRow audit = Audit("token.revoke");
  audit.at = At(9);
  ASSERT_THAT(store_->RevokeJoinToken("t2", audit), testing::IsOk());
  audit.at = At(10);
  ASSERT_THAT(store_->RevokeJoinToken("t2", audit), testing::IsOk());
  EXPECT_EQ(store_->GetJoinToken("t2")->revoked_at, At(9));
  EXPECT_THAT(store_->RedeemJoinToken("t2", Secret(), At(11)),
              testing::Refuses(Reason::kJoinTokenExpired));
  EXPECT_THAT(store_->CheckJoinToken("t2", Bytes(32, 0), At(11)),
              testing::Refuses(Reason::kJoinTokenUnknown))
      << "who has no secret is told nothing";
  EXPECT_THAT(store_->RevokeJoinToken("t3", audit), testing::HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(store_->GetJoinToken("t3"), testing::HasCode(absl::StatusCode::kNotFound));
  EXPECT_EQ(AuditRows(), 4u);
}

// ---- inventory

TEST_P(StoreContract, InventoryComesBackInPages) {
  std::vector<InventoryRow> rows;
  for (const char* const ek : {"c", "a", "b"}) {
    rows.push_back({.ek = ek,
                    .labels = {{"rack", ek}},
                    .source = "racks.csv",
                    .author = "root",
                    .added_at = At(3)});
  }
  BG_ASSERT_OK_AND_ASSIGN(InventoryChange change, store_->PutInventory(rows, Audit("import")));
  EXPECT_EQ(change.added, 3);
  EXPECT_EQ(change.replaced, 0);
  Reopen();
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<InventoryRow> first, store_->ListInventory("", 2));
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[1].ek, "b");
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<InventoryRow> rest, store_->ListInventory("b", 2));
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].labels.at("rack"), "c");
  BG_ASSERT_OK_AND_ASSIGN(const InventoryRow row, store_->GetInventory("a"));
  EXPECT_EQ(row.source, "racks.csv");
  EXPECT_EQ(row.author, "root");
  EXPECT_EQ(row.added_at, At(3));
  EXPECT_THAT(store_->GetInventory("d"), testing::HasCode(absl::StatusCode::kNotFound));

  rows = {{.ek = "a", .labels = {}, .source = "new.csv", .author = "eve", .added_at = At(4)},
          {.ek = "d", .labels = {}, .source = "new.csv", .author = "eve", .added_at = At(4)}};
  change = store_->PutInventory(rows, Audit("import")).value();
  EXPECT_EQ(change.added, 1);
  EXPECT_EQ(change.replaced, 1);
  EXPECT_EQ(store_->GetInventory("a")->author, "eve");
  EXPECT_EQ(store_->CountInventory().value(), 4);
}

TEST_P(StoreContract, InventoryIsRemovedAllOrNone) {
  std::vector<InventoryRow> rows(2);
  rows[0].ek = "a";
  rows[1].ek = "b";
  ASSERT_THAT(store_->PutInventory(rows, Audit("import")), testing::IsOk());
  EXPECT_THAT(store_->RemoveInventory({"a", "x"}, Audit("remove")),
              testing::HasCode(absl::StatusCode::kNotFound));
  EXPECT_EQ(store_->CountInventory().value(), 2);
  EXPECT_THAT(store_->RemoveInventory({"a", "b"}, Audit("remove")), testing::IsOk());
  EXPECT_EQ(store_->CountInventory().value(), 0);
  EXPECT_EQ(AuditRows(), 2u);
}

TEST_P(StoreContract, HundredThousandInventoryEntriesGoInAtOnce) {
  constexpr int kMany = 100'000;
  std::vector<InventoryRow> rows(kMany);
  for (int i = 0; i < kMany; ++i) {
    rows[static_cast<size_t>(i)].ek = absl::StrCat(absl::Hex(i * 7919LL, absl::kZeroPad16));
  }
  const absl::Time start = absl::Now();
  ASSERT_THAT(store_->PutInventory(rows, Audit("import")), testing::IsOk());
  EXPECT_LT(absl::Now() - start, absl::Seconds(60)) << "a minute is far beyond slow";
  EXPECT_EQ(store_->CountInventory().value(), kMany);
  EXPECT_THAT(store_->GetInventory(rows[77'777].ek), testing::IsOk());
}

// ---- documents

TEST_P(StoreContract, DocumentsAreKeptByKindNewestFirst) {
  ASSERT_THAT(store_->PutDocument(Document("aa", "one"), Audit("policy")), testing::IsOk());
  ASSERT_THAT(store_->PutDocument(Document("bb", "two"), Audit("policy")), testing::IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<DocumentRow> rows, store_->ListDocuments("policy"));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].id, "bb");
  EXPECT_EQ(rows[1].text, "one");
  EXPECT_EQ(store_->GetDocument("policy", "aa")->author, "root");
  EXPECT_THAT(store_->GetDocument("reference", "aa"),
              testing::HasCode(absl::StatusCode::kNotFound));
  EXPECT_TRUE(store_->ListDocuments("reference")->empty());
}

TEST_P(StoreContract, DocumentNeverChangesUnderItsId) {
  ASSERT_THAT(store_->PutDocument(Document("aa", "one"), Audit("policy")), testing::IsOk());
  DocumentRow again = Document("aa", "one");
  again.author = "somebody else";
  EXPECT_THAT(store_->PutDocument(again, Audit("policy")), testing::IsOk());
  EXPECT_EQ(store_->GetDocument("policy", "aa")->author, "root");
  EXPECT_EQ(store_->ListDocuments("policy")->size(), 1u);
  EXPECT_THAT(store_->PutDocument(Document("aa", "two"), Audit("policy")),
              testing::HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(AuditRows(), 2u);
}

// ---- versions

TEST_P(StoreContract, VersionsOfANameFollowOneAnother) {
  ASSERT_THAT(store_->PutVersion(Document("aa", "one"), Version("web", 1, "aa"), Audit("push")),
              testing::IsOk());
  VersionRow second = Version("web", 2, "bb");
  second.upload = "header.payload.signature";
  second.signer = "5e";
  ASSERT_THAT(store_->PutVersion(Document("bb", "two"), second, Audit("push")), testing::IsOk());
  ASSERT_THAT(store_->PutVersion(Document("aa", "one"), Version("db", 1, "aa"), Audit("push")),
              testing::IsOk());
  Reopen();
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<VersionRow> web, store_->ListVersions("policy", "web"));
  ASSERT_EQ(web.size(), 2u);
  EXPECT_EQ(web[0].version, 2);
  EXPECT_EQ(web[0].upload, second.upload);
  EXPECT_EQ(web[0].signer, "5e");
  EXPECT_EQ(web[1].document_id, "aa");
  EXPECT_EQ(web[1].author, "root");
  EXPECT_EQ(web[1].at, At(3));
  EXPECT_EQ(store_->ListVersions("policy", "")->size(), 3u);
  EXPECT_TRUE(store_->ListVersions("reference", "")->empty());
  EXPECT_EQ(store_->GetDocument("policy", "bb")->text, "two");
}

// Two operators push at once: the second is told, and nothing of it is stored.
TEST_P(StoreContract, VersionIsGivenOnceAndWithoutGaps) {
  ASSERT_THAT(store_->PutVersion(Document("aa", "one"), Version("web", 1, "aa"), Audit("push")),
              testing::IsOk());
  for (const int64_t number : {0, 1, 3}) {
    EXPECT_THAT(
        store_->PutVersion(Document("bb", "two"), Version("web", number, "bb"), Audit("push")),
        testing::HasCode(absl::StatusCode::kAborted))
        << number;
  }
  EXPECT_EQ(store_->ListVersions("policy", "web")->size(), 1u);
  EXPECT_THAT(store_->GetDocument("policy", "bb"), testing::HasCode(absl::StatusCode::kNotFound));
  EXPECT_EQ(AuditRows(), 1u);
}

// ---- assignments

TEST_P(StoreContract, AssignmentReplacesTheOneOfItsSelector) {
  StoreDocuments();
  ASSERT_THAT(store_->Assign(Enforce("", "aa"), Audit("assign")), testing::IsOk());
  ASSERT_THAT(store_->Assign(Enforce("", "bb"), Audit("assign")), testing::IsOk());
  ASSERT_THAT(store_->Assign(Enforce("role=db", "bb"), Audit("assign")), testing::IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<AssignmentRow> rows, store_->ListAssignments("policy"));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].document_id, "bb");
  EXPECT_EQ(rows[1].selector, "role=db");
  EXPECT_THAT(store_->Assign(Enforce("", "never stored"), Audit("assign")),
              testing::HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(store_->ListAssignments("reference")->empty());
}

TEST_P(StoreContract, WhatIsReportedOnStandsBesideWhatIsEnforcedUntilThatChanges) {
  StoreDocuments();
  AssignmentRow report = Enforce("role=db", "bb");
  report.step = Step::kReport;
  report.name = "web";
  report.version = 2;
  ASSERT_THAT(store_->Assign(Enforce("role=db", "aa"), Audit("assign")), testing::IsOk());
  ASSERT_THAT(store_->Assign(report, Audit("assign")), testing::IsOk());
  ASSERT_THAT(store_->Assign(Enforce("", "aa"), Audit("assign")), testing::IsOk());
  Reopen();
  BG_ASSERT_OK_AND_ASSIGN(std::vector<AssignmentRow> rows, store_->ListAssignments("policy"));
  ASSERT_EQ(rows.size(), 3u) << "another selector's step ends nothing";
  EXPECT_EQ(rows[1].step, Step::kEnforce);
  EXPECT_EQ(rows[2].step, Step::kReport);
  EXPECT_EQ(rows[2].name, "web");
  EXPECT_EQ(rows[2].version, 2);

  ASSERT_THAT(store_->Assign(Enforce("role=db", "bb"), Audit("assign")), testing::IsOk());
  rows = store_->ListAssignments("policy").value();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].document_id, "bb");
  EXPECT_EQ(rows[1].step, Step::kEnforce);
}

TEST_P(StoreContract, AssignmentsCanEnd) {
  StoreDocuments();
  AssignmentRow row = Enforce("", "aa");
  ASSERT_THAT(store_->Assign(row, Audit("assign")), testing::IsOk());
  row.step = Step::kReport;
  ASSERT_THAT(store_->Assign(row, Audit("assign")), testing::IsOk());
  row.step = Step::kEndReport;
  EXPECT_THAT(store_->Assign(row, Audit("assign")),
              testing::HasCode(absl::StatusCode::kInvalidArgument));
  row.document_id.clear();
  ASSERT_THAT(store_->Assign(row, Audit("assign")), testing::IsOk());
  EXPECT_EQ(store_->ListAssignments("policy")->size(), 1u);
  row.step = Step::kEnforce;
  EXPECT_THAT(store_->Assign(row, Audit("assign")),
              testing::HasCode(absl::StatusCode::kInvalidArgument));
  row.step = Step::kEnd;
  ASSERT_THAT(store_->Assign(row, Audit("assign")), testing::IsOk());
  EXPECT_TRUE(store_->ListAssignments("policy")->empty());
  EXPECT_EQ(store_->ListSteps("policy")->size(), 4u);
}

TEST_P(StoreContract, EveryStepStaysInTheHistory) {
  StoreDocuments();
  for (const char* const id : {"aa", "bb"}) {
    ASSERT_THAT(store_->Assign(Enforce("", id), Audit("assign")), testing::IsOk());
  }
  AssignmentRow back = Enforce("", "aa");
  back.step = Step::kRollBack;
  back.why = "the fleet was denied";
  ASSERT_THAT(store_->Assign(back, Audit("assign")), testing::IsOk());
  Reopen();
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<AssignmentRow> steps, store_->ListSteps("policy"));
  ASSERT_EQ(steps.size(), 3u);
  EXPECT_EQ(steps[1].document_id, "bb");
  EXPECT_EQ(steps[2].step, Step::kRollBack);
  EXPECT_EQ(steps[2].why, back.why);
  EXPECT_EQ(steps[2].author, "root");
  EXPECT_LT(steps[0].sequence, steps[1].sequence);
  EXPECT_EQ(store_->ListAssignments("policy")->at(0).sequence, steps[2].sequence);
  EXPECT_TRUE(store_->ListSteps("reference")->empty());
}

TEST_P(StoreContract, StepOnWhatIsNotTheStateAnyMoreIsTurnedAway) {
  StoreDocuments();
  ASSERT_THAT(store_->Assign(Enforce("", "aa"), Audit("assign"), 0), testing::IsOk());
  const int64_t seen = store_->ListSteps("policy")->back().sequence;
  ASSERT_THAT(store_->Assign(Enforce("role=db", "bb"), Audit("assign"), seen), testing::IsOk());
  for (const int64_t stale : {int64_t{0}, seen}) {
    EXPECT_THAT(store_->Assign(Enforce("", "bb"), Audit("assign"), stale),
                testing::HasCode(absl::StatusCode::kAborted));
  }
  EXPECT_EQ(store_->ListSteps("policy")->size(), 2u);
  EXPECT_EQ(AuditRows(), 4u);
}

TEST_P(StoreContract, HostsAreCountedByState) {
  EXPECT_TRUE(store_->CountHosts()->empty());
  for (int i = 1; i <= 3; ++i) {
    host::HostRecord host = Host(i);
    host.trust = i == 3 ? host::Trust::kQuarantined : host::Trust::kTrusted;
    ASSERT_THAT(store_->Apply(Put(host)), testing::IsOk());
  }
  EXPECT_EQ(
      store_->CountHosts().value(),
      (std::map<host::Trust, int64_t>{{host::Trust::kTrusted, 2}, {host::Trust::kQuarantined, 1}}));
}

// ---- audit and change counter

TEST_P(StoreContract, AuditRowsAreChainedWithoutGaps) {
  const host::HostRecord host = Stored(1);
  Commit commit = Put(host);
  commit.audit = {Audit("one"), Audit("two"), Audit("three")};
  ASSERT_THAT(store_->Apply(commit), testing::IsOk());
  EXPECT_THAT(store_->Apply(commit), testing::HasCode(absl::StatusCode::kAborted));
  Reopen();
  ASSERT_THAT(store_->Apply(Put(Host(2))), testing::IsOk());
  EXPECT_EQ(store_->ListAudit(2, 2)->at(0).action, "two");
  EXPECT_EQ(store_->ListAudit(0, 3)->size(), 3u);
  EXPECT_EQ(store_->GetAuditHead()->sequence, 5);
  ExpectWholeAuditChain();
}

TEST_P(StoreContract, ChangeCounterTellsOfEveryWriter) {
  const std::unique_ptr<Store> other = Open();
  const int64_t start = store_->ChangeCounter().value();
  EXPECT_EQ(store_->ChangeCounter().value(), start);
  ASSERT_THAT(store_->Apply(Put(Host(1))), testing::IsOk());
  const int64_t own = store_->ChangeCounter().value();
  EXPECT_NE(own, start);
  ASSERT_THAT(other->Apply(Put(Host(2))), testing::IsOk());
  EXPECT_NE(store_->ChangeCounter().value(), own);
  EXPECT_EQ(store_->GetHost(Host(2).id)->revision, 1u);
}

// ---- many at once

TEST_P(StoreContract, Attack_A14_JoinTokenForOneHasOneWinnerAmong64) {
  ASSERT_THAT(store_->PutJoinToken(Token("t", 1), Audit("token")), testing::IsOk());
  const std::unique_ptr<Store> replica = Open();
  std::atomic<int> won = 0, told_used = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 64; ++i) {
      threads.emplace_back([&, i] {
        Store& store = i % 2 == 0 ? *store_ : *replica;
        const absl::StatusOr<JoinToken> token = store.RedeemJoinToken("t", Secret(), At(1));
        if (token.ok()) ++won;
        if (ReasonOf(token.status()) == Reason::kJoinTokenUsed) ++told_used;
      });
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(told_used, 63);
}

// A commit that loses its race does not take down those that share its transaction.
TEST_P(StoreContract, LosersDoNotHarmTheirBatch) {
  constexpr int kThreads = 16, kEach = 20;
  const host::HostRecord contested = Stored(0);
  std::atomic<int> lost = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 1; thread <= kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < kEach; ++i) {
          EXPECT_THAT(store_->Apply(Put(Host(thread * 1000 + i))), testing::IsOk());
          const absl::Status status = store_->Apply(Put(contested));
          if (status.code() == absl::StatusCode::kAborted) ++lost;
        }
      });
    }
  }
  EXPECT_EQ(lost, kThreads * kEach - 1);
  EXPECT_EQ(store_->GetHost(contested.id)->revision, 2u);
  EXPECT_EQ(store_->ListHosts(nullptr)->size(), size_t{kThreads * kEach + 1});
  EXPECT_EQ(AuditRows(), size_t{kThreads * kEach + 2});
  ExpectWholeAuditChain();
}

}  // namespace bootgate::gatekeeper::store
