// One TPM 2.0, and everything the agent asks of it.
//
// Implements: TPM 2.0 Part 3 commands through tpm2-tss ESYS; EK Credential Profile 2.5 (NV indexes,
// templates, EK policies). No tss2 type leaves this room.
//
// One thread inside owns the ESYS context; every method may be called from any thread and blocks
// until that thread has answered. At no time are more than two objects and two sessions loaded, so
// a TPM without a resource manager (3 and 3) is enough. Nothing is made persistent: keys are
// primaries of the endorsement hierarchy, made from their templates, the same key every time; over
// one connection each is made once and then loaded from its saved context. An EK that lies ready in
// a persistent handle is used when its Name is the pinned one.
//
// Errors carry a TPM... reason: TPM_MISSING (no device, no answer), TPM_PCR_CHANGED, TPM_POLICY,
// TPM_LOCKOUT, TPM_INTEGRITY, TPM_RESPONSE_HMAC (the bus was tampered with), TPM_REPLACED (not the
// pinned EK), TPM_HIERARCHY (disabled, or it has a password), TPM_RESOURCES (no room for objects or
// sessions), TPM_FAILURE (failure mode), TPM (all else; kUnavailable: it stayed busy). The message
// names the command: "TPM2_CreatePrimary: tpm:parameter(2):...".
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/tpm/pinned_ek.h"
#include "common/base/secret_bytes.h"
#include "common/registers/bank.h"
#include "common/registers/selection.h"
#include "common/tpm2/attest.h"
#include "common/tpm2/key_profile.h"
#include "common/tpm2/quote.h"
#include "common/tpm2/wrap.h"

namespace bootgate::agent::tpm {

enum class AkKind {
  kEcc,        // ours, P-256
  kRsa,        // ours, RSA 2048
  kGoogleEcc,  // made from the template that Google Compute Engine left in NV
  kGoogleRsa,
  kAzure,  // made by Azure, and persistent
};
inline constexpr AkKind kAkKinds[] = {AkKind::kEcc, AkKind::kRsa, AkKind::kGoogleEcc,
                                      AkKind::kGoogleRsa, AkKind::kAzure};
absl::string_view Name(AkKind kind);  // "ecc", "rsa", "google-ecc", "google-rsa", "azure"

// What to do at the start with objects and sessions that somebody left in the TPM.
enum class Leftovers {
  kFlushUnlessManaged,  // flush them, unless the TCTI is a resource manager's
  kKeep,                // others use this TPM at the same time
};

struct Options {
  std::string tcti = "device:/dev/tpmrm0";
  Leftovers leftovers = Leftovers::kFlushUnlessManaged;
  int command_attempts = 8;      // for TPM_RC_RETRY, YIELDED, TESTING, NV_RATE
  int pcr_changed_attempts = 5;  // whole operations, when a register moved meanwhile
  absl::Duration first_backoff = absl::Milliseconds(5);  // doubled each time
  // How to wait between attempts; nullptr: absl::SleepFor.
  std::function<void(absl::Duration)> wait;
};

struct EkCertificate {
  tpm2::EkTemplate ek_template = tpm2::EkTemplate::kRsa2048Low;
  Bytes der;  // as it lies in NV: a TPM may pad it with 0x00 or 0xff at the end
};

// The attestation key that a cloud made in its vTPM, and its certificate for it.
struct CloudAk {
  AkKind kind = AkKind::kAzure;
  tpm2::Public public_area;
  Bytes certificate;  // DER, as it lies in NV
};

struct CertifiedIdentityKey {
  tpm2::Public public_area;
  Bytes certify_attest;     // TPMS_ATTEST
  Bytes certify_signature;  // TPMT_SIGNATURE
};

// A state that an approving key has signed (common/tpm2/approval.h).
struct ApprovedState {
  Bytes approving_key;  // TPMT_PUBLIC
  Bytes policy;         // PolicyPCR digest
  Bytes policy_ref;
  Bytes signature;  // TPMT_SIGNATURE
};

struct Properties {
  std::string manufacturer;  // "IBM", "INTC"
  std::string vendor;        // vendor strings, joined
  uint64_t firmware_version = 0;
  uint32_t revision = 0;  // of the specification, times 100
};

struct LoadedHandles {
  size_t objects = 0;   // transient
  size_t sessions = 0;  // loaded HMAC and policy sessions
  size_t saved_sessions = 0;
};

// What an operator wants to see of a TPM that works, or does not.
struct Health {
  Properties properties;
  tpm2::ClockInfo clock;
  LoadedHandles handles;
  bool locked_out = false;  // dictionary attack; keys of ours are exempt
  bool owner_password = false;
  bool endorsement_password = false;
  bool endorsement_enabled = true;
};

// Since this Tpm was opened.
struct Usage {
  uint64_t commands = 0;
  uint64_t sent_again = 0;  // because the TPM was busy
  uint64_t opened = 0;      // connections, the first one among them
};

// Of the tpm2-tss that this program was built with: "3.2.1". Distributions fix old versions without
// a new number.
absl::string_view TssVersion();
// Whether `version` is older than 4.2.0, which mended what eleven advisories of July 2026 describe.
bool TssPredatesAdvisories(absl::string_view version);

inline constexpr size_t kMaxEkCertificate = 8192;  // bytes of one NV index

class Tpm {
 public:
  // Talks to the TPM once. TPM_MISSING when nothing answers there.
  static absl::StatusOr<std::unique_ptr<Tpm>> Open(const Options& options);
  ~Tpm();

