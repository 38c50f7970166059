#include "agent/app/join.h"

#include <optional>
#include <utility>

#include "agent/app/host.h"
#include "agent/identity/join_state.h"
#include "agent/identity/stored_credential.h"
#include "agent/sources/sources.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

// The endorsement key to enrol with.
struct Endorsement {
  tpm2::Public ek;
  Bytes certificate;  // empty: the TPM has none
  tpm::PinnedEk pinned;
};

bool IsEcc(tpm2::EkTemplate which) {
  return which != tpm2::EkTemplate::kRsa2048Low && which != tpm2::EkTemplate::kRsa2048High;
}

absl::StatusOr<Endorsement> ChooseEk(const Config& config, tpm::Tpm& tpm) {
  BG_ASSIGN_OR_RETURN(const std::vector<tpm::EkCertificate> certificates, tpm.EkCertificates());
  for (const tpm::EkCertificate& row : certificates) {
    if (config.ek != "auto" && IsEcc(row.ek_template) != (config.ek == "ecc")) continue;
    BG_ASSIGN_OR_RETURN(tpm2::Public ek, tpm.EkPublic(row.ek_template));
    BG_ASSIGN_OR_RETURN(tpm::PinnedEk pinned, tpm::PinnedEk::FromCertificate(ek, row.der));
    return Endorsement{std::move(ek), row.der, std::move(pinned)};
  }
  // Without a certificate the gatekeeper's operator decides about this very EK.
  const tpm2::EkTemplate which =
      config.ek == "ecc" ? tpm2::EkTemplate::kP256Low : tpm2::EkTemplate::kRsa2048Low;
  BG_ASSIGN_OR_RETURN(tpm2::Public ek, tpm.EkPublic(which));
  tpm::PinnedEk pinned = tpm::PinnedEk::FromName(which, ek.Name());
  return Endorsement{std::move(ek), {}, std::move(pinned)};
}

}  // namespace

absl::StatusOr<JoinAnswer> Join(const Config& config, const config::JoinFile& file, tpm::Tpm& tpm) {
  const tpm::AkKind ak_kind = AkKindOf(config);
  BG_ASSIGN_OR_RETURN(const Endorsement endorsement, ChooseEk(config, tpm));
  BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm.AkPublic(ak_kind));
  BG_ASSIGN_OR_RETURN(
      const std::unique_ptr<GatekeeperClient> client,
      Connect(
          {.address = file.gatekeeper, .server_name = file.server_name, .ca_pem = file.ca_pem}));

  JoinRequest request;
  request.token_id = file.token_id;
  request.token_secret = file.token_secret.Clone();
  request.ek_public = endorsement.ek.Tpm2b();
  request.ek_certificate = endorsement.certificate;
  request.ak_public = ak.Tpm2b();
  request.facts = sources::ReadFacts({}, kAgentVersion);
  BG_ASSIGN_OR_RETURN(const ActivationChallenge challenge, client->BeginEnrollment(request));
  BG_ASSIGN_OR_RETURN(const SecretBytes secret,
                      tpm.ActivateCredential(endorsement.pinned, ak_kind,
                                             {.id_object = challenge.id_object,
                                              .encrypted_secret = challenge.encrypted_secret}));
  BG_ASSIGN_OR_RETURN(JoinAnswer answer,
                      client->CompleteEnrollment(challenge.session_id, secret, ak.Name()));

  identity::JoinState state;
  state.gatekeeper = file.gatekeeper;
  state.server_name = file.server_name;
  state.ca_pem = file.ca_pem;
  state.cluster_id = answer.cluster_id;
  state.host_id = answer.host_id;
  state.ek_template = endorsement.pinned.ek_template();
  state.ek_name = ToBytes(endorsement.pinned.name());
  state.ak = ak_kind;
  state.ak_certificate = answer.ak_certificate;
  BG_RETURN_IF_ERROR(identity::RemoveStoredCredential(config.state_folder));
  BG_RETURN_IF_ERROR(identity::SaveJoinState(config.state_folder, state));
  return answer;
}

}  // namespace bootgate::agent::app
