// What happens between the TPM and us is watched and disturbed here.

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <random>

#include "agent/tpm/internal/context.h"
#include "agent/tpm/internal/operations.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "tests/desk/tpm_fixture.h"

namespace bootgate::agent::tpm {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using crypto::HashAlg;
using desk::TpmTest;
using tpm2::EkTemplate;

constexpr uint32_t kActivateCredential = 0x147, kUnseal = 0x15e, kQuote = 0x158;
const registers::Selection kSealed = {{HashAlg::kSha256, 1u << 7 | 1u << 11}};
const Bytes kQualifying(32, 0x5a);

class Attack : public TpmTest {
 protected:
  absl::StatusOr<tpm2::ImportBlob> Seal(Tpm& tpm, const SecretBytes& data) {
    BG_ASSIGN_OR_RETURN(const auto banks, tpm.ReadRegisters(kSealed));
    BG_ASSIGN_OR_RETURN(const Bytes policy, PcrPolicy(kSealed, banks));
    BG_ASSIGN_OR_RETURN(const auto ek, tpm.EkPublic(EkTemplate::kP256Low));
    return tpm2::SealForImport(ek, policy, data);
  }
  absl::StatusOr<tpm2::ImportBlob> SealTo(Tpm& tpm, EkTemplate which) {
    BG_ASSIGN_OR_RETURN(const auto banks, tpm.ReadRegisters(kSealed));
    BG_ASSIGN_OR_RETURN(const Bytes policy, PcrPolicy(kSealed, banks));
    BG_ASSIGN_OR_RETURN(const auto ek, tpm.EkPublic(which));
    return tpm2::SealForImport(ek, policy, crypto::RandomSecret(32));
  }
  void Flip(uint32_t code, size_t from_end) {
    bus_.change_response = [=](ByteView command, Bytes& response) {
      if (desk::CommandCode(command) == code) response[response.size() - 1 - from_end] ^= 1;
    };
  }
};

TEST_F(Attack, A62_SecretsNeverCrossTheBusInClear) {
  const SecretBytes credential = crypto::RandomSecret(32), data = crypto::RandomSecret(32);
  BG_ASSERT_OK_AND_ASSIGN(const auto ek, tpm_->EkPublic(EkTemplate::kP256Low));
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(AkKind::kEcc));
  const PinnedEk pinned = PinnedEk::FromName(EkTemplate::kP256Low, ek.Name());
  BG_ASSERT_OK_AND_ASSIGN(const auto offer, tpm2::MakeCredential(ek, ak.Name(), credential));
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(*tpm_, data));
  ASSERT_THAT(tpm_->ActivateCredential(pinned, AkKind::kEcc, offer), IsOk());
  ASSERT_THAT(tpm_->Unseal(pinned, blob, kSealed), IsOk());
  EXPECT_FALSE(bus_.Carried(credential.view()));
  EXPECT_FALSE(bus_.Carried(data.view()));
  // The recording is a real one: what is public did cross.
  EXPECT_TRUE(bus_.Carried(ak.raw));
  EXPECT_TRUE(bus_.Carried(blob.duplicate));
}

TEST_F(Attack, A62_ChangedAnswerIsNoticedAndTheNextOperationWorks) {
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, EkTemplate::kP256Low));
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(*tpm_, crypto::RandomSecret(32)));
  Flip(kUnseal, 0);  // the last byte of the last session's HMAC
  EXPECT_THAT(tpm_->Unseal(ek, blob, kSealed), Refuses(Reason::kTpmResponseHmac));
  bus_.change_response = nullptr;
  EXPECT_THAT(tpm_->Unseal(ek, blob, kSealed), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const LoadedHandles after, tpm_->CountHandles());
  EXPECT_EQ(after.objects + after.sessions, 0u);
}

