#include "gatekeeper/credential/credential.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "common/evidence/sealed_payload.h"
#include "common/tpm2/key_profile.h"
#include "common/tpm2/policy_digest.h"

namespace bootgate::gatekeeper::credential {
namespace {

using registers::BankSelection;
using registers::Selection;

constexpr crypto::HashAlg kPolicyHash = crypto::HashAlg::kSha256;
constexpr uint32_t kLastLockedRegister = 15;  // 16 and up: resettable, or ones at the start
constexpr uint32_t kResettable = 1u << 16 | 1u << 23;
constexpr absl::Duration kBackdate = absl::Minutes(5);  // clocks differ

bool BindsStrongly(const Selection& selection) {
  return std::ranges::any_of(selection, [](const BankSelection& bank) {
    return bank.alg != crypto::HashAlg::kSha1 && bank.mask != 0;
  });
}

Selection WithRegister(Selection selection, uint32_t index) {
  for (BankSelection& bank : selection) {
    if (bank.mask != 0) bank.mask |= 1u << index;
  }
  return selection;
}

// The registers of the sealed profile.
Selection SealedSelection(const Options& options) {
  if (!options.cap_register.has_value()) return options.seal_selection;
  return WithRegister(options.seal_selection, *options.cap_register);
}

// The PolicyPCR digest over what was attested.
absl::StatusOr<Bytes> AuthPolicy(const Selection& selection, const tpm2::QuotedPcrs& quoted) {
  const std::optional<crypto::Digest> pcr_digest =
      tpm2::PcrDigest(kPolicyHash, selection, quoted.banks());
  if (!pcr_digest.has_value()) {
    return Refuse(absl::StatusCode::kInternal, Reason::kInternal,
                  absl::StrCat("credentials are bound to ", registers::Format(selection),
                               ", which was not quoted whole"));
  }
  return ToBytes(tpm2::PolicyDigest(kPolicyHash).Pcr(selection, *pcr_digest).value().view());
}

// Why nothing may be sealed now; empty when it may.
std::string WhyNotSealed(const Options& options, const tpm2::QuotedPcrs& quoted) {
  if (!options.cap_register.has_value()) return "";
  for (const BankSelection& bank : options.seal_selection) {
    if (bank.mask == 0) continue;
    const registers::RegisterBank* const values = quoted.Bank(bank.alg);
    const std::optional<crypto::Digest> value =
        values == nullptr ? std::nullopt : values->Get(*options.cap_register);
    if (value.has_value() && value->IsZero()) continue;
    return absl::StrCat(
        std::string(Code(Reason::kSealStateMoved)), ": register ", *options.cap_register,
        " of bank ", std::string(crypto::Name(bank.alg)),
        " is no longer at its start value; the host opened its sealed credential in "
        "this boot already, or something else extended it");
  }
  return "";
}

pki::HostCertificateRequest RequestFor(const AdmittedHost& host, absl::Duration lifetime,
                                       const pki::Issuer& issuer) {
  return {.serial_hex = pki::NewSerialHex(),
          .host_id = host.host_id,
          .verdict_id = host.verdict_id,
          .policy_id = host.policy_id,
          .claims_digest_hex = host.claims_digest_hex,
          .not_before = host.now - kBackdate,
          .not_after = std::min({host.now + lifetime, host.verdict_expires, issuer.not_after}),
          .issuer_key_id = issuer.key_id};
}

PlannedRow RowOf(const pki::HostCertificateRequest& request, const char* profile) {
  return {request.serial_hex, profile, ToHex(request.issuer_key_id), request.not_before,
          request.not_after};
}

absl::StatusOr<SealedCredential> MakeSealed(const pki::HostCertificateRequest& request,
                                            const Selection& selection, ByteView auth_policy,
                                            const tpm2::Public& ek, const pki::Authority& authority,
                                            const std::map<std::string, SecretBytes>& secrets) {
  BG_ASSIGN_OR_RETURN(const auto key, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  SealedCredential sealed;
  BG_ASSIGN_OR_RETURN(sealed.certificate, authority.IssueHost(request, key.Public()));
  evidence::SealedPayload payload{
      .chain_pem = pki::DerToPem(sealed.certificate) + authority.ChainOf(sealed.certificate),
      .private_key_pem = key.Pem()};
  for (const auto& [name, value] : secrets) payload.secrets.emplace(name, value.Clone());
  const SecretBytes payload_key = crypto::RandomSecret(evidence::kSealedKeySize);
  BG_ASSIGN_OR_RETURN(sealed.payload, evidence::ClosePayload(payload_key, request.host_id,
                                                             request.serial_hex, payload));
  BG_ASSIGN_OR_RETURN(sealed.blob, tpm2::SealForImport(ek, auth_policy, payload_key));
  sealed.selection = selection;
  sealed.not_after = request.not_after;
  return sealed;
}

}  // namespace

absl::Status Check(const Options& options, const registers::Selection& quoted) {
  if (registers::IsEmpty(options.seal_selection)) {
    return absl::InvalidArgumentError("credentials must be bound to a register");
  }
  if (!BindsStrongly(options.seal_selection)) {
    return absl::InvalidArgumentError("credentials must be bound to a bank other than SHA-1");
  }
  for (const BankSelection& bank : options.seal_selection) {
    if ((bank.mask & kResettable) == 0) continue;
    return absl::InvalidArgumentError(
        "anybody can reset registers 16 and 23: credentials must not be bound to them");
  }
  if (options.lifetime <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("credentials must have a lifetime");
  }
  if (options.cap_register.has_value()) {
    const uint32_t cap = *options.cap_register;
    if (cap > kLastLockedRegister) {
      return absl::InvalidArgumentError(
          absl::StrCat("register ", cap, " cannot be a cap: 0 to 15"));
    }
    for (const BankSelection& bank : options.seal_selection) {
      if ((bank.mask >> cap & 1) == 0) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("the cap register ", cap, " is in the seal selection, too"));
    }
  }
  for (const BankSelection& bank : SealedSelection(options)) {
    const uint32_t missing = bank.mask & ~registers::MaskOf(quoted, bank.alg);
    if (missing == 0) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("credentials are bound to registers that hosts do not quote: ",
                     std::string(crypto::Name(bank.alg)), ":", registers::FormatMask(missing)));
  }
  return absl::OkStatus();
}

