#include "gatekeeper/enroll/enroller.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "common/tpm2/key_profile.h"
#include "common/tpm2/public.h"
#include "common/tpm2/wrap.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/enroll/own_certificates.h"
#include "pki/x509_read.h"

namespace bootgate::gatekeeper::enroll {
namespace {

constexpr size_t kSecretSize = 32;  // bytes; no longer than any EK's name digest
constexpr int kMaxLostRaces = 3;    // against somebody who writes the same host

Bytes Sha256(ByteView bytes) {
  return ToBytes(crypto::Hash(crypto::HashAlg::kSha256, bytes).view());
}

absl::Status CheckSizes(const BeginRequest& request) {
  bool fits = request.ek_certificate.size() <= kMaxCertificate &&
              request.ak_certificate.size() <= kMaxCertificate;
  for (const std::vector<Bytes>* more : {&request.ek_intermediates, &request.ak_intermediates}) {
    fits = fits && more->size() <= kMaxIntermediates;
    for (const Bytes& certificate : *more) fits = fits && certificate.size() <= kMaxCertificate;
  }
  if (fits) return absl::OkStatus();
  return Refuse(absl::StatusCode::kResourceExhausted, Reason::kMessageTooLarge,
                "too many or too large certificates");
}

// A host nobody knew. Pending until it is admitted, whatever approves it.
host::HostRecord NewHost(const std::string& id, const session::PendingHost& shown, absl::Time now) {
  host::HostRecord host;
  host.id = id;
  host.trust = host::Trust::kPending;
  host.labels = shown.labels;
  host.ek_public = shown.ek_public;
  host.enrolled_at = host.trust_since = now;
  return host;
}

void TakeTrust(host::HostRecord& host, const session::PendingHost& shown) {
  host.ek_trust = shown.ek_trust;
  host.assurance = shown.assurance;
  host.tolerances = shown.tolerances;
  host.tpm.manufacturer = shown.tpm_manufacturer;
  host.tpm.model = shown.tpm_model;
  host.tpm.version = shown.tpm_version;
}

// Our agents make their keys in the endorsement hierarchy, where quotes must come from. A cloud's
// key lies where the cloud put it (Azure's among the owner's); its certificate is for the key
// itself, and speaks for it wherever that is.
Bytes SignerOf(const tpm2::Public& ak, const std::string& assurance) {
  if (assurance == host::kAssuranceCloudAk) return {};
  return tpm2::QualifiedName(tpm2::HandleName(tpm2::kRhEndorsement), ak);
}

// What every enrolment brings anew. Neither trust nor labels nor what was learned of boots is here:
// enrolling again clears nothing.
absl::Status TakeKeysAndFacts(host::HostRecord& host, const session::PendingHost& shown,
                              absl::Time now) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm2::Public::FromTpmt(shown.ak_public));
  if (host.ak_public != shown.ak_public) host.ak_certificate.clear();  // it is of another key
  host.ak_public = shown.ak_public;
  host.ak_qualified_name = SignerOf(ak, shown.assurance);
  host.approved = host.approved || shown.approved;
  if (!shown.ek_certificate.empty() && !shown.own_ek_certificate) {
    host.ek_certificate = shown.ek_certificate;
  }
  if (host.ek_trust.empty() || shown.ek_trust != kNothingBelieved) TakeTrust(host, shown);
  host.last_seen_at = now;
  host.hostname = shown.hostname;
  host.kernel_release = shown.kernel_release;
  host.os_release = shown.os_release;
  host.agent_version = shown.agent_version;
  return absl::OkStatus();
}

store::Commit EnrolmentCommit(const std::optional<host::HostRecord>& before,
                              const host::HostRecord& after, const session::PendingHost& shown,
                              absl::Time now) {
  audit::Detail detail;
  if (before.has_value()) detail.Object("before", audit::StateOf(*before));
  detail.Object("after", audit::StateOf(after));
  detail.Text("ak_name", ToHex(shown.ak_name)).Text("join_token", shown.join_token_id);
  store::Commit commit;
  commit.host = after;
  commit.join_token = {
      .id = shown.join_token_id, .secret_sha256 = shown.join_token_secret_sha256, .now = now};
  commit.audit = {audit::MakeRow(now, audit::HostActor(after.id),
                                 before.has_value() ? "host.reenroll" : "host.enroll", after.id,
                                 detail)};
  return commit;
}