// Who sits on the bus asks the TPM for the secret in clear, in our name.
TEST_F(Attack, A62_TheTpmDoesNotAnswerACommandWhoseEncryptionWasTakenAway) {
  constexpr size_t kNonceSize = 22;  // behind header, object, size of the area, session
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, EkTemplate::kP256Low));
  const SecretBytes data = crypto::RandomSecret(32);
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(*tpm_, data));
  int changed = 0;
  bus_.change_command = [&](Bytes& command) {
    if (desk::CommandCode(command) != kUnseal) return;
    const size_t attributes = kNonceSize + 2 + command.at(kNonceSize + 1);
    ASSERT_NE(command.at(attributes) & TPMA_SESSION_ENCRYPT, 0);
    command.at(attributes) &= static_cast<uint8_t>(~TPMA_SESSION_ENCRYPT);
    ++changed;
  };
  EXPECT_FALSE(tpm_->Unseal(ek, blob, kSealed).ok());
  EXPECT_EQ(changed, 1);
  EXPECT_FALSE(bus_.Carried(data.view()));
  bus_.change_command = nullptr;
  EXPECT_THAT(tpm_->Unseal(ek, blob, kSealed), IsOk());
}

TEST_F(Attack, A62_AnotherKeyThanThePinnedOneSaltsNothing) {
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(*tpm_, crypto::RandomSecret(32)));
  BG_ASSERT_OK_AND_ASSIGN(const auto other, tpm_->EkPublic(EkTemplate::kP256High));
  const PinnedEk wrong = PinnedEk::FromName(EkTemplate::kP256Low, other.Name());
  bus_.commands.clear();
  EXPECT_THAT(tpm_->Unseal(wrong, blob, kSealed), Refuses(Reason::kTpmReplaced));
  EXPECT_THAT(tpm_->ActivateCredential(wrong, AkKind::kEcc, {}), Refuses(Reason::kTpmReplaced));
  for (const Bytes& command : bus_.commands) {
    EXPECT_NE(desk::CommandCode(command), kUnseal);
    EXPECT_NE(desk::CommandCode(command), kActivateCredential);
  }
}

// A persistent EK saves making it; what salts a session must be the key with the pinned Name, not
// one that somebody shows under that Name.
TEST_F(Attack, A62_KeyShownUnderThePinnedNameSaltsNothing) {
  constexpr uint32_t kReadPublic = 0x173, kStartAuthSession = 0x176;
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, EkTemplate::kRsa2048Low));
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, SealTo(*tpm_, EkTemplate::kRsa2048Low));
  const auto salted_to_the_handle = [&] {
    constexpr std::array<uint8_t, 4> kHandle = {0x81, 0x01, 0x00, 0x01};
    return std::ranges::any_of(bus_.commands, [&](const Bytes& command) {
      return desk::CommandCode(command) == kStartAuthSession &&
             SameBytes(ByteView(command).subspan(10, 4), kHandle);
    });
  };
  ASSERT_THAT(tpm_->Unseal(ek, blob, kSealed), IsOk());
  ASSERT_TRUE(salted_to_the_handle()) << "honest TPMs are taken at their word";
  for (const int lies : {1, 2, 3}) {  // bits: the first answer, the second
    Reopen({.tcti = host_->tcti()});
    bus_.commands.clear();
    int reads = 0;
    bus_.change_response = [&](ByteView command, Bytes& response) {
      if (desk::CommandCode(command) != kReadPublic) return;
      if ((lies >> std::min(reads++, 1) & 1) != 0) response[200] ^= 1;  // in the modulus
    };
    tpm_->Unseal(ek, blob, kSealed).IgnoreError();
    EXPECT_GT(reads, 0);
    EXPECT_FALSE(salted_to_the_handle()) << lies;
    bus_.change_response = nullptr;
  }
}

// ---- what is made ready ahead

class Ready : public Attack {
 protected:
  static constexpr uint32_t kStartAuthSession = 0x176;

