#include "gatekeeper/cli/offline_keys.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/tpm2/key_profile.h"
#include "gatekeeper/cli/status_finding.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::cli {
namespace {

Claim MakeClaim(std::string type, ClaimValue value) {
  Claim claim;
  claim.type = std::move(type);
  claim.value = std::move(value);
  return claim;
}

// Base64 of SHA-256 over the key in DER form (policy language, 6.1).
std::optional<std::string> KeyHash(const tpm2::Public& ak) {
  const absl::StatusOr<crypto::PublicKey> key = ak.Key();
  if (!key.ok()) return std::nullopt;
  return ToBase64(crypto::Hash(crypto::HashAlg::kSha256, key->SpkiDer()).view());
}

void CheckAttestationKey(const tpm2::Public& ak, KeyFacts* facts) {
  const absl::Status fit = tpm2::CheckAk(ak);
  facts->claims.push_back(MakeClaim("aikValidated", fit.ok()));
  if (const auto hash = KeyHash(ak)) facts->claims.push_back(MakeClaim("aikPubHash", *hash));
  if (!fit.ok()) facts->findings.push_back(FindingFrom(fit));
  facts->coverage.checked.push_back("public area of the attestation key");
  facts->coverage.not_checked.push_back(
      {"binding of attestation key to endorsement key",
       "credential activation needs the TPM; it cannot be repeated offline"});
}

absl::StatusOr<pki::VerifiedEkChain> VerifyChain(const EvidenceFiles& files,
                                                 const pki::TrustAnchors& anchors, absl::Time now) {
  if (files.ek_certificate.empty()) {
    return NotAuthentic(Reason::kEkCertMissing, "the evidence has no ek-rsa.cert.der");
  }
  std::vector<Bytes> intermediates;
  for (const std::string& pem : files.intermediates_pem) {
    BG_ASSIGN_OR_RETURN(Bytes der, pki::PemToDer(pem));
    intermediates.push_back(std::move(der));
  }
  return pki::VerifiedEkChain::Verify(files.ek_certificate, intermediates, anchors, now);
}

absl::Status CheckChain(const EvidenceFiles& files, const pki::TrustAnchors& anchors,
                        absl::Time now, KeyFacts* facts) {
  BG_ASSIGN_OR_RETURN(const pki::VerifiedEkChain chain, VerifyChain(files, anchors, now));
  facts->coverage.checked.push_back(
      absl::StrCat("EK certificate chain, issued by ", Printable(chain.issuer())));
  for (const std::string& tolerance : chain.tolerances()) {
    facts->coverage.not_checked.push_back({"EK certificate's form", Printable(tolerance)});
  }
  if (files.ek_public.empty()) {
    facts->coverage.not_checked.push_back({"EK certificate's key", "the evidence has no ek.pub"});
    return absl::OkStatus();
  }
  BG_ASSIGN_OR_RETURN(const tpm2::Public ek, tpm2::Public::FromTpm2b(files.ek_public));
  BG_RETURN_IF_ERROR(tpm2::CheckEkKey(ek, chain.key()));
  facts->coverage.checked.push_back("EK certificate is for the EK shown");
  return absl::OkStatus();
}

}  // namespace

KeyFacts CheckKeys(const EvidenceFiles& files, const tpm2::Public& ak,
                   const pki::TrustAnchors* anchors, absl::Time now) {
  KeyFacts facts;
  CheckAttestationKey(ak, &facts);
  if (anchors == nullptr) {
    facts.coverage.not_checked.push_back({"EK certificate chain", "no root was given (--ek-root)"});
    return facts;
  }
  const absl::Status chain = CheckChain(files, *anchors, now, &facts);
  if (!chain.ok()) facts.findings.push_back(FindingFrom(chain));
  return facts;
}

}  // namespace bootgate::gatekeeper::cli