absl::StatusOr<std::optional<host::HostRecord>> Known(store::Store& store, const std::string& id) {
  absl::StatusOr<host::HostRecord> known = store.GetHost(id);
  if (known.ok()) return *std::move(known);
  if (absl::IsNotFound(known.status())) return std::nullopt;
  return known.status();
}

}  // namespace

absl::StatusOr<ActivationChallenge> Enroller::Begin(const BeginRequest& request) {
  const absl::Time now = clock_.Now();
  BG_RETURN_IF_ERROR(CheckSizes(request));
  BG_ASSIGN_OR_RETURN(
      const store::JoinToken token,
      store_.CheckJoinToken(request.join_token_id, Sha256(request.join_token_secret), now));
  BG_ASSIGN_OR_RETURN(session::PendingHost host, CheckKeys(request, token, now));
  // The public area that was just checked, so the secret goes to the certificate's key and to the
  // Name of the very AK area we looked at.
  BG_ASSIGN_OR_RETURN(const tpm2::Public ek, tpm2::Public::FromTpmt(host.ek_public));
  SecretBytes secret = crypto::RandomSecret(kSecretSize);
  BG_ASSIGN_OR_RETURN(tpm2::CredentialBlob blob, tpm2::MakeCredential(ek, host.ak_name, secret));
  BG_ASSIGN_OR_RETURN(std::string session_id,
                      activations_.Open(std::move(host), std::move(secret)));
  return ActivationChallenge{.session_id = std::move(session_id),
                             .id_object = std::move(blob.id_object),
                             .encrypted_secret = std::move(blob.encrypted_secret)};
}

absl::StatusOr<session::PendingHost> Enroller::CheckKeys(const BeginRequest& request,
                                                         const store::JoinToken& token,
                                                         absl::Time now) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public ek, tpm2::Public::FromTpm2b(request.ek_public));
  BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm2::Public::FromTpm2b(request.ak_public));
  const EkShown shown = {.ek = ek,
                         .certificate = request.ek_certificate,
                         .intermediates = request.ek_intermediates,
                         .ak = &ak,
                         .ak_certificate = request.ak_certificate,
                         .ak_intermediates = &request.ak_intermediates};
  BG_ASSIGN_OR_RETURN(const std::shared_ptr<const EkPolicy> policy, policies_.Current());
  std::map<std::string, std::string> labels = token.labels;
  BG_ASSIGN_OR_RETURN(const EkTrust trust, Judge(shown, *policy, &labels, now));
  BG_RETURN_IF_ERROR(tpm2::CheckAk(ak));
  session::PendingHost host;
  host.ek_public = ek.raw;
  host.ak_public = ak.raw;
  host.ak_name = ak.Name();
  host.ek_certificate = request.ek_certificate;
  host.own_ek_certificate = trust.own;
  host.ek_trust = trust.how;
  host.assurance = trust.assurance;
  host.tolerances = trust.tolerances;
  host.tpm_manufacturer = trust.tpm.manufacturer;
  host.tpm_model = trust.tpm.model;
  host.tpm_version = trust.tpm.version;
  host.approved = trust.approved || (token.approves && trust.may_be_approved_by_token);
  host.labels = std::move(labels);
  host.join_token_id = token.id;
  host.join_token_secret_sha256 = token.secret_sha256;
  host.hostname = Printable(request.hostname, host::kMaxFact);
  host.kernel_release = Printable(request.kernel_release, host::kMaxFact);
  host.os_release = Printable(request.os_release, host::kMaxFact);
  host.agent_version = Printable(request.agent_version, host::kMaxFact);
  return host;
}

