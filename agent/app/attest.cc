#include "agent/app/attest.h"

#include <algorithm>
#include <future>
#include <mutex>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "agent/app/host.h"
#include "agent/client/short_list.h"
#include "agent/evidence_builder/evidence_builder.h"
#include "agent/identity/boot_secrets.h"
#include "agent/identity/installed_credential.h"
#include "agent/identity/plaintext.h"
#include "agent/identity/stored_credential.h"
#include "agent/identity/tpm_certificates.h"
#include "agent/identity/tpm_key_credential.h"
#include "agent/identity/trust_bundle.h"
#include "agent/identity/unseal.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

// How often a list that does not fit is read and sent again at once: IMA may extend PCR 10 at any
// time, and a gatekeeper that cannot build on what it knows wants the whole list.
constexpr int kListTries = 8;

absl::StatusOr<evidence_builder::Question> QuestionOf(const identity::JoinState& joined,
                                                      const Challenge& challenge) {
  if (challenge.cluster_id != joined.cluster_id) {
    return absl::FailedPreconditionError(absl::StrCat("the gatekeeper is of cluster ",
                                                      Printable(challenge.cluster_id),
                                                      ", this host joined ", joined.cluster_id));
  }
  evidence_builder::Question question;
  question.host_id = joined.host_id;
  question.cluster_id = joined.cluster_id;
  question.nonce = challenge.nonce;
  BG_ASSIGN_OR_RETURN(question.selection, registers::ParseSelection(challenge.selection));
  BG_ASSIGN_OR_RETURN(question.seal_selection, registers::ParseSelection(challenge.seal_selection));
  question.ima_first_entry = challenge.ima_first_entry;
  return question;
}

// Credentials expire while they are replaced: the thread that deletes and the one that writes take
// turns.
std::mutex& Files() {
  static auto* const files = new std::mutex;
  return *files;
}

absl::Status Store(const Config& config, const identity::StoredCredential& stored) {
  const std::lock_guard turn(Files());
  return identity::StoreCredential(config.state_folder, stored);
}

// `key`: all but the certificate of it.
absl::Status KeepTpmKey(const Config& config, const TpmKeyCredential& issued,
                        identity::TpmKeyCredential key) {
  if (issued.certificate.empty()) return absl::OkStatus();
  key.chain_pem = PemOf(issued.certificate) + issued.ca_chain_pem;
  const std::lock_guard turn(Files());
  absl::Status kept =
      WriteFileAtomically(TpmKeyCertificatePath(config), AsBytes(key.chain_pem), 0644);
  kept.Update(identity::StoreTpmKeyCredential(config.state_folder, key));
  return WithReason(std::move(kept), Reason::kStateUnwritable);
}

absl::Status RemoveTpmKey(const Config& config) {
  absl::Status status = identity::RemoveTpmKeyCredential(config.state_folder);
  status.Update(RemoveFile(TpmKeyCertificatePath(config)));
  return status;
}

// Opens what was sealed, once: afterwards the cap register may stand in the way.
absl::StatusOr<evidence::SealedPayload> Open(const Config& config,
                                             const identity::JoinState& joined, tpm::Tpm& tpm,
                                             const identity::StoredCredential& stored) {
  identity::UnsealOptions options;
  if (config.cap_register >= 0) options.cap_register = static_cast<uint32_t>(config.cap_register);
  return identity::UnsealCredential(tpm, joined, stored, options);
}

bool OpensAtOnce(const Config& config, Opening opening) {
  return config.install_credential || opening != Opening::kWhenInstalled;
}

absl::StatusOr<identity::StoredCredential> ToKeep(const SealedCredential& sealed) {
  identity::StoredCredential stored;
  stored.blob = {.object_public = sealed.object_public,
                 .duplicate = sealed.duplicate,
                 .in_sym_seed = sealed.in_sym_seed};
  stored.payload = sealed.payload;
  BG_ASSIGN_OR_RETURN(stored.selection, registers::ParseSelection(sealed.selection));
  stored.certificate = sealed.certificate;
  stored.not_after = sealed.not_after;
  return stored;
}

