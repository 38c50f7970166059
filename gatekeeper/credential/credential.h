// Credentials for a host that was admitted: decided before the verdict is committed, made after.
//
// Two profiles (architecture page, section 7). tpm-key: a certificate for a key inside the TPM,
// which works only in the attested state. sealed: key, certificate and secrets that only this TPM
// in the attested state can open. Nothing in a certificate is chosen by the host but its key.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/secret_bytes.h"
#include "common/registers/selection.h"
#include "common/tpm2/certified_object.h"
#include "common/tpm2/quote.h"
#include "common/tpm2/wrap.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::credential {

inline constexpr char kTpmKeyProfile[] = "tpm-key";
inline constexpr char kSealedProfile[] = "sealed";

struct Options {
  absl::Duration lifetime = absl::Hours(1);
  registers::Selection seal_selection;  // what both profiles are bound to
  // A register that the host extends once it has opened its sealed credential. The sealed profile
  // alone is bound to it too, and only while it is still at its start value, zeros.
  std::optional<uint32_t> cap_register;
};

// Is it safe to bind credentials so? kInvalidArgument: no register, SHA-1 alone, a register that
// anybody can reset or that hosts do not quote, a cap register that is in the seal selection, or
// one that is not zeros at the start or that software can reset (above 15).
absl::Status Check(const Options& options, const registers::Selection& quoted);

// A host in the state that was just attested and judged good.
struct AdmittedHost {
  std::string host_id, verdict_id, policy_id, claims_digest_hex;
  const tpm2::Public& ek;
  const tpm2::QuotedPcrs& quoted;
  // Certified for the question that `quoted` answers; none: no tpm-key credential is asked for.
  const std::optional<tpm2::CertifiedObject>& identity_key;
  absl::Time now;
  absl::Time verdict_expires = absl::InfiniteFuture();  // no credential outlives the verdict
};

// What the store keeps of a credential to be.
struct PlannedRow {
  std::string serial, profile;
  std::string issuer;  // key id (hex) of the CA that will sign it, and no other
  absl::Time not_before, not_after;
};

struct TpmKeyCredential {
  Bytes certificate;         // DER
  std::string ca_chain_pem;  // issuing CA, root
};

// Mirrors v1.SealedCredential.
struct SealedCredential {
  tpm2::ImportBlob blob;
  Bytes payload;  // evidence::ClosePayload under the sealed key
  registers::Selection selection;
  Bytes certificate;  // DER, not secret
  absl::Time not_after;
};

struct Issued {
  std::optional<TpmKeyCredential> tpm_key;
  std::optional<SealedCredential> sealed;
  std::string seal_skipped_why;
};

// Which credentials will be made: keys checked, policies computed, serials and validity fixed.
// Holding one is the proof of the checks; it may be committed and then issued.
class Plan {
 public:
  const std::vector<PlannedRow>& rows() const { return rows_; }
  const std::string& seal_skipped_why() const { return seal_skipped_why_; }

 private:
  friend absl::StatusOr<Plan> PlanCredentials(const Options&, const AdmittedHost&,
                                              const pki::Authority&);
  friend absl::StatusOr<Issued> Issue(const Plan&, const pki::Authority&,
                                      const std::map<std::string, SecretBytes>&);
  Plan() = default;

  struct Sealing {
    pki::HostCertificateRequest request;
    registers::Selection selection;
    Bytes auth_policy;
    tpm2::Public ek;
  };
  struct Certifying {
    pki::HostCertificateRequest request;
    crypto::PublicKey key;
  };
  std::optional<Certifying> tpm_key_;
  std::optional<Sealing> sealed_;
  std::vector<PlannedRow> rows_;
  std::string seal_skipped_why_;
};

// Pure but for the random serials. Errors: CA (none signs), MESSAGE_MALFORMED (more than one key),
// TPM_MARSHAL, SIG_SCHEME, CERTIFY_MAGIC, CERTIFY_TYPE, KEY_NOT_ATTESTED, KEY_ATTRIBUTES,
// KEY_POLICY, KEY_WEAK; INTERNAL when the options do not pass Check.
absl::StatusOr<Plan> PlanCredentials(const Options& options, const AdmittedHost& host,
                                     const pki::Authority& authority);

// Makes what was planned; call once, after the plan's rows are committed. CA, or the error of the
// wrap. `secrets` go into the sealed credential.
absl::StatusOr<Issued> Issue(const Plan& plan, const pki::Authority& authority,
                             const std::map<std::string, SecretBytes>& secrets = {});

}  // namespace bootgate::gatekeeper::credential