  void SetUp() override {
    Attack::SetUp();
    BG_ASSERT_OK_AND_ASSIGN(ek_, Pin(*tpm_, EkTemplate::kP256Low));
    BG_ASSERT_OK_AND_ASSIGN(blob_, Seal(*tpm_, data_));
    bus_.commands.clear();
  }
  long Sent(uint32_t code) {  // NOLINT(google-runtime-int)
    return std::ranges::count_if(
        bus_.commands, [&](const Bytes& command) { return desk::CommandCode(command) == code; });
  }
  // Behind all that was asked of the owner thread.
  size_t SessionsHeld() {
    const absl::StatusOr<LoadedHandles> handles = tpm_->CountHandles();
    EXPECT_THAT(handles, IsOk());
    return handles.ok() ? handles->sessions : ~size_t{0};
  }
  void ExpectOpens() {
    const absl::StatusOr<SecretBytes> opened = tpm_->Unseal(*ek_, blob_, kSealed);
    ASSERT_THAT(opened, IsOk());
    EXPECT_TRUE(opened->ConstantTimeEquals(data_.view()));
  }

  const SecretBytes data_ = crypto::RandomSecret(32);
  std::optional<PinnedEk> ek_;
  tpm2::ImportBlob blob_;
};

TEST_F(Ready, UnsealStartsNoSessionOfItsOwn) {
  tpm_->GetReadyToUnseal(*ek_);
  ExpectOpens();
  EXPECT_EQ(Sent(kStartAuthSession), 2);
  ExpectOpens();
  EXPECT_EQ(Sent(kStartAuthSession), 4) << "good once";
  EXPECT_FALSE(bus_.Carried(data_.view()));
  EXPECT_EQ(SessionsHeld(), 0u);
}

TEST_F(Ready, NothingStaysOfWhatNobodyUses) {
  tpm_->GetReadyToUnseal(*ek_);
  tpm_->DropReady();
  EXPECT_EQ(SessionsHeld(), 0u);
  tpm_->GetReadyToUnseal(*ek_);
  tpm_->GetReadyToUnseal(*ek_);
  EXPECT_EQ(SessionsHeld(), 0u) << "another operation has all sessions for itself";
  EXPECT_EQ(Sent(kStartAuthSession), 6);
  tpm_->GetReadyToUnseal(*ek_);
  tpm_.reset();
  Reopen({.tcti = host_->tcti(), .leftovers = Leftovers::kKeep});
  EXPECT_EQ(SessionsHeld(), 0u);
}

TEST_F(Ready, ForAnotherEkItIsMadeAnew) {
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk other, Pin(*tpm_, EkTemplate::kRsa2048Low));
  tpm_->GetReadyToUnseal(other);
  ExpectOpens();
  EXPECT_EQ(SessionsHeld(), 0u);
}

TEST_F(Ready, AFailureMeansThatUnsealBeginsAnew) {
  bus_.change_response = [&](ByteView command, Bytes& response) {
    if (desk::CommandCode(command) == kStartAuthSession) response.resize(3);
  };
  tpm_->GetReadyToUnseal(*ek_);
  EXPECT_EQ(SessionsHeld(), 0u);
  EXPECT_GE(Sent(kStartAuthSession), 1);
  bus_.change_response = nullptr;
  ExpectOpens();
}

TEST_F(Ready, AStateThatChangedMeanwhileOpensNothing) {
  tpm_->GetReadyToUnseal(*ek_);
  ASSERT_THAT(host_->Extend(7, "another state"), IsOk());
  EXPECT_THAT(tpm_->Unseal(*ek_, blob_, kSealed), Refuses(Reason::kTpmPolicy));
  EXPECT_EQ(SessionsHeld(), 0u);
}

// ---- A63: answers of every length and content

struct Lie {
  const char* name;
  std::function<void(Bytes& response, std::mt19937& random)> tell;
};
void PrintTo(const Lie& row, std::ostream* os) { *os << row.name; }

