#include "gatekeeper/sealing/sealer.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/eventlog/replay.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/approval.h"
#include "common/tpm2/policy_digest.h"
#include "common/tpm2/soft_tpm/soft_ak.h"
#include "common/tpm2/soft_tpm/soft_storage_key.h"
#include "gatekeeper/sealing/approving_key.h"
#include "gatekeeper/sealing/boot_state.h"
#include "gatekeeper/sealing/made_store_test.h"
#include "gatekeeper/sealing/next_state.h"

namespace bootgate::gatekeeper::sealing {
namespace {

using ::bootgate::testing::CorpusFile;
using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using crypto::HashAlg;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
constexpr char kHost[] = "h-00112233445566778899aabbccddeeff";
constexpr uint32_t kCap = 13;

registers::RegisterBank Replayed(const std::string& boot) {
  registers::RegisterBank bank =
      eventlog::ReplayBank(eventlog::Log::Parse(CorpusFile("boots/" + boot + "/eventlog.bin")),
                           HashAlg::kSha256)
          .bank;
  for (uint32_t i = 0; i <= 14; ++i) {
    if (!bank.Has(i)) bank.Set(i, crypto::Digest(HashAlg::kSha256));
  }
  return bank;
}

class SealerTest : public ::testing::Test {
 protected:
  SealerTest() { sealer_ = Sealer::Open(options_, made_.store()).value(); }

  void GiveDiskKey() {
    Vault vault(made_.store(), made_.keys());
    ASSERT_THAT(vault.Put({.name = "disk", .across_boots = true},
                          SecretBytes(AsBytes("the disk's key")), {"operator alice", kNow}),
                IsOk());
  }
  absl::StatusOr<std::optional<evidence::BootSecrets>> Seal(const Bytes& held = {}) {
    BG_ASSIGN_OR_RETURN(const HostSecrets secrets, sealer_->SecretsFor(kHost, {}));
    const tpm2::QuotedPcrs quoted = Quoted();
    const AdmittedHost host{kHost, ek_.area(), quoted, log_, held, kNow};
    BG_RETURN_IF_ERROR(sealer_->Remember(host));
    return sealer_->Seal(host, secrets);
  }
  tpm2::QuotedPcrs Quoted() const {
    const registers::Selection quoted = registers::ParseSelection("sha256:0-14").value();
    const Bytes data(32, 1), name = ak_.qualified_name();
    return tpm2::QuotedPcrs::Verify({ak_.area(), name, quoted, data},
                                    ak_.Quote(quoted, {bank_}, data))
        .value();
  }
  std::string Approve(const Bytes& state, absl::Time expires = kNow + absl::Hours(1)) {
    const auto key = ApprovingKey(made_.keys()).value();
    store::DocumentRow document;
    document.kind = kApprovalKind;
    document.text = ToText(Approval{.selection = StateSelection(options_),
                                    .expires = expires,
                                    .reason = "update",
                                    .states = {{kHost, state}}},
                           *key)
                        .value();
    document.id = crypto::Hash(HashAlg::kSha256, AsBytes(document.text)).hex();
    store::AuditRow audit;
    audit.at = kNow;
    audit.detail_json = "{}";
    EXPECT_THAT(made_.store().PutDocument(document, audit), IsOk());
    store::AssignmentRow row;
    row.kind = kApprovalKind;
    row.selector = ApprovalId(document.id);
    row.document_id = document.id;
    row.at = kNow;
    EXPECT_THAT(made_.store().Assign(row, audit), IsOk());
    return row.selector;
  }
  void Revoke(const std::string& id) {
    store::AuditRow audit;
    audit.at = kNow;
    audit.detail_json = "{}";
    store::AssignmentRow row;
    row.kind = kApprovalKind;
    row.selector = id;
    row.step = store::Step::kEnd;
    row.at = kNow;
    EXPECT_THAT(made_.store().Assign(row, audit), IsOk());
  }
  // What the TPM would compute in this state.
  static Bytes PolicyOver(const registers::Selection& selection,
                          const registers::RegisterBank& bank) {
    const auto digest = tpm2::PcrDigest(HashAlg::kSha256, selection, {bank});
    return ToBytes(
        tpm2::PolicyDigest(HashAlg::kSha256).Pcr(selection, digest.value()).value().view());
  }

