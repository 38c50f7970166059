#include "gatekeeper/enroll/enroller.h"

#include <functional>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "common/crypto/hash.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/soft_tpm/soft_ak.h"
#include "common/tpm2/soft_tpm/soft_storage_key.h"
#include "gatekeeper/enroll/test_ca.h"
#include "gatekeeper/store/record_codec.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::enroll {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;
using tpm2::soft_tpm::SoftAk;
using tpm2::soft_tpm::SoftStorageKey;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

const TestCa& Vendor() {
  static const TestCa ca(kNow);
  return ca;
}

// A machine with a TPM in software, and its vendor's certificate.
struct Machine {
  explicit Machine(tpm2::EkTemplate which = tpm2::EkTemplate::kP256Low)
      : ek(SoftStorageKey::MakeEk(which)),
        ak(SoftAk::Ecc()),
        certificate(Vendor().CertificateFor(ek.area())) {}
  std::string id() const { return host::HostIdFor(ek.area().Name()); }

  SoftStorageKey ek;
  SoftAk ak;
  Bytes certificate;
};

class EnrollerTest : public ::testing::Test {
 protected:
  EnrollerTest() {
    std::string pattern = ::testing::TempDir() + "/enroll.XXXXXX";
    store_ = store::OpenSqlite(
                 {.path = absl::StrCat(mkdtemp(pattern.data()), "/store.db"), .create = true})
                 .value();
    AddToken("token", 100, false);
    UsePolicy({.mode = EkMode::kChainAndInventory, .anchors = Vendor().Anchors(), .inventory = {}});
  }

  void UsePolicy(EkPolicy policy) {
    enroller_ = std::make_unique<Enroller>(*store_, activations_, clock_, std::move(policy));
  }

  void AddToken(const std::string& id, int uses, bool approves) {
    store::JoinToken token;
    token.id = id;
    token.secret_sha256 =
        ToBytes(crypto::Hash(crypto::HashAlg::kSha256, AsBytes("join secret")).view());
    token.labels = {{"role", id}};
    token.uses_left = uses;
    token.expires_at = kNow + absl::Hours(1);
    token.approves = approves;
    ASSERT_THAT(store_->PutJoinToken(token, store::AuditRow()), IsOk());
  }

  static BeginRequest RequestOf(const Machine& machine, const std::string& token = "token") {
    BeginRequest request;
    request.join_token_id = token;
    request.join_token_secret = ToBytes(AsBytes("join secret"));
    request.ek_public = machine.ek.area().Tpm2b();
    request.ek_certificate = machine.certificate;
    request.ak_public = machine.ak.area().Tpm2b();
    request.hostname = "db7\n";
    return request;
  }

  // What the machine's TPM answers.
  static CompleteRequest AnswerOf(const Machine& machine, const ActivationChallenge& challenge) {
    const Bytes name = machine.ak.area().Name();
    const tpm2::CredentialBlob blob = {.id_object = challenge.id_object,
                                       .encrypted_secret = challenge.encrypted_secret};
    const absl::StatusOr<SecretBytes> secret = machine.ek.ActivateCredential(blob, name);
    EXPECT_THAT(secret, IsOk());
    return {.session_id = challenge.session_id,
            .ak_name = name,
            .activated_secret = secret.ok() ? ToBytes(secret->view()) : Bytes()};
  }

  absl::StatusOr<host::HostRecord> Enrol(const Machine& machine, const BeginRequest& request) {
    const absl::StatusOr<ActivationChallenge> challenge = enroller_->Begin(request);
    if (!challenge.ok()) return challenge.status();
    return enroller_->Complete(AnswerOf(machine, *challenge));
  }
  absl::StatusOr<host::HostRecord> Enrol(const Machine& machine) {
    return Enrol(machine, RequestOf(machine));
  }

  void StoreChanged(const std::string& id, const std::function<void(host::HostRecord&)>& change) {
    store::Commit commit;
    commit.host = store_->GetHost(id).value();
    change(*commit.host);
    commit.audit.emplace_back();
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }

  testing::FakeClock clock_{kNow};
  std::unique_ptr<store::Store> store_;
  session::ActivationBook activations_{clock_, {}};
  std::unique_ptr<Enroller> enroller_;
};

TEST_F(EnrollerTest, HostIsStoredWithItsKeys) {
  const Machine machine;
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord told, Enrol(machine));
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord stored, store_->GetHost(machine.id()));
  EXPECT_EQ(store::EncodeHost(told), store::EncodeHost(stored));
  EXPECT_EQ(stored.ek_public, machine.ek.area().raw);
  EXPECT_EQ(stored.ak_public, machine.ak.area().raw);
  EXPECT_EQ(stored.ak_qualified_name, machine.ak.qualified_name());
  EXPECT_EQ(stored.ek_certificate, machine.certificate);
  EXPECT_EQ(stored.ek_trust, "chain");
  EXPECT_EQ(stored.labels.at("role"), "token");
  EXPECT_EQ(stored.hostname, "db7\\x0a");
  EXPECT_EQ(stored.enrolled_at, kNow);
}