void Overwrite(Bytes& response, size_t from, size_t size) {
  for (size_t i = from; i < from + size && i < response.size(); ++i) response[i] = 0xff;
}

const Lie kLies[] = {
    {"HeaderOnly", [](Bytes& response, auto&) { response.resize(10); }},
    {"Cut", [](Bytes& response, auto&) { response.resize(response.size() / 2 + 1); }},
    {"Longer", [](Bytes& response, auto&) { response.resize(response.size() + 64, 0xee); }},
    {"SizeOfEverything", [](Bytes& response, auto&) { Overwrite(response, 2, 4); }},
    {"FirstSizes",
     [](Bytes& response, auto&) {
       Overwrite(response, 10, 2);
       Overwrite(response, 18, 2);
     }},
    {"CountOfAList", [](Bytes& response, auto&) { Overwrite(response, 15, 4); }},
    {"AllOnes", [](Bytes& response, auto&) { Overwrite(response, 10, response.size()); }},
    {"FlippedBits",
     [](Bytes& response, auto& random) {
       for (int i = 0; i < 4; ++i)
         response[random() % response.size()] ^= static_cast<uint8_t>(1u << random() % 8);
     }},
};

class A63_Answer : public Attack, public ::testing::WithParamInterface<Lie> {
 protected:
  // All that the agent asks of a TPM, once. Whatever it says is OK must be right.
  void EverythingOnce() {
    absl::StatusOr<std::unique_ptr<Tpm>> opened = internal::OpenTpm(
        {.tcti = host_->tcti(), .command_attempts = 1}, desk::Tapped(host_->tcti(), bus_));
    if (!opened.ok()) return;
    Tpm& tpm = **opened;
    tpm.EkCertificates().IgnoreError();
    tpm.ReadHealth().IgnoreError();
    tpm.CheckPinned(*ek_).IgnoreError();
    const auto activated = tpm.ActivateCredential(*ek_, AkKind::kEcc, offer_);
    if (activated.ok()) {
      EXPECT_TRUE(activated->ConstantTimeEquals(secret_.view()));
    }
    tpm.Quote(AkKind::kEcc, kSealed, kQualifying).IgnoreError();
    tpm.CertifyIdentityKey(AkKind::kEcc, Bytes(32), kQualifying).IgnoreError();
    const auto unsealed = tpm.Unseal(*ek_, blob_, kSealed);
    if (unsealed.ok()) {
      EXPECT_TRUE(unsealed->ConstantTimeEquals(sealed_.view()));
    }
  }

  void SetUp() override {
    Attack::SetUp();
    BG_ASSERT_OK_AND_ASSIGN(const auto ek, tpm_->EkPublic(EkTemplate::kP256Low));
    BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(AkKind::kEcc));
    ek_ = PinnedEk::FromName(EkTemplate::kP256Low, ek.Name());
    BG_ASSERT_OK_AND_ASSIGN(offer_, tpm2::MakeCredential(ek, ak.Name(), secret_));
    BG_ASSERT_OK_AND_ASSIGN(blob_, Seal(*tpm_, sealed_));
    tpm_.reset();
  }

  const SecretBytes secret_ = crypto::RandomSecret(32), sealed_ = crypto::RandomSecret(32);
  std::optional<PinnedEk> ek_;
  tpm2::CredentialBlob offer_;
  tpm2::ImportBlob blob_;
};

TEST_P(A63_Answer, ThatLiesEndsInAnErrorEachInTurn) {
  std::mt19937 random(63);
  bus_.responses.clear();
  EverythingOnce();
  const size_t answers = bus_.responses.size();
  ASSERT_GT(answers, 60u);
  for (size_t lie = 0; lie < answers; ++lie) {
    size_t number = 0;
    bus_.change_response = [&](ByteView, Bytes& response) {
      if (number++ == lie) GetParam().tell(response, random);
    };
    EverythingOnce();
  }
  bus_.change_response = nullptr;
  Reopen({.tcti = host_->tcti()});
  EXPECT_THAT(tpm_->Unseal(*ek_, blob_, kSealed), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const LoadedHandles now, tpm_->CountHandles());
  EXPECT_EQ(now.objects + now.sessions + now.saved_sessions, 0u);
}

