// Why an EK is believed to be in a genuine TPM of ours: vendor certificate, inventory, or neither.
//
// Implements: architecture page, section 7; TCG EK Credential Profile 2.5 by pki/ek_chain.h.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "common/tpm2/public.h"
#include "pki/ek_chain.h"

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
  pki::TrustAnchors anchors = pki::TrustAnchors::None();
  std::set<std::string> inventory;  // host ids, which are digests of EK Names
};

struct EkShown {
  const tpm2::Public& ek;
  ByteView certificate;                     // DER as read from NV; empty when there is none
  const std::vector<Bytes>& intermediates;  // DER, untrusted
};

// What EkTrust::how says of an EK that neither certificate nor inventory speaks for.
inline constexpr absl::string_view kNothingBelieved = "none";

struct EkTrust {
  std::string how;                        // "chain", "inventory", "chain+inventory", "none"
  bool approved = false;                  // by what the mode demands; else an operator approves
  bool may_be_approved_by_token = false;  // never an EK that nothing speaks for
};

// A certificate that is shown must be for this very EK, in every mode, and lead to an anchor in all
// modes but kInventory. Errors: EK_TEMPLATE, EK_CERT_KEY_MISMATCH, EK_CHAIN_..., and those of
// pki::VerifiedEkChain. Whoever wraps to `ek` afterwards wraps to the certificate's key.
absl::StatusOr<EkTrust> JudgeEk(const EkPolicy& policy, const EkShown& shown, absl::Time now);

}  // namespace bootgate::gatekeeper::enroll
