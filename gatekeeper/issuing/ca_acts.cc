#include "gatekeeper/issuing/ca_acts.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/certificate_facts.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/issuing/ca_taints.h"
#include "pki/authority.h"
#include "pki/pem.h"

namespace bootgate::gatekeeper::issuing {
namespace {

using pki::CaRecord;

constexpr size_t kMaxPem = 65536;  // bytes

std::string StateName(const CaRecord& ca) {
  const absl::string_view name = Name(ca.state);
  return std::string(name.data(), name.size());
}

// Empty: there is no such CA, or no folder.
std::string StateBefore(const CaAct& act, const std::string& id) {
  const absl::StatusOr<pki::CaFolder> folder = pki::LoadCaFolder(act.folder);
  const CaRecord* const ca = folder.ok() ? folder->Find(id) : nullptr;
  return ca == nullptr ? "" : StateName(*ca);
}

absl::StatusOr<pki::CaStep> Rotated(const CaAct& act, const CaRotation& rotation) {
  if (rotation.lifetime < kShortestLifetime || rotation.lifetime > kLongestLifetime) {
    return absl::InvalidArgumentError(absl::StrCat(
        "lifetime: ", absl::FormatDuration(rotation.lifetime), "; ",
        absl::FormatDuration(kShortestLifetime), " to ", absl::FormatDuration(kLongestLifetime)));
  }
  if (rotation.use == kUseRoot) {
    return pki::RotateRoot(act.folder, rotation.root_secret, rotation.lifetime, act.now);
  }
  const std::optional<pki::CaUse> use = pki::CaUseFromName(rotation.use);
  if (!use.has_value()) {
    return absl::InvalidArgumentError(
        "what a CA is for: one of hosts, aks, servers, operators, or root");
  }
  return pki::RotateCa(act.folder, *use, rotation.key, rotation.lifetime, act.now);
}

// Those that the step has tainted, and whose taint the store does not have.
absl::StatusOr<std::vector<CaTaint>> TaintsToTell(const CaAct& act, const pki::CaFolder& folder,
                                                  const std::string& id) {
  BG_ASSIGN_OR_RETURN(const std::set<std::string> known, TaintedCas(act.store));
  std::vector<CaTaint> out;
  for (const CaRecord& ca : folder.cas) {
    // A root takes those below it along.
    if (ca.state != CaRecord::State::kTainted || (ca.id != id && ca.under != id)) continue;
    const std::string key_id = KeyIdOfCa(folder, ca);
    if (!key_id.empty() && !known.contains(key_id)) out.push_back({key_id, ca.id, ca.why});
  }
  return out;
}

std::vector<pki::CaUse> UnsignedUses(const pki::CaFolder& folder) {
  std::vector<pki::CaUse> out;
  for (const pki::CaUse use : pki::kAllCaUses) {
    if (folder.SignerFor(use) == nullptr) out.push_back(use);
  }
  return out;
}

}  // namespace

absl::Status WriteDown(const CaAct& act, absl::string_view action, const pki::CaStep& step,
                       const std::string& before) {
  audit::Detail detail;
  if (!step.replaced.empty()) detail.Text("other", step.replaced);
  const std::string& why = act.why.empty() ? step.ca.why : act.why;
  if (!why.empty()) detail.Text("why", why);
  if (!before.empty()) detail.Object("before", audit::Detail().Text("state", before));
  detail.Object("after", audit::Detail()
                             .Text("state", StateName(step.ca))
                             .Text("for", NamesOf(step.ca.uses))
                             .Text("key", Describe(step.ca.key)));
  store::Commit commit;
  commit.audit = {audit::MakeRow(act.now, act.actor, action, step.ca.id, detail)};
  return act.store.Apply(commit);
}

absl::StatusOr<pki::CaStep> RotateCa(const CaAct& act, const CaRotation& rotation) {
  BG_ASSIGN_OR_RETURN(pki::CaStep step, Rotated(act, rotation));
  BG_RETURN_IF_ERROR(WriteDown(act, "ca.rotate", step, ""));
  return step;
}

std::string NextStep(const CaRecord& prepared) {
  return absl::StrCat("once all hosts have attested: bootgate-gatekeeper ca activate ",
                      prepared.id);
}

absl::StatusOr<Activated> ActivateCa(const CaAct& act, const std::string& id, bool force) {
  Activated out;
  BG_ASSIGN_OR_RETURN(out.standing, CountBundles(act.store, act.folder, act.now));
  if (!out.standing.lacking.empty() && !force) {
    return absl::FailedPreconditionError(
        absl::StrCat(Describe(out.standing),
                     ". A host gets it with its next attestation and tells so with the one after; "
                     "one that lacks a new root then refuses this gatekeeper. Wait, or: ca "
                     "activate ",
                     Printable(id), " --force"));
  }
  const std::string before = StateBefore(act, id);
  BG_ASSIGN_OR_RETURN(out.step, pki::ActivateCa(act.folder, id, act.now));
  BG_RETURN_IF_ERROR(WriteDown(act, "ca.activate", out.step, before));
  return out;
}

absl::StatusOr<Tainted> TaintCa(const CaAct& act, const std::string& id) {
  Tainted out;
  const std::string before = StateBefore(act, id);
  const bool was_tainted = absl::string_view(before) == Name(CaRecord::State::kTainted);
  if (!was_tainted) {
    BG_ASSIGN_OR_RETURN(out.step, pki::TaintCa(act.folder, id, act.why, act.now));
  }
  BG_ASSIGN_OR_RETURN(const pki::CaFolder folder, pki::LoadCaFolder(act.folder));
  if (was_tainted) out.step.ca = *folder.Find(id);
  BG_ASSIGN_OR_RETURN(const std::vector<CaTaint> taints, TaintsToTell(act, folder, id));
  for (const CaTaint& taint : taints) {
    BG_RETURN_IF_ERROR(PutCaTaint(
        act.store, taint,
        audit::MakeRow(act.now, act.actor, "ca.taint", taint.ca_id,
                       audit::Detail().Text("key_id", taint.key_id).Text("why", taint.why))));
  }
  out.unsigned_uses = UnsignedUses(folder);
  out.changed = !was_tainted || !taints.empty();
  if (out.changed) BG_RETURN_IF_ERROR(WriteDown(act, "ca.taint", out.step, before));
  return out;
}

std::optional<CaFacts> FactsOf(const pki::CaFolder& folder, const CaRecord& ca) {
  if (ca.certificate.empty()) return std::nullopt;
  const absl::StatusOr<std::string> pem = ReadTextFile(folder.PathOf(ca.certificate), kMaxPem);
  if (!pem.ok()) return std::nullopt;
  const absl::StatusOr<std::vector<Bytes>> chain = pki::CertificatesFromPem(*pem);
  if (!chain.ok() || chain->empty()) return std::nullopt;
  const auto facts = crypto::ReadCertificateFacts(chain->front());
  if (!facts.has_value()) return std::nullopt;
  return CaFacts{.pem = pki::DerToPem(chain->front()),
                 .subject = facts->subject,
                 .key_id = KeyIdOfCa(folder, ca),
                 .sha256 = facts->fingerprint.hex(),
                 .not_before = facts->not_before,
                 .not_after = facts->not_after};
}

}  // namespace bootgate::gatekeeper::issuing