  // ---- Who is this TPM
  // Certificates found in NV, in the order of preference RSA 2048 low, P-256 low, then the high
  // range. Empty: the TPM has none.
  absl::StatusOr<std::vector<EkCertificate>> EkCertificates();
  // What lies in the NV indexes for the CAs between those certificates and the vendor's root (EK
  // Credential Profile 2.5, 2.2.1.5.2; Intel's On-Die CA): each index as it is, with several
  // certificates and padding perhaps. Empty: most TPMs have none. TPM for an index that is too
  // long.
  absl::StatusOr<std::vector<Bytes>> EkChain();
  absl::StatusOr<tpm2::Public> EkPublic(tpm2::EkTemplate which);
  absl::StatusOr<tpm2::Public> AkPublic(AkKind kind);
  // nullopt: no cloud has left a certificate in NV. `preferred`, kEcc or kRsa, where there are two.
  // AK_CHAIN_UNTRUSTED for a certificate of another key, CERT_PARSE, TPM when the key is not where
  // its cloud keeps it, and what CheckAk says of a key that is no attestation key. Whether the
  // certificate is genuine is the gatekeeper's question.
  absl::StatusOr<std::optional<CloudAk>> FindCloudAk(AkKind preferred);
  // TPM_REPLACED unless the TPM has the pinned EK. Cheap after the first time.
  absl::Status CheckPinned(const PinnedEk& ek);
  // The credential, if it was made for this EK and this AK. TPM_INTEGRITY when not; TPM_REPLACED
  // when the TPM's EK is not the pinned one. Encrypted on the bus.
  absl::StatusOr<SecretBytes> ActivateCredential(const PinnedEk& ek, AkKind ak,
                                                 const tpm2::CredentialBlob& blob);
  absl::StatusOr<Properties> ReadProperties();
  absl::StatusOr<tpm2::ClockInfo> ReadClock();
  absl::StatusOr<LoadedHandles> CountHandles();
  absl::StatusOr<Health> ReadHealth();
  Usage ReadUsage();

  // ---- Registers
  // Banks that are allocated, with the registers they have. A TPM silently drops the others from
  // what it is asked, so every method here refuses them (kFailedPrecondition).
  absl::StatusOr<registers::Selection> AllocatedBanks();
  // All values from one instant, one bank each in the order of `selection`.
  absl::StatusOr<std::vector<registers::RegisterBank>> ReadRegisters(
      const registers::Selection& selection);
  absl::Status Extend(uint32_t index, const std::vector<crypto::Digest>& digests);
  // Extends a register in every allocated bank with a fixed value, so that what is sealed to it
  // opens no more in this boot.
  absl::Status Cap(uint32_t index);

  // ---- Evidence
  // A quote with values that its digest covers; quotes again while registers move.
  absl::StatusOr<tpm2::RawQuote> Quote(AkKind ak, const registers::Selection& selection,
                                       ByteView qualifying_data);
  // The identity key under `auth_policy` (a PolicyPCR digest), certified by the AK.
  absl::StatusOr<CertifiedIdentityKey> CertifyIdentityKey(AkKind ak, ByteView auth_policy,
                                                          ByteView qualifying_data);

  // ---- Use of what the gatekeeper gave
  // ECDSA P-256 with SHA-256 by the identity key. TPM_POLICY when the registers are not those of
  // `auth_policy`.
  absl::StatusOr<tpm2::Signature> SignWithIdentityKey(ByteView auth_policy,
                                                      const registers::Selection& selection,
                                                      const crypto::Digest& digest);
  // What SealForImport sealed to this EK under PolicyPCR over `selection`. TPM_POLICY when the
  // registers moved, TPM_INTEGRITY when it was sealed to another TPM. Encrypted on the bus.
  absl::StatusOr<SecretBytes> Unseal(const PinnedEk& ek, const tpm2::ImportBlob& blob,
                                     const registers::Selection& selection);

  // The same under TPM2_PolicyAuthorize: opens in the state that `approval` is for. TPM_POLICY when
  // the registers are in another state; SEAL_APPROVAL when the TPM does not take the signature, or
  // the key that it loaded is not the one given.
  absl::StatusOr<SecretBytes> UnsealApproved(const PinnedEk& ek, const tpm2::ImportBlob& blob,
                                             const registers::Selection& selection,
                                             const ApprovedState& approval);

  // Has the next Unseal for this EK start at once what takes long and needs no blob: while the
  // gatekeeper thinks, say. Does not wait, and tells of no failure: Unseal then begins anew. Two
  // sessions are held until DropReady or the next operation, whichever it is.
  void GetReadyToUnseal(const PinnedEk& ek);
  void DropReady();

  // Random bytes of the TPM, at most 32.
  absl::StatusOr<Bytes> GetRandom(size_t size);

  class Core;  // the owner thread and the context, inside this room
  explicit Tpm(std::unique_ptr<Core> core);

 private:
  std::unique_ptr<Core> core_;
};

// The PolicyPCR digest (SHA-256) over the values of `selection` in `banks`; kFailedPrecondition
// when a value is missing.
absl::StatusOr<Bytes> PcrPolicy(const registers::Selection& selection,
                                const std::vector<registers::RegisterBank>& banks);

}  // namespace bootgate::agent::tpm
