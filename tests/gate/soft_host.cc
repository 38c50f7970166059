#include "tests/gate/soft_host.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/ima/list.h"
#include "common/ima/list_builder.h"
#include "common/ima/template_digest.h"
#include "common/tpm2/policy_digest.h"
#include "gatekeeper/host/host.h"
#include "pki/host_certificate.h"

namespace bootgate::gate {
namespace {

constexpr uint64_t kBetweenAnswersMs = 1000;

// The entries from number `first` on; all of them when there are fewer.
evidence::ImaPart EntriesFrom(const CapturedCase& boot, uint64_t first) {
  if (first > boot.ima_entries) first = 0;
  const ima::List list = ima::List::Parse(boot.ima);
  const size_t begin = first == boot.ima_entries ? boot.ima.size() : list.entries()[first].offset;
  return {.first_entry = first,
          .before_quote = ToBytes(ByteView(boot.ima).subspan(begin)),
          .before_quote_count = boot.ima_entries - first,
          .after_quote = {}};
}

registers::Selection SelectionOf(const std::string& text) {
  return registers::ParseSelection(text).value();
}

}  // namespace

SoftHost::SoftHost(const gatekeeper::enroll::TestCa& vendor, CapturedCase captured)
    : ek(tpm2::soft_tpm::SoftStorageKey::MakeEk(tpm2::EkTemplate::kP256Low)),
      ak(tpm2::soft_tpm::SoftAk::Ecc()),
      identity(crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value()),
      ek_certificate(vendor.CertificateFor(ek.area())),
      boot(std::move(captured)) {}

SoftHost SoftHost::Clone(const gatekeeper::enroll::TestCa& vendor) const {
  const auto copy = [](const crypto::PrivateKey& key) {
    return crypto::PrivateKey::FromPem(AsText(key.Pem().view())).value();
  };
  SoftHost out(vendor, boot);
  out.ek = tpm2::soft_tpm::SoftStorageKey(copy(ek.key()), ek.area());
  out.ak = tpm2::soft_tpm::SoftAk(copy(ak.key()), {});
  out.identity = copy(identity);
  out.ek_certificate = ek_certificate;
  out.sends_only_new = sends_only_new;
  out.clock = clock;
  out.firmware_version = firmware_version;
  out.facts = facts;
  return out;
}

std::string SoftHost::id() const { return gatekeeper::host::HostIdFor(ek.area().Name()); }

agent::JoinRequest SoftHost::JoinRequest(const JoinToken& token) const {
  agent::JoinRequest request;
  request.token_id = token.id;
  request.token_secret = SecretBytes(AsBytes(token.secret));
  request.ek_public = ek.area().Tpm2b();
  request.ek_certificate = ek_certificate;
  request.ak_public = ak.area().Tpm2b();
  request.facts = facts;
  return request;
}

absl::StatusOr<SecretBytes> SoftHost::Activate(const agent::ActivationChallenge& challenge) const {
  return ek.ActivateCredential(
      {.id_object = challenge.id_object, .encrypted_secret = challenge.encrypted_secret},
      ak_name());
}

absl::StatusOr<agent::JoinAnswer> SoftHost::Join(agent::GatekeeperClient& gatekeeper,
                                                 const JoinToken& token) const {
  BG_ASSIGN_OR_RETURN(const agent::ActivationChallenge challenge,
                      gatekeeper.BeginEnrollment(JoinRequest(token)));
  BG_ASSIGN_OR_RETURN(const SecretBytes secret, Activate(challenge));
  return gatekeeper.CompleteEnrollment(challenge.session_id, secret, ak_name());
}

evidence::Evidence SoftHost::Answer(const agent::Challenge& challenge) {
  clock.clock_ms += kBetweenAnswersMs;
  evidence::Evidence evidence;
  evidence.host_id = id();
  evidence.nonce = challenge.nonce;
  evidence.boot_log = boot.boot_log;
  evidence.user_log = boot.user_log;
  evidence.ima = EntriesFrom(boot, sends_only_new ? challenge.ima_first_entry : 0);
  evidence.facts = facts;
  evidence.statement.kernel_boot_id = facts.boot_id;
  Sign(challenge, &evidence);
  return evidence;
}

void SoftHost::Sign(const agent::Challenge& challenge, evidence::Evidence* evidence) const {
  const Bytes data = evidence::QualifyingData({.nonce = challenge.nonce,
                                               .host_id = id(),
                                               .ak_name = ak_name(),
                                               .cluster_id = challenge.cluster_id,
                                               .boot_log = evidence->boot_log,
                                               .user_log = evidence->user_log,
                                               .ima_first_entry = evidence->ima.first_entry,
                                               .ima_count = evidence->ima.before_quote_count,
                                               .ima_before_quote = evidence->ima.before_quote,
                                               .statement = &evidence->statement});
  const registers::Selection selection = SelectionOf(challenge.selection);
  evidence->quote = ak.Quote(selection, Registers(selection), data, clock, firmware_version);
  const tpm2::Public key = tpm2::soft_tpm::AreaFromTemplate(
      tpm2::IdentityKeyTemplateBytes(PolicyOver(SelectionOf(challenge.seal_selection))),
      identity.Public());
  const tpm2::soft_tpm::SignedAttest certified = ak.Certify(key, data);
  evidence->identity_keys = {{.public_area = key.Tpm2b(),
                              .certify_attest = certified.attest,
                              .certify_signature = certified.signature}};
}

absl::StatusOr<agent::Challenge> SoftHost::Ask(agent::GatekeeperClient& gatekeeper) const {
  return gatekeeper.GetChallenge(id(), ak_name());
}

absl::StatusOr<agent::AttestAnswer> SoftHost::Attest(agent::GatekeeperClient& gatekeeper) {
  BG_ASSIGN_OR_RETURN(const agent::Challenge challenge, Ask(gatekeeper));
  return gatekeeper.Submit(Answer(challenge));
}

std::vector<registers::RegisterBank> SoftHost::Registers(
    const registers::Selection& selection) const {
  std::vector<registers::RegisterBank> out;
  for (const registers::BankSelection& wanted : selection) {
    registers::RegisterBank& bank = out.emplace_back(wanted.alg);
    for (const registers::RegisterBank& have : boot.registers) {
      if (have.alg() != wanted.alg) continue;
      for (uint32_t i = 0; i < registers::kCount; ++i) {
        if ((wanted.mask >> i & 1) != 0) bank.Set(i, have.Get(i).value());
      }
    }
  }
  return out;
}

Bytes SoftHost::PolicyOver(const registers::Selection& selection) const {
  constexpr crypto::HashAlg kPolicyHash = crypto::HashAlg::kSha256;
  const auto digest = tpm2::PcrDigest(kPolicyHash, selection, Registers(selection));
  return ToBytes(tpm2::PolicyDigest(kPolicyHash).Pcr(selection, digest.value()).value().view());
}

absl::StatusOr<evidence::SealedPayload> SoftHost::Unseal(
    const agent::SealedCredential& sealed) const {
  BG_ASSIGN_OR_RETURN(const tpm2::Public object, tpm2::Public::FromTpmt(sealed.object_public));
  BG_ASSIGN_OR_RETURN(const registers::Selection selection,
                      registers::ParseSelection(sealed.selection));
  if (object.auth_policy != PolicyOver(selection))
    return absl::FailedPreconditionError("TPM_RC_POLICY_FAIL");
  BG_ASSIGN_OR_RETURN(const SecretBytes key, ek.Unseal({.object_public = sealed.object_public,
                                                        .duplicate = sealed.duplicate,
                                                        .in_sym_seed = sealed.in_sym_seed}));
  BG_ASSIGN_OR_RETURN(const pki::HostCertificate certificate,
                      pki::ReadHostCertificate(pki::DerToPem(sealed.certificate)));
  return evidence::OpenPayload(key, id(), certificate.serial_hex, sealed.payload);
}

void SoftHost::Extend(uint32_t index) {
  for (registers::RegisterBank& bank : boot.registers) {
    bank.Extend(index, crypto::Hash(bank.alg(), AsBytes("extended by software")));
  }
}

void SoftHost::Measure(absl::string_view path, absl::string_view content) {
  constexpr uint32_t kImaRegister = 10;
  const Bytes entry = testing::ListBuilder().Ng(path, content).Finish();
  const ima::List list = ima::List::Parse(entry);
  for (registers::RegisterBank& bank : boot.registers) {
    bank.Extend(kImaRegister, ima::ExtendDigest(list.entries().RecordAt(0), bank.alg(),
                                                ima::ExtendRule::kBankHash));
  }
  boot.ima.insert(boot.ima.end(), entry.begin(), entry.end());
  ++boot.ima_entries;
}

void SoftHost::Reboot(CapturedCase captured) {
  boot = std::move(captured);
  ++clock.reset_count;
  facts.boot_id = absl::StrCat("b", clock.reset_count);
  clock.restart_count = 0;
  clock.clock_ms += kBetweenAnswersMs;
}

}  // namespace bootgate::gate