  MadeStore made_;
  const Options options_{.folder = made_.keys(),
                         .selection = registers::ParseSelection("sha256:0-9").value(),
                         .cap_register = kCap};
  std::unique_ptr<Sealer> sealer_;
  const tpm2::soft_tpm::SoftStorageKey ek_ =
      tpm2::soft_tpm::SoftStorageKey::MakeEk(tpm2::EkTemplate::kP256Low);
  const tpm2::soft_tpm::SoftAk ak_ = tpm2::soft_tpm::SoftAk::Ecc();
  registers::RegisterBank bank_ = Replayed("good");
  Bytes log_ = CorpusFile("boots/good/eventlog.bin");
};

TEST_F(SealerTest, NothingForAHostWithoutSecretsAcrossBoots) {
  BG_ASSERT_OK_AND_ASSIGN(const auto sealed, Seal());
  EXPECT_FALSE(sealed.has_value());
}

TEST_F(SealerTest, SealedToTheHostWithTheApprovalOfThePresentState) {
  GiveDiskKey();
  BG_ASSERT_OK_AND_ASSIGN(const auto sealed, Seal());
  ASSERT_TRUE(sealed.has_value());
  EXPECT_THAT(evidence::CheckBootSecrets(*sealed, kHost), IsOk());
  EXPECT_EQ(registers::Format(sealed->selection), "sha256:0-9,13");
  ASSERT_THAT(sealed->approvals, SizeIs(1));
  EXPECT_EQ(sealed->approvals[0].policy, PolicyOver(sealed->selection, bank_));
  BG_ASSERT_OK_AND_ASSIGN(const SecretBytes key, ek_.Unseal(sealed->blob));
  BG_ASSERT_OK_AND_ASSIGN(const auto secrets,
                          evidence::OpenBootSecrets(key, kHost, 1, sealed->payload));
  EXPECT_EQ(AsText(secrets.at("disk").view()), "the disk's key");
}

// A67: attested after the cap was extended, the host is given what opens at its next start, not in
// this boot.
TEST_F(SealerTest, A67_TheCapCountsWithItsStartValue) {
  GiveDiskKey();
  const Bytes uncapped = PolicyOver(StateSelection(options_), bank_);
  bank_.Extend(kCap, crypto::Hash(HashAlg::kSha256, AsBytes("cap")));
  BG_ASSERT_OK_AND_ASSIGN(const auto sealed, Seal());
  ASSERT_THAT(sealed->approvals, SizeIs(1));
  EXPECT_EQ(sealed->approvals[0].policy, uncapped);
  EXPECT_NE(sealed->approvals[0].policy, PolicyOver(sealed->selection, bank_));
}

TEST_F(SealerTest, WhatIsHeldIsNotSentAgain) {
  GiveDiskKey();
  BG_ASSERT_OK_AND_ASSIGN(const auto first, Seal());
  BG_ASSERT_OK_AND_ASSIGN(const auto again, Seal(first->content_id));
  EXPECT_TRUE(again->payload.empty());
  EXPECT_EQ(again->content_id, first->content_id);
  EXPECT_THAT(again->approvals, SizeIs(1));
  GiveDiskKey();  // encrypted anew: another document
  BG_ASSERT_OK_AND_ASSIGN(const auto changed, Seal(first->content_id));
  EXPECT_FALSE(changed->payload.empty());
}

TEST_F(SealerTest, ApprovalsStandUntilRevokedAndEndWithTheGeneration) {
  GiveDiskKey();
  BG_ASSERT_OK_AND_ASSIGN(const auto before, Seal());
  const std::string id = Approve(Bytes(32, 9));
  BG_ASSERT_OK_AND_ASSIGN(const auto approved, Seal(before->content_id));
  ASSERT_THAT(approved->approvals, SizeIs(2));
  EXPECT_EQ(approved->approvals[1].policy, Bytes(32, 9));
  EXPECT_TRUE(approved->payload.empty()) << "an approval needs no new object";

  Revoke(id);
  BG_ASSERT_OK_AND_ASSIGN(const auto after, Seal(before->content_id));
  EXPECT_EQ(after->generation, 2u);
  EXPECT_FALSE(after->payload.empty()) << "sealed anew";
  EXPECT_THAT(after->approvals, SizeIs(1));
  // What the host may have kept does not open the new object.
  evidence::BootSecrets mixed = *after;
  mixed.approvals = approved->approvals;
  EXPECT_FALSE(evidence::CheckBootSecrets(mixed, kHost).ok());
}

TEST_F(SealerTest, ExpiredApprovalsAreNotHandedOut) {
  GiveDiskKey();
  Approve(Bytes(32, 9), kNow);
  BG_ASSERT_OK_AND_ASSIGN(const auto sealed, Seal());
  EXPECT_THAT(sealed->approvals, SizeIs(1));
  EXPECT_EQ(sealed->generation, 2u);
}

TEST_F(SealerTest, NeverMoreApprovalsThanAHostTakes) {
  GiveDiskKey();
  for (uint8_t i = 0; i < 2 * evidence::kMaxApprovals; ++i) Approve(Bytes(32, i));
  BG_ASSERT_OK_AND_ASSIGN(const auto sealed, Seal());
  EXPECT_THAT(sealed->approvals, SizeIs(evidence::kMaxApprovals));
  EXPECT_EQ(sealed->approvals[0].policy, PolicyOver(sealed->selection, bank_)) << "the present one";
  EXPECT_EQ(sealed->approvals[1].policy, Bytes(32, 2 * evidence::kMaxApprovals - 1))
      << "the newest";
}

// ---- What operators predict from

// Every event that a real change of the command line gave another digest.
PlannedChange ChangeOf(const std::string& boot) {
  const Bytes before = CorpusFile("boots/good/eventlog.bin");
  const Bytes after = CorpusFile("boots/" + boot + "/eventlog.bin");
  const eventlog::Log log = eventlog::Log::Parse(before), changed = eventlog::Log::Parse(after);
  PlannedChange change;
  for (uint32_t i = 0; i < log.events().size() && i < changed.events().size(); ++i) {
    if (!log.events()[i].Extends()) continue;
    for (const HashAlg bank : log.banks()) {
      const auto old = log.DigestOf(log.events()[i], bank);
      const auto now = changed.DigestOf(changed.events()[i], bank);
      if (old.has_value() && now.has_value() && !SameBytes(*old, *now)) {
        change.replacements.push_back({i, bank, ToBytes(*now)});
      }
    }
  }
  return change;
}

TEST_F(SealerTest, ThePredictedStateIsTheOneThatComes) {
  GiveDiskKey();
  ASSERT_THAT(Seal(), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const BootState state, LastBootState(made_.store(), kHost));
  EXPECT_EQ(state.boot_log, log_);
  BG_ASSERT_OK_AND_ASSIGN(const auto next,
                          NextRegisters(state, ChangeOf("cmdline-changed"), options_.selection));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes foretold, StateOf(options_, next));
  registers::RegisterBank later = Replayed("cmdline-changed");
  EXPECT_EQ(foretold, PolicyOver(StateSelection(options_), later));
}

TEST_F(SealerTest, WhatCannotBeForetoldIsRefused) {
  GiveDiskKey();
  bank_.Extend(8, crypto::Hash(HashAlg::kSha256, AsBytes("by user space")));
  ASSERT_THAT(Seal(), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const BootState state, LastBootState(made_.store(), kHost));
  PlannedChange change = ChangeOf("cmdline-changed");
  const auto refused = NextRegisters(state, change, options_.selection);
  EXPECT_THAT(refused, HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(refused.status().message(), HasSubstr("register 8 of bank sha256"));
  registers::RegisterBank given(HashAlg::kSha256);
  given.Set(8, crypto::Hash(HashAlg::kSha256, AsBytes("told")));
  change.given = {given};
  BG_ASSERT_OK_AND_ASSIGN(const auto next, NextRegisters(state, change, options_.selection));
  EXPECT_EQ(next[0].Get(8), given.Get(8));
  EXPECT_THAT(NextRegisters(state, {}, options_.selection),
              HasCode(absl::StatusCode::kInvalidArgument))
      << "nothing changes";
}

TEST_F(SealerTest, BootStatesAreSharedAndWrittenOnce) {
  GiveDiskKey();
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Seal(), IsOk());
  sealer_ = Sealer::Open(options_, made_.store()).value();  // after a restart
  ASSERT_THAT(Seal(), IsOk());
  EXPECT_THAT(made_.store().ListDocuments(kBootStateKind).value(), SizeIs(1));
  EXPECT_THAT(made_.store().ListSteps(kBootStateKind).value(), SizeIs(1));
  EXPECT_THAT(LastBootState(made_.store(), "h-other"), HasCode(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace bootgate::gatekeeper::sealing