TEST_F(EnrollerTest, EnrolmentLeavesAnAuditRow) {
  const Machine machine;
  ASSERT_THAT(Enrol(machine), IsOk());
  const store::AuditRow row = store_->ListAudit(0, 100)->back();
  EXPECT_EQ(row.actor, absl::StrCat("host ", machine.id()));
  EXPECT_EQ(row.action, "host.enroll");
  EXPECT_EQ(row.subject, machine.id());
  EXPECT_THAT(row.detail_json, HasSubstr(R"("after":{"trust":"pending")"));
}

TEST_F(EnrollerTest, RsaAndP384EksEnrolToo) {
  for (const tpm2::EkTemplate which :
       {tpm2::EkTemplate::kRsa2048Low, tpm2::EkTemplate::kP384High}) {
    EXPECT_THAT(Enrol(Machine(which)), IsOk()) << tpm2::Name(which);
  }
}

// ---- who is approved

TEST_F(EnrollerTest, Attack_A32_GenuineTpmOutsideTheInventoryWaitsForApproval) {
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord host, Enrol(Machine()));
  EXPECT_EQ(host.trust, host::Trust::kPending);
  EXPECT_FALSE(host.approved);
}

TEST_F(EnrollerTest, Attack_A34_FirstContactGivesNoCredentialAndNoEffect) {
  const Machine machine;
  ASSERT_THAT(Enrol(machine), IsOk());
  EXPECT_TRUE(store_->ListCredentials(machine.id())->empty());
  EXPECT_TRUE(store_->PendingEffects(10)->empty());
}

TEST_F(EnrollerTest, InventoriedHostIsApprovedAndStillPending) {
  const Machine machine;
  UsePolicy({.mode = EkMode::kChainAndInventory,
             .anchors = Vendor().Anchors(),
             .inventory = {machine.id()}});
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord host, Enrol(machine));
  EXPECT_TRUE(host.approved);
  EXPECT_EQ(host.trust, host::Trust::kPending);
  EXPECT_EQ(host.ek_trust, "chain+inventory");
}

TEST_F(EnrollerTest, ApprovingTokenApprovesAnEkWithAChain) {
  AddToken("approves", 1, true);
  const Machine machine;
  EXPECT_TRUE(Enrol(machine, RequestOf(machine, "approves"))->approved);
}

TEST_F(EnrollerTest, NothingButAnOperatorApprovesAnEkWithoutCertificate) {
  AddToken("approves", 1, true);
  const Machine machine;
  BeginRequest request = RequestOf(machine, "approves");
  request.ek_certificate.clear();
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord host, Enrol(machine, request));
  EXPECT_EQ(host.ek_trust, "none");
  EXPECT_FALSE(host.approved);
}

// ---- join tokens

