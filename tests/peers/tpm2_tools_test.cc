// tpm2-tools and we, on one TPM: what either wraps, signs and seals, the other opens and verifies.
//
// Our keys are made persistent here, so that the tools can name them; the product never does that.
#include <stdlib.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/bytes/writer.h"
#include "common/crypto/random.h"
#include "common/tpm2/approval.h"
#include "common/tpm2/policy_digest.h"
#include "tests/desk/process.h"
#include "tests/desk/tpm_fixture.h"

namespace bootgate::peers {
namespace {

using agent::tpm::AkKind;
using ::bootgate::testing::IsOk;
using crypto::HashAlg;
using ::testing::HasSubstr;
using tpm2::EkTemplate;

constexpr char kEkHandle[] = "0x81010070", kAkHandle[] = "0x81010071";
constexpr TPM2_HANDLE kEkNumber = 0x81010070, kAkNumber = 0x81010071;
constexpr char kSelectionText[] = "sha256:4,7";
const Bytes kQualifying(32, 0xa5);

// A key of ours, from its template, where the tools find it.
absl::Status Persist(const std::string& tcti, ByteView tmpl, TPM2_HANDLE where) {
  TSS2_TCTI_CONTEXT* way = nullptr;
  ESYS_CONTEXT* esys = nullptr;
  TPM2B_PUBLIC area = {};
  size_t offset = 0;
  const TPM2B_SENSITIVE_CREATE sensitive = {};
  const TPM2B_DATA outside = {};
  const TPML_PCR_SELECTION pcrs = {};
  ESYS_TR key = ESYS_TR_NONE, kept = ESYS_TR_NONE;
  TSS2_RC rc = Tss2_TctiLdr_Initialize(tcti.c_str(), &way);
  if (rc == 0) rc = Esys_Initialize(&esys, way, nullptr);
  if (rc == 0) {
    rc = Tss2_MU_TPMT_PUBLIC_Unmarshal(tmpl.data(), tmpl.size(), &offset, &area.publicArea);
  }
  if (rc == 0) {
    rc = Esys_CreatePrimary(esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                            ESYS_TR_NONE, &sensitive, &area, &outside, &pcrs, &key, nullptr,
                            nullptr, nullptr, nullptr);
  }
  if (rc == 0) {
    rc = Esys_EvictControl(esys, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                           ESYS_TR_NONE, where, &kept);
  }
  if (key != ESYS_TR_NONE) Esys_FlushContext(esys, key);
  Esys_Finalize(&esys);
  Tss2_TctiLdr_Finalize(&way);
  return rc == 0 ? absl::OkStatus() : absl::InternalError(absl::StrCat("rc ", absl::Hex(rc)));
}

class Tpm2ToolsTest : public desk::TpmTest {
 protected:
  void SetUp() override {
    TpmTest::SetUp();
    setenv("TPM2TOOLS_TCTI", host_->tcti().c_str(), 1);
    setenv("TSS2_LOG", "all+NONE", 1);
    Run("evictcontrol -C o -c 0x81010070").IgnoreError();  // of the test before
    Run("evictcontrol -C o -c 0x81010071").IgnoreError();
  }

  std::string Path(absl::string_view name) const { return absl::StrCat(files_.path(), "/", name); }
  void Write(absl::string_view name, ByteView bytes) const {
    ASSERT_THAT(WriteFileAtomically(Path(name), bytes, 0600), IsOk());
  }
  Bytes Read(absl::string_view name) const { return ReadFile(Path(name), 65536).value_or(Bytes()); }

  // One tool; words that begin with '@' are files of this test. What it leaves loaded is flushed:
  // there is no resource manager here.
  absl::Status Run(const std::string& line) const {
    std::vector<std::string> words;
    for (const absl::string_view word : absl::StrSplit(line, ' ')) {
      words.push_back(absl::StartsWith(word, "@")           ? Path(word.substr(1))
                      : absl::StartsWith(word, "session:@") ? "session:" + Path(word.substr(9))
                                                            : std::string(word));
    }
    words[0] = "tpm2_" + words[0];
    const absl::Status ran = desk::RunToEnd(words, Path("log"));
    desk::RunToEnd({"tpm2_flushcontext", "-t"}, Path("flush.log")).IgnoreError();
    if (ran.ok()) return ran;
    return absl::InternalError(absl::StrCat(line, ": ", AsText(Read("log"))));
  }
  void Must(const std::string& line) const { ASSERT_THAT(Run(line), IsOk()); }