INSTANTIATE_TEST_SUITE_P(Lies, A63_Answer, ::testing::ValuesIn(kLies),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(Attack, A63_LyingAnswersAreErrorsAndNothingWorse) {
  std::mt19937 random(63);
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, EkTemplate::kP256Low));
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(*tpm_, crypto::RandomSecret(32)));
  const std::vector<std::function<absl::Status()>> operations = {
      [&] { return tpm_->Quote(AkKind::kEcc, kSealed, kQualifying).status(); },
      [&] { return tpm_->EkCertificates().status(); },
      [&] { return tpm_->Unseal(ek, blob, kSealed).status(); },
      [&] { return tpm_->CertifyIdentityKey(AkKind::kEcc, Bytes(32), kQualifying).status(); }};
  for (int round = 0; round < 300; ++round) {
    // One answer of each operation is changed: cut, lengthened, or a byte set to anything.
    size_t until = random() % 12;
    bus_.change_response = [&](ByteView, Bytes& response) {
      if (until-- != 0) return;
      switch (random() % 3) {
        case 0:
          response.resize(random() % response.size() + 1);
          break;
        case 1:
          response.resize(response.size() + random() % 64, 0xee);
          break;
        default:
          response[random() % response.size()] = static_cast<uint8_t>(random());
          break;
      }
    };
    operations[static_cast<size_t>(round) % operations.size()]().IgnoreError();
  }
  bus_.change_response = nullptr;
  bus_.commands.clear();
  ASSERT_THAT(host_->Reboot(Case()), IsOk());
  EXPECT_THAT(tpm_->Unseal(ek, blob, kSealed), IsOk());
}

TEST_F(Attack, A66_SealedToOneTpmAndOneStateOpensNowhereElse) {
  const desk::ScratchFolder elsewhere;
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(*tpm_, crypto::RandomSecret(32)));
  BG_ASSERT_OK_AND_ASSIGN(const auto other_host,
                          desk::Host::Up({.folder = elsewhere.path(), .case_folder = Case()}));
  BG_ASSERT_OK_AND_ASSIGN(const auto other, Tpm::Open({.tcti = other_host->tcti()}));
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk other_ek, Pin(*other, EkTemplate::kP256Low));
  EXPECT_THAT(other->Unseal(other_ek, blob, kSealed), Refuses(Reason::kTpmIntegrity));

  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, EkTemplate::kP256Low));
  ASSERT_THAT(host_->Extend(7, "another state"), IsOk());
  EXPECT_THAT(tpm_->Unseal(ek, blob, kSealed), Refuses(Reason::kTpmPolicy));
}

TEST_F(Attack, A67_CapEndsUnsealingUntilTheNextBoot) {
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(*tpm_, crypto::RandomSecret(32)));
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, EkTemplate::kP256Low));
  ASSERT_THAT(tpm_->Unseal(ek, blob, kSealed), IsOk());
  ASSERT_THAT(tpm_->Cap(11), IsOk());
  EXPECT_THAT(tpm_->Unseal(ek, blob, kSealed), Refuses(Reason::kTpmPolicy));
  ASSERT_THAT(host_->Reboot(Case()), IsOk());
  EXPECT_THAT(tpm_->Unseal(ek, blob, kSealed), IsOk());
}

