// What an operator does to the CAs while a gatekeeper serves: prepare the next one, have it sign,
// taint one. Each act is a step of pki/ca_steps.h with what belongs to it in the store: the taint
// that other gatekeepers see, and the audit row with who, what, before, after and why.
//
// A running gatekeeper takes the step over within a second, as Authority::Refresh does. The step
// comes first and is told as an error when it cannot be written down; taken again, it is written
// down then.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/issuing/trust_bundles.h"
#include "gatekeeper/store/store.h"
#include "pki/ca_steps.h"

namespace bootgate::gatekeeper::issuing {

// Who acts, on what, and why.
struct CaAct {
  store::Store& store;
  std::string folder;  // pki/ca_folder.h
  std::string actor;   // "operator alice"
  absl::Time now;
  std::string why;  // may be empty but for TaintCa
};

inline constexpr char kUseRoot[] = "root";
inline constexpr absl::Duration kIssuingLifetime = absl::Hours(24 * 730);
inline constexpr absl::Duration kRootLifetime = absl::Hours(24 * 3650);
inline constexpr absl::Duration kShortestLifetime = absl::Minutes(10);
inline constexpr absl::Duration kLongestLifetime = absl::Hours(24 * 365 * 30);

struct CaRotation {
  std::string use = "hosts";  // one of pki::CaUse, or kUseRoot
  absl::Duration lifetime = kIssuingLifetime;
  pki::SecretSource root_secret = {};    // kUseRoot: passphrase of the new key's file
  std::optional<pki::KeySpec> key = {};  // where the new key is to be; else as the present one's
};
// kInvalidArgument: no such use, a lifetime out of range; else as of pki::RotateCa, RotateRoot.
absl::StatusOr<pki::CaStep> RotateCa(const CaAct& act, const CaRotation& rotation);
// What to do once it is prepared, for people.
std::string NextStep(const pki::CaRecord& prepared);

struct Activated {
  pki::CaStep step;
  BundleStanding standing;  // of the trust bundle, before the step
};
// kFailedPrecondition while hosts lack the trust bundle that it is in, unless forced; else as of
// pki::ActivateCa.
absl::StatusOr<Activated> ActivateCa(const CaAct& act, const std::string& id, bool force);

struct Tainted {
  pki::CaStep step;
  bool changed = true;                    // false: it was so already, here and in the store
  std::vector<pki::CaUse> unsigned_uses;  // for which no CA signs now
};
// Also of all CAs below it. Again is fine: what an act before could not write down is written then.
absl::StatusOr<Tainted> TaintCa(const CaAct& act, const std::string& id);

// The audit row of a step that was taken; `before`: the state that the CA was in, empty for a new
// one.
absl::Status WriteDown(const CaAct& act, absl::string_view action, const pki::CaStep& step,
                       const std::string& before);

// What a CA's certificate says; nullopt while there is none that can be read.
struct CaFacts {
  std::string pem;  // the CA's own certificate, without its chain
  std::string subject, key_id, sha256;
  std::string not_before, not_after;  // "2026-10-19T18:41:42Z"
};
std::optional<CaFacts> FactsOf(const pki::CaFolder& folder, const pki::CaRecord& ca);

}  // namespace bootgate::gatekeeper::issuing