// The disk writes while the TPM unseals: neither waits for the other. A disk that is full does not
// keep the host from its credential: that lies in memory.
absl::Status KeepCredentials(const Config& config, const identity::JoinState& joined, tpm::Tpm& tpm,
                             const AttestAnswer& answer, identity::TpmKeyCredential key,
                             Opening opening, std::optional<evidence::SealedPayload>* opened) {
  if (answer.sealed.payload.empty()) return KeepTpmKey(config, answer.tpm_key, std::move(key));
  const absl::StatusOr<identity::StoredCredential> to_keep = ToKeep(answer.sealed);
  if (!to_keep.ok()) {
    absl::Status kept = KeepTpmKey(config, answer.tpm_key, std::move(key));
    kept.Update(to_keep.status());
    return kept;
  }
  const identity::StoredCredential& stored = *to_keep;
  // Deferred to `get` where no thread can be had.
  std::future<absl::Status> written =
      std::async(std::launch::async | std::launch::deferred, [&]() -> absl::Status {
        absl::Status status = KeepTpmKey(config, answer.tpm_key, std::move(key));
        status.Update(Store(config, stored));
        return status;
      });
  if (!OpensAtOnce(config, opening)) return written.get();
  absl::StatusOr<evidence::SealedPayload> payload =
      config.install_credential ? UnsealInto(config, config.runtime_folder, joined, tpm, stored)
                                : Open(config, joined, tpm, stored);
  absl::Status kept = written.get();
  kept.Update(payload.status());
  if (payload.ok()) opened->emplace(*std::move(payload));
  return kept;
}

// InfiniteFuture: there is none. InfinitePast: it is damaged, and must go; a new one is on its way.
absl::Time StoredUntil(const Config& config) {
  const absl::StatusOr<identity::StoredCredential> stored =
      identity::LoadStoredCredential(config.state_folder);
  if (stored.ok()) return stored->not_after;
  return absl::IsDataLoss(stored.status()) ? absl::InfinitePast() : absl::InfiniteFuture();
}

// The same of the certificate of the key in the TPM.
absl::Time TpmKeyUntil(const Config& config) {
  const absl::StatusOr<identity::TpmKeyCredential> stored =
      identity::LoadTpmKeyCredential(config.state_folder);
  if (!stored.ok())
    return absl::IsDataLoss(stored.status()) ? absl::InfinitePast() : absl::InfiniteFuture();
  const absl::StatusOr<identity::TpmKeyFacts> facts = identity::FactsOf(*stored);
  return facts.ok() ? facts->not_after : absl::InfinitePast();
}

// The verdict stands whether or not the bundle can be kept; it comes again with the next one.
// What was made anew of the TPM's certificates. Not having them harms no credential.
void KeepTpmCertificates(const Config& config, const identity::JoinState& joined,
                         const AttestAnswer& answer) {
  absl::Status kept;
  if (!answer.ak_certificate.empty()) {
    kept = identity::StoreAkCertificate(config.state_folder, joined, answer.ak_certificate);
  }
  if (!answer.ek_certificate.empty()) {
    kept.Update(identity::StoreOwnEkCertificate(config.state_folder, joined.cluster_id,
                                                answer.ek_certificate));
  }
  if (kept.ok()) return;
  Log(LogLevel::kWarning, "the TPM's new certificates are not kept",
      {{"text", std::string(kept.message())}});
}

void KeepTrustBundle(const Config& config, const identity::JoinState& joined,
                     const std::string& pem) {
  if (pem.empty()) return;
  const absl::Status stored = identity::StoreTrustBundle(config.state_folder, joined, pem);
  Log(stored.ok() ? LogLevel::kInfo : LogLevel::kError,
      stored.ok() ? "new trust bundle" : "cannot keep the new trust bundle",
      {{"text", std::string(stored.message())}});
}