// Loads two objects and two sessions and forgets them, as a killed process does.
absl::Status LeaveThingsBehind(const std::string& tcti) {
  internal::Context context({.tcti = tcti, .leftovers = Leftovers::kKeep},
                            internal::TctiByName(tcti));
  BG_RETURN_IF_ERROR(context.EnsureOpen());
  const TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
  for (const TPM2_SE kind : {TPM2_SE_HMAC, TPM2_SE_POLICY}) {
    BG_ASSIGN_OR_RETURN(const auto key, internal::LoadAk(context, AkKind::kEcc));
    TPMS_CONTEXT* saved = nullptr;
    BG_RETURN_IF_ERROR(context.Call(
        "save", [&] { return Esys_ContextSave(context.esys(), key.handle.get(), &saved); }));
    ESYS_TR object = ESYS_TR_NONE, session = ESYS_TR_NONE;
    const absl::Status loaded =
        context.Call("load", [&] { return Esys_ContextLoad(context.esys(), saved, &object); });
    Esys_Free(saved);
    BG_RETURN_IF_ERROR(loaded);
    BG_RETURN_IF_ERROR(context.Call("session", [&] {
      return Esys_StartAuthSession(context.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                   ESYS_TR_NONE, ESYS_TR_NONE, nullptr, kind, &none,
                                   TPM2_ALG_SHA256, &session);
    }));
  }
  return absl::OkStatus();
}

TEST_F(Attack, A68_LeftoversOfAKilledProcessAreCleanedAtTheStart) {
  ASSERT_THAT(LeaveThingsBehind(host_->tcti()), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const LoadedHandles left, tpm_->CountHandles());
  EXPECT_EQ(left.objects, 2u);
  EXPECT_EQ(left.sessions, 2u);
  Reopen({.tcti = host_->tcti()});
  BG_ASSERT_OK_AND_ASSIGN(const LoadedHandles now, tpm_->CountHandles());
  EXPECT_EQ(now.objects + now.sessions + now.saved_sessions, 0u);
  EXPECT_THAT(tpm_->Quote(AkKind::kEcc, kSealed, kQualifying), IsOk());
}

TEST_F(Attack, A68_WorksBesideSomebodyWhoHoldsAnObjectAndASession) {
  internal::Context other({.tcti = host_->tcti(), .leftovers = Leftovers::kKeep},
                          internal::TctiByName(host_->tcti()));
  ASSERT_THAT(other.EnsureOpen(), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto object, internal::LoadAk(other, AkKind::kEcc));
  BG_ASSERT_OK_AND_ASSIGN(const auto session, internal::StartPcrPolicySession(other, kSealed));
  Reopen({.tcti = host_->tcti(), .leftovers = Leftovers::kKeep});

  // Two objects and two sessions are left of the TPM's three and three.
  BG_ASSERT_OK_AND_ASSIGN(const auto ek, tpm_->EkPublic(EkTemplate::kP256Low));
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(AkKind::kEcc));
  const PinnedEk pinned = PinnedEk::FromName(EkTemplate::kP256Low, ek.Name());
  BG_ASSERT_OK_AND_ASSIGN(const auto offer,
                          tpm2::MakeCredential(ek, ak.Name(), crypto::RandomSecret(32)));
  EXPECT_THAT(tpm_->ActivateCredential(pinned, AkKind::kEcc, offer), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(*tpm_, crypto::RandomSecret(32)));
  EXPECT_THAT(tpm_->Unseal(pinned, blob, kSealed), IsOk());
  EXPECT_THAT(tpm_->CertifyIdentityKey(AkKind::kEcc, Bytes(32), kQualifying), IsOk());
  EXPECT_THAT(tpm_->Quote(AkKind::kRsa, kSealed, kQualifying), IsOk());
}