  // A policy session for the next command; " -P session:..." where the EK needs one.
  std::string EkAuth(EkTemplate which, const std::string& option = "-P") const {
    if (which != EkTemplate::kRsa2048Low && which != EkTemplate::kP256Low) return "";
    EXPECT_THAT(Run("startauthsession --policy-session -S @ek.session"), IsOk());
    EXPECT_THAT(Run("policysecret -S @ek.session -c e"), IsOk());
    return absl::StrCat(" ", option, " session:@ek.session");
  }
  void EndEkAuth(EkTemplate which) const {
    if (which == EkTemplate::kRsa2048Low || which == EkTemplate::kP256Low) {
      Must("flushcontext @ek.session");
    }
  }

  // Our blob, imported and loaded by the tools as @object.
  void ImportWithTools(EkTemplate which, const tpm2::ImportBlob& blob) const {
    Write("blob.pub", bytes::Writer().Sized16Be(blob.object_public).view());
    Write("blob.dup", bytes::Writer().Sized16Be(blob.duplicate).view());
    Write("blob.seed", bytes::Writer().Sized16Be(blob.in_sym_seed).view());
    const std::string import_auth = EkAuth(which);
    Must(absl::StrCat("import -C ", kEkHandle, import_auth,
                      " -u @blob.pub -i @blob.dup -s @blob.seed -r @blob.priv"));
    EndEkAuth(which);
    const std::string load_auth = EkAuth(which);
    Must(absl::StrCat("load -C ", kEkHandle, load_auth, " -u @blob.pub -r @blob.priv -c @object"));
    EndEkAuth(which);
  }

  const desk::ScratchFolder files_;
  const registers::Selection selection_ = registers::ParseSelection(kSelectionText).value();
};

struct Keys {
  EkTemplate ek;
  AkKind ak;
};
void PrintTo(const Keys& row, std::ostream* os) {
  *os << tpm2::Name(row.ek) << ", AK " << Name(row.ak);
}

class EnrolmentPeersTest : public Tpm2ToolsTest, public ::testing::WithParamInterface<Keys> {};

TEST_P(EnrolmentPeersTest, TheirsOpensOurCredential) {
  const Keys row = GetParam();
  ASSERT_THAT(Persist(host_->tcti(), tpm2::EkTemplateBytes(row.ek), kEkNumber), IsOk());
  ASSERT_THAT(Persist(host_->tcti(), tpm2::AkTemplateBytes(row.ak == AkKind::kEcc), kAkNumber),
              IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public ek, tpm_->EkPublic(row.ek));
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public ak, tpm_->AkPublic(row.ak));
  const SecretBytes secret = crypto::RandomSecret(32);
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::CredentialBlob blob,
                          tpm2::MakeCredential(ek, ak.Name(), secret));
  // The form that the tools keep it in.
  Write("credential", bytes::Writer()
                          .U32Be(0xbadcc0de)
                          .U32Be(1)
                          .Sized16Be(blob.id_object)
                          .Sized16Be(blob.encrypted_secret)
                          .view());
  const std::string auth = EkAuth(row.ek);
  Must(absl::StrCat("activatecredential -c ", kAkHandle, " -C ", kEkHandle, auth,
                    " -i @credential -o @opened"));
  EndEkAuth(row.ek);
  EXPECT_TRUE(secret.ConstantTimeEquals(Read("opened")));
}

TEST_P(EnrolmentPeersTest, OursOpensTheirCredential) {
  const Keys row = GetParam();
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public ek, tpm_->EkPublic(row.ek));
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public ak, tpm_->AkPublic(row.ak));
  const Bytes secret = crypto::RandomBytes(32);
  Write("ek.pub", ek.Tpm2b());
  Write("secret", secret);
  Must(absl::StrCat("makecredential -T none -u @ek.pub -s @secret -n ", ToHex(ak.Name()),
                    " -o @credential"));
  const Bytes made = Read("credential");
  bytes::Reader fields(made);
  ASSERT_THAT(fields.Take(8), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const uint16_t id_size, fields.U16Be());
  BG_ASSERT_OK_AND_ASSIGN(const ByteView id_object, fields.Take(id_size));
  BG_ASSERT_OK_AND_ASSIGN(const uint16_t secret_size, fields.U16Be());
  BG_ASSERT_OK_AND_ASSIGN(const ByteView encrypted, fields.Take(secret_size));
  BG_ASSERT_OK_AND_ASSIGN(const auto pinned, Pin(*tpm_, row.ek));
  BG_ASSERT_OK_AND_ASSIGN(
      const SecretBytes opened,
      tpm_->ActivateCredential(pinned, row.ak, {ToBytes(id_object), ToBytes(encrypted)}));
  EXPECT_TRUE(opened.ConstantTimeEquals(secret));
}