absl::StatusOr<Plan> PlanCredentials(const Options& options, const AdmittedHost& host,
                                     const pki::Authority& authority) {
  const absl::Status fit = Check(options, host.quoted.selection());
  if (!fit.ok()) return Refuse(absl::StatusCode::kInternal, Reason::kInternal, fit.message());
  BG_ASSIGN_OR_RETURN(const pki::IssuerPtr issuer, authority.ActiveIssuer(pki::CaUse::kHosts));
  Plan plan;
  if (host.identity_key.has_value()) {
    BG_ASSIGN_OR_RETURN(const Bytes policy, AuthPolicy(options.seal_selection, host.quoted));
    BG_RETURN_IF_ERROR(tpm2::CheckIdentityKey(host.identity_key->area(), policy));
    plan.tpm_key_.emplace(
        Plan::Certifying{RequestFor(host, options.lifetime, *issuer), host.identity_key->key()});
    plan.rows_.push_back(RowOf(plan.tpm_key_->request, kTpmKeyProfile));
  }
  plan.seal_skipped_why_ = WhyNotSealed(options, host.quoted);
  if (plan.seal_skipped_why_.empty()) {
    const Selection selection = SealedSelection(options);
    BG_ASSIGN_OR_RETURN(Bytes policy, AuthPolicy(selection, host.quoted));
    plan.sealed_.emplace(Plan::Sealing{RequestFor(host, options.lifetime, *issuer), selection,
                                       std::move(policy), host.ek});
    plan.rows_.push_back(RowOf(plan.sealed_->request, kSealedProfile));
  }
  return plan;
}

absl::StatusOr<Issued> Issue(const Plan& plan, const pki::Authority& authority,
                             const std::map<std::string, SecretBytes>& secrets) {
  Issued issued;
  issued.seal_skipped_why = plan.seal_skipped_why_;
  if (plan.tpm_key_.has_value()) {
    BG_ASSIGN_OR_RETURN(Bytes certificate,
                        authority.IssueHost(plan.tpm_key_->request, plan.tpm_key_->key));
    // The CA may change at any time: the chain is that of this very certificate.
    std::string chain = authority.ChainOf(certificate) + authority.root_pem();
    issued.tpm_key = TpmKeyCredential{std::move(certificate), std::move(chain)};
  }
  if (plan.sealed_.has_value()) {
    BG_ASSIGN_OR_RETURN(
        issued.sealed, MakeSealed(plan.sealed_->request, plan.sealed_->selection,
                                  plan.sealed_->auth_policy, plan.sealed_->ek, authority, secrets));
  }
  return issued;
}

}  // namespace bootgate::gatekeeper::credential
