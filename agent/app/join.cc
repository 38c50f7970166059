#include "agent/app/join.h"

#include <optional>
#include <utility>

#include "agent/app/host.h"
#include "agent/identity/join_state.h"
#include "agent/identity/stored_credential.h"
#include "agent/identity/tpm_certificates.h"
#include "agent/sources/sources.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

// The endorsement key to enrol with.
struct Endorsement {
  tpm2::Public ek;
  Bytes certificate;         // empty: the TPM has none
  std::vector<Bytes> chain;  // what the TPM has of the CAs above it
  tpm::PinnedEk pinned;
};

// Most TPMs have none, and the gatekeeper may know them: what cannot be read is told and left out.
std::vector<Bytes> ReadChain(tpm::Tpm& tpm) {
  absl::StatusOr<std::vector<Bytes>> chain = tpm.EkChain();
  if (chain.ok()) return *std::move(chain);
  Log(LogLevel::kWarning, "the CAs above the EK certificate were not read",
      {{"text", std::string(chain.status().message())}});
  return {};
}

absl::StatusOr<Endorsement> ChooseEk(const Config& config, tpm::Tpm& tpm) {
  BG_ASSIGN_OR_RETURN(const std::vector<tpm::EkCertificate> certificates, tpm.EkCertificates());
  for (const tpm::EkCertificate& row : certificates) {
    if (config.ek != "auto" && tpm2::IsEcc(row.ek_template) != (config.ek == "ecc")) continue;
    BG_ASSIGN_OR_RETURN(tpm2::Public ek, tpm.EkPublic(row.ek_template));
    BG_ASSIGN_OR_RETURN(tpm::PinnedEk pinned, tpm::PinnedEk::FromCertificate(ek, row.der));
    return Endorsement{std::move(ek), row.der, ReadChain(tpm), std::move(pinned)};
  }
  // Without a certificate the gatekeeper's operator decides about this very EK.
  const tpm2::EkTemplate which =
      config.ek == "ecc" ? tpm2::EkTemplate::kP256Low : tpm2::EkTemplate::kRsa2048Low;
  BG_ASSIGN_OR_RETURN(tpm2::Public ek, tpm.EkPublic(which));
  tpm::PinnedEk pinned = tpm::PinnedEk::FromName(which, ek.Name());
  return Endorsement{std::move(ek), {}, {}, std::move(pinned)};
}

// The attestation key to enrol with.
struct Attesting {
  tpm::AkKind kind;
  tpm2::Public ak;
  Bytes certificate;  // of the cloud that made the key; empty: it is ours
};

absl::StatusOr<std::optional<Attesting>> CloudsAk(tpm::Tpm& tpm, tpm::AkKind preferred) {
  BG_ASSIGN_OR_RETURN(std::optional<tpm::CloudAk> found, tpm.FindCloudAk(preferred));
  if (!found.has_value()) return std::nullopt;
  return Attesting{found->kind, std::move(found->public_area), std::move(found->certificate)};
}

absl::StatusOr<Attesting> ChooseAk(const Config& config, tpm::Tpm& tpm, bool ek_is_certified) {
  const tpm::AkKind own = AkKindOf(config);
  const bool must = config.ak_source == "cloud";
  if (must || (config.ak_source == "auto" && !ek_is_certified)) {
    absl::StatusOr<std::optional<Attesting>> clouds = CloudsAk(tpm, own);
    if (clouds.ok() && clouds->has_value()) return **std::move(clouds);
    if (must) {
      BG_RETURN_IF_ERROR(clouds.status());
      return absl::FailedPreconditionError(
          "tpm.ak_source is \"cloud\", and no cloud has left an AK certificate in this TPM's NV: "
          "set it to \"auto\" or \"own\"");
    }
    if (!clouds.ok()) {
      Log(LogLevel::kWarning, "the attestation key of the cloud is not used; the agent's own is",
          {{"text", std::string(clouds.status().message())}});
    }
  }
  BG_ASSIGN_OR_RETURN(tpm2::Public ak, tpm.AkPublic(own));
  return Attesting{own, std::move(ak), {}};
}