INSTANTIATE_TEST_SUITE_P(Keys, EnrolmentPeersTest,
                         ::testing::Values(Keys{EkTemplate::kRsa2048Low, AkKind::kEcc},
                                           Keys{EkTemplate::kRsa2048Low, AkKind::kRsa},
                                           Keys{EkTemplate::kP256Low, AkKind::kEcc},
                                           Keys{EkTemplate::kP256Low, AkKind::kRsa},
                                           Keys{EkTemplate::kRsa2048High, AkKind::kEcc},
                                           Keys{EkTemplate::kRsa2048High, AkKind::kRsa},
                                           Keys{EkTemplate::kP256High, AkKind::kEcc},
                                           Keys{EkTemplate::kP256High, AkKind::kRsa},
                                           Keys{EkTemplate::kP384High, AkKind::kEcc},
                                           Keys{EkTemplate::kP384High, AkKind::kRsa}));

class SealPeersTest : public Tpm2ToolsTest, public ::testing::WithParamInterface<EkTemplate> {};

TEST_P(SealPeersTest, TheirsImportsAndUnsealsOurBlob) {
  ASSERT_THAT(Persist(host_->tcti(), tpm2::EkTemplateBytes(GetParam()), kEkNumber), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public ek, tpm_->EkPublic(GetParam()));
  BG_ASSERT_OK_AND_ASSIGN(const auto banks, tpm_->ReadRegisters(selection_));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes policy, agent::tpm::PcrPolicy(selection_, banks));
  const SecretBytes data = crypto::RandomSecret(32);
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::ImportBlob blob, tpm2::SealForImport(ek, policy, data));
  ImportWithTools(GetParam(), blob);
  Must("startauthsession --policy-session -S @pcr.session");
  Must(absl::StrCat("policypcr -S @pcr.session -l ", kSelectionText));
  Must("unseal -c @object -p session:@pcr.session -o @data");
  Must("flushcontext @pcr.session");
  EXPECT_TRUE(data.ConstantTimeEquals(Read("data")));
  EXPECT_FALSE(Run("unseal -c @object").ok()) << "no password opens it";
}

// Our approval, verified and used by the tools alone.
TEST_P(SealPeersTest, TheirsTakesOurApproval) {
  ASSERT_THAT(Persist(host_->tcti(), tpm2::EkTemplateBytes(GetParam()), kEkNumber), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public ek, tpm_->EkPublic(GetParam()));
  BG_ASSERT_OK_AND_ASSIGN(const auto banks, tpm_->ReadRegisters(selection_));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes policy, agent::tpm::PcrPolicy(selection_, banks));
  const auto key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  BG_ASSERT_OK_AND_ASSIGN(const Bytes area, tpm2::ApprovingKeyArea(key.Public()));
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public approving, tpm2::Public::FromTpmt(area));
  const Bytes ref(38, 0x61);
  BG_ASSERT_OK_AND_ASSIGN(const Bytes signature, tpm2::SignApproval(key, policy, ref));
  const SecretBytes data = crypto::RandomSecret(32);
  BG_ASSERT_OK_AND_ASSIGN(
      const tpm2::ImportBlob blob,
      tpm2::SealForImport(ek, tpm2::AuthorizedPolicy(approving.Name(), ref), data));
  ImportWithTools(GetParam(), blob);
  Write("approving.pub", approving.Tpm2b());
  Write("policy", policy);
  Write("ref", ref);
  Write("signature", signature);
  Write("signed", bytes::Writer().Raw(policy).Raw(ref).view());
  Must("loadexternal -C o -u @approving.pub -c @approving -n @approving.name");
  EXPECT_EQ(Read("approving.name"), approving.Name());
  Must("verifysignature -c @approving -g sha256 -m @signed -s @signature -t @ticket");
  Must("startauthsession --policy-session -S @session");
  Must(absl::StrCat("policypcr -S @session -l ", kSelectionText));
  Must("policyauthorize -S @session -i @policy -q @ref -n @approving.name -t @ticket");
  Must("unseal -c @object -p session:@session -o @data");
  Must("flushcontext @session");
  EXPECT_TRUE(data.ConstantTimeEquals(Read("data")));
}

INSTANTIATE_TEST_SUITE_P(Eks, SealPeersTest,
                         ::testing::Values(EkTemplate::kRsa2048Low, EkTemplate::kP256Low,
                                           EkTemplate::kRsa2048High, EkTemplate::kP256High,
                                           EkTemplate::kP384High));