TEST_F(EnrollerTest, JoinTokenIsUsedUpByCompletingNotByBeginning) {
  AddToken("once", 1, false);
  const Machine one, two;
  BG_ASSERT_OK_AND_ASSIGN(const ActivationChallenge first,
                          enroller_->Begin(RequestOf(one, "once")));
  BG_ASSERT_OK_AND_ASSIGN(const ActivationChallenge second,
                          enroller_->Begin(RequestOf(two, "once")));
  EXPECT_THAT(enroller_->Complete(AnswerOf(one, first)), IsOk());
  EXPECT_THAT(enroller_->Complete(AnswerOf(two, second)), Refuses(Reason::kJoinTokenUsed));
  EXPECT_THAT(store_->GetHost(two.id()), HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(enroller_->Begin(RequestOf(two, "once")), Refuses(Reason::kJoinTokenUsed));
}

TEST_F(EnrollerTest, WrongJoinTokenIsRefusedBeforeAnyKeyIsRead) {
  BeginRequest request = RequestOf(Machine());
  request.ek_public = {0xff};
  request.join_token_secret.push_back(0);
  EXPECT_THAT(enroller_->Begin(request), Refuses(Reason::kJoinTokenUnknown));
  request = RequestOf(Machine());
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(enroller_->Begin(request), Refuses(Reason::kJoinTokenExpired));
}

TEST_F(EnrollerTest, OversizedCertificatesAreRefusedFirst) {
  BeginRequest request = RequestOf(Machine());
  request.join_token_id = "unknown";
  request.ek_intermediates.resize(kMaxIntermediates + 1);
  EXPECT_THAT(enroller_->Begin(request), Refuses(Reason::kMessageTooLarge));
  request.ek_intermediates.clear();
  request.ek_certificate.resize(kMaxCertificate + 1);
  EXPECT_THAT(enroller_->Begin(request), Refuses(Reason::kMessageTooLarge));
}

// ---- keys

TEST_F(EnrollerTest, Attack_A19_CertificateOfAnotherTpmIsRefused) {
  const Machine genuine, attacker;
  BeginRequest request = RequestOf(attacker);
  request.ek_certificate = genuine.certificate;
  EXPECT_THAT(enroller_->Begin(request), Refuses(Reason::kEkCertKeyMismatch));
}

// Genuine EK and certificate, an AK outside that TPM: only the genuine TPM could open the secret,
// and it does so for a key of its own alone.
TEST_F(EnrollerTest, Attack_A19_SecretIsWrappedToTheCertifiedEk) {
  const Machine genuine, attacker;
  BeginRequest request = RequestOf(genuine);
  request.ak_public = attacker.ak.area().Tpm2b();
  BG_ASSERT_OK_AND_ASSIGN(const ActivationChallenge challenge, enroller_->Begin(request));
  const tpm2::CredentialBlob blob = {.id_object = challenge.id_object,
                                     .encrypted_secret = challenge.encrypted_secret};
  EXPECT_FALSE(attacker.ek.ActivateCredential(blob, attacker.ak.area().Name()).ok());
  EXPECT_FALSE(genuine.ek.ActivateCredential(blob, genuine.ak.area().Name()).ok());
}

TEST_F(EnrollerTest, Attack_A20_TheAkThatWasActivatedIsTheAkStored) {
  const Machine machine;
  const SoftAk other = SoftAk::Ecc();
  BG_ASSERT_OK_AND_ASSIGN(const ActivationChallenge challenge,
                          enroller_->Begin(RequestOf(machine)));
  CompleteRequest answer = AnswerOf(machine, challenge);
  answer.ak_name = other.area().Name();
  EXPECT_THAT(enroller_->Complete(answer), Refuses(Reason::kAkNameMismatch));
  EXPECT_THAT(enroller_->Complete(AnswerOf(machine, challenge)), IsOk());
  EXPECT_EQ(store_->GetHost(machine.id())->ak_public, machine.ak.area().raw);
}

TEST_F(EnrollerTest, Attack_A21_WrongAnswerStoresNothing) {
  const Machine machine;
  BG_ASSERT_OK_AND_ASSIGN(const ActivationChallenge challenge,
                          enroller_->Begin(RequestOf(machine)));
  CompleteRequest answer = AnswerOf(machine, challenge);
  answer.activated_secret[0] ^= 1;
  EXPECT_THAT(enroller_->Complete(answer), Refuses(Reason::kActivationFailed));
  EXPECT_THAT(store_->GetHost(machine.id()), HasCode(absl::StatusCode::kNotFound));
  EXPECT_EQ(
      store_
          ->CheckJoinToken(
              "token", crypto::Hash(crypto::HashAlg::kSha256, AsBytes("join secret")).view(), kNow)
          ->uses_left,
      100);
}

struct UnfitAk {
  const char* name;
  std::function<void(tpm2::soft_tpm::AreaFields&)> spoil;
  Reason reason;
};
void PrintTo(const UnfitAk& row, std::ostream* os) { *os << row.name; }
class UnfitAkTest : public EnrollerTest, public ::testing::WithParamInterface<UnfitAk> {};

TEST_P(UnfitAkTest, Attack_A22_A23_IsRefusedBeforeAnySecretIsWrapped) {
  const Machine machine;
  tpm2::soft_tpm::AreaFields fields;
  GetParam().spoil(fields);
  BeginRequest request = RequestOf(machine);
  request.ak_public = tpm2::soft_tpm::Area(machine.ak.key().Public(), fields).Tpm2b();
  EXPECT_THAT(enroller_->Begin(request), Refuses(GetParam().reason));
}

using tpm2::soft_tpm::AreaFields;
INSTANTIATE_TEST_SUITE_P(
    Attack, UnfitAkTest,
    ::testing::ValuesIn(std::vector<UnfitAk>{
        {"NotFixedTpm", [](AreaFields& f) { f.attributes &= ~tpm2::attribute::kFixedTpm; },
         Reason::kAkAttributes},
        {"NotFixedParent", [](AreaFields& f) { f.attributes &= ~tpm2::attribute::kFixedParent; },
         Reason::kAkAttributes},
        {"Imported", [](AreaFields& f) { f.attributes &= ~tpm2::attribute::kSensitiveDataOrigin; },
         Reason::kAkAttributes},
        {"NotRestricted", [](AreaFields& f) { f.attributes &= ~tpm2::attribute::kRestricted; },
         Reason::kAkAttributes},
        {"NameAlgSha1", [](AreaFields& f) { f.name_alg = crypto::HashAlg::kSha1; },
         Reason::kAkNameAlg},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(EnrollerTest, BytesThatAreNoPublicAreaAreRefused) {
  for (const Bytes& junk : {Bytes(), Bytes{0x00}, Bytes{0xff, 0xff, 0x00}, Bytes(400, 0x41)}) {
    BeginRequest request = RequestOf(Machine());
    request.ek_public = junk;
    EXPECT_THAT(enroller_->Begin(request), Refuses(Reason::kTpmMarshal));
    request = RequestOf(Machine());
    request.ak_public = junk;
    EXPECT_THAT(enroller_->Begin(request), Refuses(Reason::kTpmMarshal));
  }
}

// ---- hosts that are known

TEST_F(EnrollerTest, EnrollingAgainTakesTheNewAkAndKeepsTheRest) {
  Machine machine;
  ASSERT_THAT(Enrol(machine), IsOk());
  StoreChanged(machine.id(), [](host::HostRecord& host) {
    host.trust = host::Trust::kTrusted;
    host.approved = true;
    host.last_boot = host::BootMark{.reset_count = 9, .restart_count = 0, .clock_ms = 1};
  });
  machine.ak = SoftAk::Ecc();
  clock_.Advance(absl::Minutes(5));
  AddToken("other", 1, false);
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord host, Enrol(machine, RequestOf(machine, "other")));
  EXPECT_EQ(host.ak_public, machine.ak.area().raw);
  EXPECT_EQ(host.trust, host::Trust::kTrusted);
  EXPECT_TRUE(host.approved);
  EXPECT_EQ(host.last_boot->reset_count, 9u);
  EXPECT_EQ(host.labels.at("role"), "token");
  EXPECT_EQ(host.enrolled_at, kNow);
  EXPECT_EQ(store_->ListAudit(0, 100)->back().action, "host.reenroll");
}

TEST_F(EnrollerTest, Attack_A81_EnrollingAgainNeverClearsAQuarantine) {
  for (const host::Trust held :
       {host::Trust::kQuarantined, host::Trust::kInvestigating, host::Trust::kRemediated}) {
    Machine machine;
    ASSERT_THAT(Enrol(machine), IsOk());
    StoreChanged(machine.id(), [&](host::HostRecord& host) {
      host.trust = held;
      host.trust_since = kNow - absl::Hours(1);
      host.reasons = {"SECURE_BOOT_OFF"};
      host.quarantined_boot = host::BootMark{.reset_count = 4, .restart_count = 0, .clock_ms = 1};
    });
    machine.ak = SoftAk::Ecc();
    BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord host, Enrol(machine));
    EXPECT_EQ(host.trust, held);
    EXPECT_EQ(host.trust_since, kNow - absl::Hours(1));
    EXPECT_EQ(host.reasons.size(), 1u);
    EXPECT_EQ(host.quarantined_boot->reset_count, 4u);
  }
}

TEST_F(EnrollerTest, RetiredHostDoesNotComeBackByItself) {
  const Machine machine;
  ASSERT_THAT(Enrol(machine), IsOk());
  StoreChanged(machine.id(), [](host::HostRecord& host) { host.trust = host::Trust::kRetired; });
  EXPECT_THAT(Enrol(machine), Refuses(Reason::kHostRetired));
  EXPECT_EQ(store_->GetHost(machine.id())->trust, host::Trust::kRetired);
}

TEST_F(EnrollerTest, Attack_A24_HostIdOfAnotherEkIsRefusedAndTheRecordIsUntouched) {
  const Machine victim, attacker;
  ASSERT_THAT(Enrol(victim), IsOk());
  StoreChanged(victim.id(),
               [&](host::HostRecord& host) { host.ek_public = attacker.ek.area().raw; });
  const Bytes before = store::EncodeHost(store_->GetHost(victim.id()).value());
  EXPECT_THAT(Enrol(victim), Refuses(Reason::kHostIdBound));
  EXPECT_EQ(store::EncodeHost(store_->GetHost(victim.id()).value()), before);
  EXPECT_EQ(store_->ListAudit(0, 100)->back().action, "enroll.refused");
}

TEST_F(EnrollerTest, RevisionToldIsTheOneStored) {
  const Machine machine;
  BG_ASSERT_OK_AND_ASSIGN(const host::HostRecord host, Enrol(machine));
  EXPECT_EQ(host.revision, 1u);
  EXPECT_EQ(Enrol(machine)->revision, 2u);
}

}  // namespace
}  // namespace bootgate::gatekeeper::enroll