JoinRequest RequestOf(const Config& config, const config::JoinFile& file,
                      const Endorsement& endorsement, const Attesting& attesting) {
  JoinRequest request;
  request.token_id = file.token_id;
  request.token_secret = file.token_secret.Clone();
  request.ek_public = endorsement.ek.Tpm2b();
  request.ek_certificate = endorsement.certificate;
  request.ek_intermediates = endorsement.chain;
  if (request.ek_certificate.empty()) {
    // What the gatekeeper's CA made when an operator approved this TPM. Without it: another
    // approval.
    request.ek_certificate =
        identity::LoadOwnEkCertificate(config.state_folder, file.cluster_id).value_or(Bytes());
  }
  request.ak_public = attesting.ak.Tpm2b();
  request.ak_certificate = attesting.certificate;
  request.facts = sources::ReadFacts({}, kAgentVersion);
  return request;
}

absl::StatusOr<JoinAnswer> EnrollOnce(GatekeeperClient& client, const JoinRequest& request,
                                      const tpm::PinnedEk& pinned, tpm::AkKind ak_kind,
                                      tpm::Tpm& tpm) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm.AkPublic(ak_kind));
  BG_ASSIGN_OR_RETURN(const ActivationChallenge challenge, client.BeginEnrollment(request));
  BG_ASSIGN_OR_RETURN(const SecretBytes secret,
                      tpm.ActivateCredential(pinned, ak_kind,
                                             {.id_object = challenge.id_object,
                                              .encrypted_secret = challenge.encrypted_secret}));
  return client.CompleteEnrollment(challenge.session_id, secret, ak.Name());
}

// A certificate of the gatekeeper's own making may be worth nothing any more: revoked, or of a CA
// that is gone. The EK is then enrolled as the bare key that it is.
absl::StatusOr<JoinAnswer> Enroll(GatekeeperClient& client, JoinRequest request,
                                  const tpm::PinnedEk& pinned, tpm::AkKind ak_kind, tpm::Tpm& tpm,
                                  bool own_certificate) {
  absl::StatusOr<JoinAnswer> answer = EnrollOnce(client, request, pinned, ak_kind, tpm);
  if (answer.ok() || !own_certificate || !ReasonOf(answer.status()).has_value()) return answer;
  request.ek_certificate.clear();
  return EnrollOnce(client, request, pinned, ak_kind, tpm);
}

}  // namespace

absl::StatusOr<JoinAnswer> Join(const Config& config, const config::JoinFile& file, tpm::Tpm& tpm) {
  BG_ASSIGN_OR_RETURN(const Endorsement endorsement, ChooseEk(config, tpm));
  BG_ASSIGN_OR_RETURN(const Attesting attesting,
                      ChooseAk(config, tpm, !endorsement.certificate.empty()));
  BG_ASSIGN_OR_RETURN(
      const std::unique_ptr<GatekeeperClient> client,
      Connect(
          {.address = file.gatekeeper, .server_name = file.server_name, .ca_pem = file.ca_pem}));

  JoinRequest request = RequestOf(config, file, endorsement, attesting);
  const bool own = endorsement.certificate.empty() && !request.ek_certificate.empty();
  BG_ASSIGN_OR_RETURN(JoinAnswer answer, Enroll(*client, std::move(request), endorsement.pinned,
                                                attesting.kind, tpm, own));

  identity::JoinState state;
  state.gatekeeper = file.gatekeeper;
  state.server_name = file.server_name;
  state.ca_pem = file.ca_pem;
  state.cluster_id = answer.cluster_id;
  state.host_id = answer.host_id;
  state.ek_template = endorsement.pinned.ek_template();
  state.ek_name = ToBytes(endorsement.pinned.name());
  state.ak = attesting.kind;
  state.ak_certificate = answer.ak_certificate;
  BG_RETURN_IF_ERROR(identity::RemoveStoredCredential(config.state_folder));
  BG_RETURN_IF_ERROR(identity::SaveJoinState(config.state_folder, state));
  if (!answer.ek_certificate.empty()) {
    BG_RETURN_IF_ERROR(identity::StoreOwnEkCertificate(config.state_folder, state.cluster_id,
                                                       answer.ek_certificate));
  }
  return answer;
}

}  // namespace bootgate::agent::app