TEST_F(Attack, A68_BusyTpmIsAskedAgainWithGrowingPatience) {
  std::vector<absl::Duration> waits;
  Reopen({.tcti = host_->tcti(), .wait = [&](absl::Duration time) { waits.push_back(time); }});
  constexpr uint32_t kYielded = 0x908;
  int busy = 12;  // ESYS itself sends a command five times, without waiting
  bus_.change_response = [&](ByteView command, Bytes& response) {
    if (desk::CommandCode(command) != kQuote || busy-- <= 0) return;
    response = {0x80, 0x01, 0, 0, 0, 10, 0, 0, kYielded >> 8, kYielded & 0xff};
  };
  EXPECT_THAT(tpm_->Quote(AkKind::kEcc, kSealed, kQualifying), IsOk());
  ASSERT_EQ(waits.size(), 2u);
  EXPECT_GT(waits[1], waits[0]);

  busy = 1000;
  EXPECT_THAT(tpm_->Quote(AkKind::kEcc, kSealed, kQualifying),
              testing::HasCode(absl::StatusCode::kUnavailable));
}

struct Answered {
  const char* name;
  uint32_t rc;
  Reason reason;
};
void PrintTo(const Answered& row, std::ostream* os) { *os << row.name; }
class A68_Refusal : public Attack, public ::testing::WithParamInterface<Answered> {};

// Once: the next operation works. For good: its name, and nothing left in the TPM.
TEST_P(A68_Refusal, IsTriedAgainOrNamedAndLeavesNothing) {
  BG_ASSERT_OK_AND_ASSIGN(const PinnedEk ek, Pin(*tpm_, EkTemplate::kP256Low));
  BG_ASSERT_OK_AND_ASSIGN(const auto blob, Seal(*tpm_, crypto::RandomSecret(32)));
  for (const uint32_t command : {0x131u, 0x176u, 0x156u, 0x157u, kUnseal, kQuote}) {
    Reopen({.tcti = host_->tcti(), .wait = [](absl::Duration) {}});
    int times = 1000;
    bus_.answer_instead = [&](ByteView sent, Bytes& response) {
      if (desk::CommandCode(sent) != command || times-- <= 0) return false;
      response = desk::Refusal(GetParam().rc);
      return true;
    };
    const absl::Status quoted = tpm_->Quote(AkKind::kEcc, kSealed, kQualifying).status();
    const absl::Status unsealed = tpm_->Unseal(ek, blob, kSealed).status();
    EXPECT_THAT(quoted.ok() ? unsealed : quoted, Refuses(GetParam().reason)) << command;
    times = 1;
    tpm_->Quote(AkKind::kEcc, kSealed, kQualifying).IgnoreError();
    tpm_->Unseal(ek, blob, kSealed).IgnoreError();
    EXPECT_THAT(tpm_->Quote(AkKind::kEcc, kSealed, kQualifying), IsOk()) << command;
    EXPECT_THAT(tpm_->Unseal(ek, blob, kSealed), IsOk()) << command;
    BG_ASSERT_OK_AND_ASSIGN(const LoadedHandles now, tpm_->CountHandles());
    EXPECT_EQ(now.objects + now.sessions + now.saved_sessions, 0u) << command;
  }
}

INSTANTIATE_TEST_SUITE_P(Codes, A68_Refusal,
                         ::testing::Values(Answered{"Retry", 0x922, Reason::kTpm},
                                           Answered{"Yielded", 0x908, Reason::kTpm},
                                           Answered{"Testing", 0x90a, Reason::kTpm},
                                           Answered{"Lockout", 0x921, Reason::kTpmLockout},
                                           Answered{"SessionMemory", 0x903, Reason::kTpmResources},
                                           Answered{"ObjectMemory", 0x902, Reason::kTpmResources},
                                           Answered{"ContextGap", 0x901, Reason::kTpmResources}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(Attack, A68_LockoutHasItsOwnName) {
  bus_.change_response = [](ByteView command, Bytes& response) {
    if (desk::CommandCode(command) == kQuote) response = {0x80, 1, 0, 0, 0, 10, 0, 0, 0x09, 0x21};
  };
  EXPECT_THAT(tpm_->Quote(AkKind::kEcc, kSealed, kQualifying), Refuses(Reason::kTpmLockout));
}

}  // namespace
}  // namespace bootgate::agent::tpm