// What cannot be kept is not worth the credentials that came with it.
void KeepBootSecrets(const Config& config, const identity::JoinState& joined,
                     const AttestAnswer& answer) {
  absl::Status kept;
  if (answer.drop_boot_secrets) kept = identity::RemoveBootSecrets(config.state_folder);
  if (answer.boot_secrets.has_value()) {
    kept = identity::KeepBootSecrets(config.state_folder, joined.host_id, *answer.boot_secrets);
  }
  if (kept.ok()) return;
  Log(LogLevel::kError, "the secrets for the next start are not kept",
      {{"text", std::string(kept.message())}});
}

bool IsStaleChallenge(const absl::Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  return reason == Reason::kNonceUnknown || reason == Reason::kNonceExpired ||
         reason == Reason::kNonceUsed;
}

bool WantsListAgain(const absl::Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  return reason == Reason::kRetryLogBehind || reason == Reason::kRetryResync;
}

struct Sending {
  bool in_full = false;  // else what the gatekeeper knows of the list is sent by name
  bool opens = false;    // what comes back sealed is opened at once
};

absl::StatusOr<AttestAnswer> Send(const identity::JoinState& joined, tpm::Tpm& tpm,
                                  GatekeeperClient& client, const evidence::Evidence& evidence,
                                  const Sending& how) {
  Bytes mixed;
  if (!how.in_full && evidence.ima.before_quote_count >= kLeastEntriesToShorten) {
    BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm.AkPublic(joined.ak));
    mixed = ShortList(client, joined.host_id, ak.Name(), evidence.ima.before_quote);
  }
  if (how.opens) tpm.GetReadyToUnseal(joined.pinned_ek());
  return mixed.empty() ? client.Submit(evidence) : client.SubmitMixed(evidence, mixed);
}

evidence_builder::Options OptionsFor(const Config& config, tpm::AkKind ak,
                                     const AttestRequest& request) {
  evidence_builder::Options options = BuilderOptions(config, ak);
  options.statement = request.statement;
  options.other_keys = request.other_keys;
  options.want_token = request.want_token;
  return options;
}

// What the TPM must be told to use the key that the evidence asks a certificate for.
absl::StatusOr<identity::TpmKeyCredential> KeyAskedFor(const evidence_builder::Question& question,
                                                       const evidence::Evidence& evidence) {
  identity::TpmKeyCredential key;
  key.selection = question.seal_selection;
  if (evidence.identity_keys.empty()) return key;
  BG_ASSIGN_OR_RETURN(const tpm2::Public area,
                      tpm2::Public::FromTpm2b(evidence.identity_keys.front().public_area));
  key.auth_policy = area.auth_policy;
  return key;
}

absl::StatusOr<AttestAnswer> AskAndAnswer(const Config& config, const identity::JoinState& joined,
                                          tpm::Tpm& tpm, GatekeeperClient& client,
                                          std::optional<Challenge>* challenge,
                                          const AttestRequest& request, const Sending& how,
                                          identity::TpmKeyCredential* asked_for) {
  if (!challenge->has_value() || (*challenge)->nonce.empty()) {
    BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm.AkPublic(joined.ak));
    BG_ASSIGN_OR_RETURN(*challenge, client.GetChallenge(joined.host_id, ak.Name()));
  }
  const Challenge asked = **challenge;
  challenge->reset();  // good once, whatever comes
  BG_ASSIGN_OR_RETURN(const evidence_builder::Question question, QuestionOf(joined, asked));
  BG_ASSIGN_OR_RETURN(
      evidence::Evidence evidence,
      evidence_builder::Build(tpm, OptionsFor(config, joined.ak, request), question));
  evidence.held_boot_secrets = identity::HeldBootSecrets(config.state_folder);
  BG_ASSIGN_OR_RETURN(*asked_for, KeyAskedFor(question, evidence));
  return Send(joined, tpm, client, evidence, how);
}

}  // namespace

std::string PemOf(ByteView der) {
  constexpr size_t kLine = 64;
  const std::string text = ToBase64(der);
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  for (size_t i = 0; i < text.size(); i += kLine)
    absl::StrAppend(&out, text.substr(i, kLine), "\n");
  return out + "-----END CERTIFICATE-----\n";
}

