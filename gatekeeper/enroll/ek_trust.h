// Why an EK is believed to be in a genuine TPM of ours: vendor certificate, a certificate of our
// own, a cloud's word for the AK, inventory, or nothing of it.
//
// Implements: architecture page, section 7; TCG EK Credential Profile 2.5 by pki/ek_chain.h.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/tpm2/public.h"
#include "gatekeeper/host/host.h"
#include "pki/ek_chain.h"
#include "pki/ek_distrust.h"
#include "pki/ek_revocation.h"
#include "pki/trust_anchors.h"

namespace bootgate::gatekeeper::enroll {

enum class EkMode {
  kChain,              // a verified chain is enough
  kInventory,          // an inventory entry is enough
  kChainAndInventory,  // both are needed
};
absl::string_view Name(EkMode mode);  // "chain", "inventory", "chain+inventory"
std::optional<EkMode> EkModeFromName(absl::string_view name);

struct EkPolicy {
  EkMode mode = EkMode::kChainAndInventory;
  pki::TrustAnchors anchors = pki::TrustAnchors::None();  // of TPM vendors
  std::set<std::string> inventory;  // of the configured file: EK digests, as InventoryKeys has them
  pki::TrustAnchors ak_anchors = pki::TrustAnchors::None();  // of clouds, for AK certificates
  bool cloud_ak = false;  // a verified AK certificate of theirs counts as a chain
  pki::DistrustList distrust;
  pki::CrlSet crls;
  pki::RevocationMode revocation = pki::RevocationMode::kSoft;
};

struct EkShown {
  const tpm2::Public& ek;
  ByteView certificate;                     // DER as read from NV; empty when there is none
  const std::vector<Bytes>& intermediates;  // DER, untrusted
  const tpm2::Public* ak = nullptr;         // with what a cloud says of it
  ByteView ak_certificate;                  // DER; empty when there is none
  const std::vector<Bytes>* ak_intermediates = nullptr;
};

// What is known beside what was shown.
struct EkKnown {
  bool listed = false;  // in the inventory
  // Of our CA: a certificate below it that we made for an EK, and its intermediates.
  pki::TrustAnchors own = pki::TrustAnchors::None();
  std::vector<Bytes> own_intermediates;
};

// What EkTrust::how says of an EK that neither certificate nor inventory speaks for.
inline constexpr absl::string_view kNothingBelieved = "none";

struct EkTrust {
  // "chain", "own", "cloud-ak", "inventory", each of the first three also with "+inventory";
  // "none".
  std::string how;
  bool approved = false;                  // by what the mode demands; else an operator approves
  bool may_be_approved_by_token = false;  // never an EK that nothing speaks for
  bool own = false;       // by a certificate of ours: whoever asks looks up whether it
                          // was revoked
  std::string assurance;  // host::kAssurance...
  std::vector<std::string> tolerances;  // what was lived with, a sentence each
  host::TpmFacts tpm;
};

// A certificate that is shown must be for this very EK, in every mode, and lead to an anchor in all
// modes but kInventory. Errors: EK_TEMPLATE, EK_CERT_KEY_MISMATCH, EK_CHAIN_..., EK_REVOKED,
// EK_REVOCATION_UNKNOWN, TPM_DISTRUSTED, and those of pki::VerifiedEkChain; AK_CHAIN_UNTRUSTED and
// those of pki::VerifiedAkChain where a cloud's AK certificate counts. Whoever wraps to `ek`
// afterwards wraps to the certificate's key.
absl::StatusOr<EkTrust> JudgeEk(const EkPolicy& policy, const EkShown& shown, const EkKnown& known,
                                absl::Time now);

// The names that an inventory may have for this EK: host id, SHA-256 of its public area, of its
// SubjectPublicKeyInfo, and of its certificate when there is one.
absl::StatusOr<std::vector<std::string>> InventoryKeys(const tpm2::Public& ek,
                                                       ByteView certificate);
// A host id or 64 hex digits, in lower case.
bool IsInventoryKey(absl::string_view text);

// How a record says that the inventory speaks for its host, too.
bool IsListed(absl::string_view how);
// A certificate, ours or another's, speaks for it.
bool IsCertified(absl::string_view how);

}  // namespace bootgate::gatekeeper::enroll