// `labels`: what the inventory says of this TPM goes before what its token says of many.
absl::StatusOr<EkTrust> Enroller::Judge(const EkShown& shown, const EkPolicy& policy,
                                        std::map<std::string, std::string>* labels,
                                        absl::Time now) {
  BG_ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                      InventoryKeys(shown.ek, shown.certificate));
  EkKnown known;
  for (const std::string& key : keys) {
    known.listed = known.listed || policy.inventory.contains(key);
    const absl::StatusOr<store::InventoryRow> row = store_.GetInventory(key);
    if (absl::IsNotFound(row.status())) continue;
    BG_RETURN_IF_ERROR(row.status());
    known.listed = true;
    for (const auto& [name, value] : row->labels) (*labels)[name] = value;
  }
  if (authority_ != nullptr) {
    BG_ASSIGN_OR_RETURN(OwnAnchors own, AnchorsOf(*authority_));
    known.own = std::move(own.anchors);
    known.own_intermediates = std::move(own.intermediates);
  }
  BG_ASSIGN_OR_RETURN(EkTrust trust, JudgeEk(policy, shown, known, now));
  if (trust.own) BG_RETURN_IF_ERROR(CheckOwnCertificate(shown.certificate));
  return trust;
}

absl::Status Enroller::CheckOwnCertificate(ByteView certificate) {
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr parsed, pki::ParseCertificate(certificate));
  BG_ASSIGN_OR_RETURN(const bool revoked, store_.IsRevoked(pki::SerialHex(parsed.get())));
  if (!revoked) return absl::OkStatus();
  return NotPermitted(Reason::kEkRevoked, "the EK certificate that we made for it was revoked");
}

absl::StatusOr<host::HostRecord> Enroller::Complete(const CompleteRequest& request) {
  BG_ASSIGN_OR_RETURN(
      const session::ActivatedHost activated,
      activations_.Complete(request.session_id, request.ak_name, request.activated_secret));
  for (int lost = 0;; ++lost) {
    absl::StatusOr<host::HostRecord> stored = CommitHost(activated.host());
    if (!absl::IsAborted(stored.status()) || lost == kMaxLostRaces) return stored;
  }
}

absl::StatusOr<host::HostRecord> Enroller::CommitHost(const session::PendingHost& shown) {
  const absl::Time now = clock_.Now();
  BG_ASSIGN_OR_RETURN(const tpm2::Public ek, tpm2::Public::FromTpmt(shown.ek_public));
  const std::string id = host::HostIdFor(ek.Name());
  BG_ASSIGN_OR_RETURN(const std::optional<host::HostRecord> known, Known(store_, id));
  if (known.has_value() && known->ek_public != shown.ek_public) return RefuseOtherEk(*known);
  if (known.has_value() && known->trust == host::Trust::kRetired) {
    return NotPermitted(Reason::kHostRetired, absl::StrCat("host ", id, " was retired"));
  }
  host::HostRecord host = known.has_value() ? *known : NewHost(id, shown, now);
  BG_RETURN_IF_ERROR(TakeKeysAndFacts(host, shown, now));
  store::Commit commit = EnrolmentCommit(known, host, shown, now);
  const bool new_ak = known.has_value() && known->ak_public != shown.ak_public;
  BG_RETURN_IF_ERROR(AddCertificates(new_ak, commit, now));
  BG_RETURN_IF_ERROR(store_.Apply(commit));
  host = *std::move(commit.host);
  ++host.revision;
  return host;
}

absl::Status Enroller::AddCertificates(bool new_ak, store::Commit& commit, absl::Time now) {
  if (authority_ == nullptr) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(commit.issued, RenewCertificates(*commit.host, *authority_, now));
  if (!new_ak) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(const std::vector<store::CredentialRow> rows,
                      store_.ListCredentials(commit.host->id));
  for (const store::CredentialRow& row : rows) {
    if (row.kind == "ak" && !row.revoked) commit.revoke_serials.push_back(row.serial);
  }
  return absl::OkStatus();
}

// Ids are digests of EK Names, so this takes a collision of 128 bits or a store that was tampered
// with: both are worth a row in the audit trail. The record stays as it is.
absl::Status Enroller::RefuseOtherEk(const host::HostRecord& known) {
  store::Commit event;
  event.audit = {audit::MakeRow(clock_.Now(), audit::kGatekeeperActor, "enroll.refused", known.id,
                                audit::Detail().Text("code", Code(Reason::kHostIdBound)))};
  BG_RETURN_IF_ERROR(store_.Apply(event));
  Log(LogLevel::kWarning, "enrolment of a host id that belongs to another TPM",
      {{"host", known.id}});
  return NotPermitted(Reason::kHostIdBound,
                      absl::StrCat("host id ", known.id, " belongs to another TPM"));
}

}  // namespace bootgate::gatekeeper::enroll