// A ticket of the NULL hierarchy is worth nothing: anybody can make the TPM give one.
TEST_F(Tpm2ToolsTest, A66_ApprovingKeyInTheNullHierarchy) {
  BG_ASSERT_OK_AND_ASSIGN(const auto banks, tpm_->ReadRegisters(selection_));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes policy, agent::tpm::PcrPolicy(selection_, banks));
  const auto key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  const auto approving =
      tpm2::Public::FromTpmt(tpm2::ApprovingKeyArea(key.Public()).value()).value();
  const Bytes ref(38, 0x61);
  Write("approving.pub", approving.Tpm2b());
  Write("policy", policy);
  Write("ref", ref);
  Write("signature", tpm2::SignApproval(key, policy, ref).value());
  Write("signed", bytes::Writer().Raw(policy).Raw(ref).view());
  for (const auto& [hierarchy, taken] : {std::pair{"n", false}, {"o", true}}) {
    Must(absl::StrCat("loadexternal -C ", hierarchy,
                      " -u @approving.pub -c @approving -n @approving.name"));
    Must("verifysignature -c @approving -g sha256 -m @signed -s @signature -t @ticket");
    Must("startauthsession --policy-session -S @session");
    Must(absl::StrCat("policypcr -S @session -l ", kSelectionText));
    EXPECT_EQ(
        Run("policyauthorize -S @session -i @policy -q @ref -n @approving.name -t @ticket").ok(),
        taken)
        << hierarchy;
    Must("flushcontext @session");
  }
}

// What is unique to the object, as the tools print it.
std::string KeyHex(const tpm2::Public& area) {
  if (area.type == tpm2::Alg::kKeyedHash) return ToHex(area.keyed_hash_unique);
  return ToHex(area.type == tpm2::Alg::kRsa ? area.rsa_modulus : area.x);
}

class QuotePeersTest : public Tpm2ToolsTest, public ::testing::WithParamInterface<AkKind> {};

TEST_P(QuotePeersTest, TheirsChecksOurQuoteAndReadsOurStructures) {
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public ak, tpm_->AkPublic(GetParam()));
  BG_ASSERT_OK_AND_ASSIGN(const auto quote, tpm_->Quote(GetParam(), selection_, kQualifying));
  Write("ak.pub", ak.Tpm2b());
  Write("quote", quote.attest);
  Write("quote.sig", quote.signature);
  const std::string check = "checkquote -u @ak.pub -m @quote -s @quote.sig -g sha256 -q ";
  EXPECT_THAT(Run(check + ToHex(kQualifying)), IsOk());
  EXPECT_FALSE(Run(check + std::string(64, '0')).ok()) << "another question";
  Must("print -t TPMS_ATTEST @quote");
  EXPECT_THAT(std::string(AsText(Read("log"))), HasSubstr(ToHex(kQualifying)));
  Must("print -t TPM2B_PUBLIC @ak.pub");
  EXPECT_THAT(std::string(AsText(Read("log"))), HasSubstr(KeyHex(ak)));
}

INSTANTIATE_TEST_SUITE_P(Aks, QuotePeersTest, ::testing::Values(AkKind::kEcc, AkKind::kRsa));

TEST_F(Tpm2ToolsTest, TheirsReadsOurSealedObjectAndApprovingKey) {
  BG_ASSERT_OK_AND_ASSIGN(const tpm2::Public ek, tpm_->EkPublic(EkTemplate::kP256Low));
  const auto key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
  const auto approving =
      tpm2::Public::FromTpmt(tpm2::ApprovingKeyArea(key.Public()).value()).value();
  const Bytes policy = tpm2::AuthorizedPolicy(approving.Name(), Bytes(38, 1));
  BG_ASSERT_OK_AND_ASSIGN(const auto blob,
                          tpm2::SealForImport(ek, policy, crypto::RandomSecret(32)));
  BG_ASSERT_OK_AND_ASSIGN(const auto object, tpm2::Public::FromTpmt(blob.object_public));
  for (const tpm2::Public* area : std::initializer_list<const tpm2::Public*>{&approving, &object}) {
    Write("area", area->Tpm2b());
    Must("print -t TPM2B_PUBLIC @area");
    const std::string told(AsText(Read("log")));
    EXPECT_THAT(told, HasSubstr(KeyHex(*area)));
    if (area == &object) {
      EXPECT_THAT(told, HasSubstr(ToHex(policy)));
    }
  }
}

}  // namespace
}  // namespace bootgate::peers