std::string TpmKeyCertificatePath(const Config& config) {
  return config.state_folder + "/tpm-key.pem";
}

absl::Status DropCredentials(const Config& config) {
  const std::lock_guard turn(Files());
  absl::Status status = identity::RemoveInstalledCredential(config.runtime_folder);
  status.Update(identity::RemoveStoredCredential(config.state_folder));
  status.Update(identity::RemoveBootSecrets(config.state_folder));
  status.Update(RemoveTpmKey(config));
  return status;
}

absl::Status DropExpired(const Config& config, absl::Time now) {
  const std::lock_guard turn(Files());
  absl::Status status;
  if (now >= TpmKeyUntil(config)) status.Update(RemoveTpmKey(config));
  if (now >= StoredUntil(config))
    status.Update(identity::RemoveStoredCredential(config.state_folder));
  if (now >= identity::InstalledUntil(config.runtime_folder).value_or(absl::InfiniteFuture()))
    status.Update(identity::RemoveInstalledCredential(config.runtime_folder));
  return status;
}

absl::Status DropAtStop(const Config& config) {
  const std::lock_guard turn(Files());
  absl::Status status = identity::RemoveInstalledCredential(config.runtime_folder);
  if (config.forget_at_stop) status.Update(identity::RemoveStoredCredential(config.state_folder));
  return status;
}

absl::Time CredentialsUntil(const Config& config) {
  const std::lock_guard turn(Files());
  return std::min(StoredUntil(config),
                  identity::InstalledUntil(config.runtime_folder).value_or(absl::InfiniteFuture()));
}

absl::StatusOr<evidence::SealedPayload> UnsealInto(const Config& config, const std::string& folder,
                                                   const identity::JoinState& joined, tpm::Tpm& tpm,
                                                   const identity::StoredCredential& stored) {
  if (config.require_tmpfs) BG_RETURN_IF_ERROR(identity::RequireMemory(folder));
  BG_ASSIGN_OR_RETURN(evidence::SealedPayload payload, Open(config, joined, tpm, stored));
  const std::lock_guard turn(Files());
  BG_RETURN_IF_ERROR(
      identity::InstallCredential(folder, payload, InstallOptionsOf(config, joined)));
  return payload;
}

absl::StatusOr<Attestation> Attest(const Config& config, const identity::JoinState& joined,
                                   tpm::Tpm& tpm, GatekeeperClient& client,
                                   std::optional<Challenge>* challenge,
                                   const AttestRequest& request, Opening opening) {
  BG_RETURN_IF_ERROR(tpm.CheckPinned(joined.pinned_ek()));
  Sending how{.opens = OpensAtOnce(config, opening)};
  const absl::Cleanup drop = [&] { tpm.DropReady(); };
  identity::TpmKeyCredential key;
  const auto ask = [&] {
    return AskAndAnswer(config, joined, tpm, client, challenge, request, how, &key);
  };
  absl::StatusOr<AttestAnswer> answer = ask();
  if (IsStaleChallenge(answer.status())) answer = ask();
  for (int i = 0; i < kListTries && WantsListAgain(answer.status()); ++i) {
    how.in_full = how.in_full || ReasonOf(answer.status()) == Reason::kRetryResync;
    answer = ask();
  }
  BG_RETURN_IF_ERROR(answer.status());
  *challenge = answer->next_challenge;
  KeepTrustBundle(config, joined, answer->trust_bundle_pem);
  KeepTpmCertificates(config, joined, *answer);
  Attestation attestation{.answer = *std::move(answer), .kept = absl::OkStatus()};
  if (attestation.answer.drop_credentials) {
    attestation.kept = DropCredentials(config);
  } else if (attestation.answer.outcome == Name(OutcomeClass::kAdmit)) {
    KeepBootSecrets(config, joined, attestation.answer);
    attestation.kept = KeepCredentials(config, joined, tpm, attestation.answer, std::move(key),
                                       opening, &attestation.opened);
  }
  return attestation;
}

}  // namespace bootgate::agent::app
