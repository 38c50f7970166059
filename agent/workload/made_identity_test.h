// Test only: a credential as the gatekeeper seals one, by a CA in a scratch folder.
#pragma once

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "agent/identity/tpm_key_credential.h"
#include "agent/workload/identity.h"
#include "common/crypto/private_key.h"
#include "pki/authority.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::agent::workload {

inline constexpr char kHostId[] = "h-0123456789abcdef0123456789abcdef";
inline constexpr char kTestTrustDomain[] = "spiffe://lab.example";

class MadeIdentities {
 public:
  MadeIdentities() {
    const absl::Time now = absl::Now();
    const pki::AuthorityFiles files{.folder = scratch_.path() + "/ca"};
    const absl::Status made =
        pki::Authority::Create(files, {.cluster_id = "lab", .trust_domain = "lab.example"}, now);
    if (made.ok())
      authority_ = std::make_unique<pki::Authority>(pki::Authority::Open(files, now).value());
  }

  std::string CertificateFor(const crypto::PublicKey& key, absl::Time not_after) const {
    pki::HostCertificateRequest request;
    request.serial_hex = pki::NewSerialHex();
    request.host_id = kHostId;
    request.verdict_id = "v-1";
    request.policy_id = "p";
    request.claims_digest_hex = std::string(64, '0');
    request.not_before = absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now())) - absl::Minutes(1);
    request.not_after = absl::FromUnixSeconds(absl::ToUnixSeconds(not_after));
    return pki::DerToPem(authority_->IssueHost(request, key).value()) + authority_->issuing_pem();
  }

  evidence::SealedPayload Payload(absl::Time not_after) const {
    const crypto::PrivateKey key = crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value();
    evidence::SealedPayload payload;
    payload.chain_pem = CertificateFor(key.Public(), not_after);
    payload.private_key_pem = key.Pem();
    return payload;
  }
  Identity Next(absl::Time not_after = absl::Now() + absl::Hours(1)) const {
    return IdentityOf(Payload(not_after), bundle_pem()).value();
  }
  std::string bundle_pem() const { return authority_->chain_pem(); }
  const pki::Authority& authority() const { return *authority_; }

 private:
  const desk::ScratchFolder scratch_;
  std::unique_ptr<pki::Authority> authority_;
};

inline std::string TestSpiffeId() { return std::string(kTestTrustDomain) + "/host/" + kHostId; }

}  // namespace bootgate::agent::workload
