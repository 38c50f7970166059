#include "tests/policy/desk_host.h"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/eventlog/replay.h"

namespace bootgate::policy_test {
namespace {

constexpr agent::tpm::AkKind kAk = agent::tpm::AkKind::kEcc;
constexpr tpm2::EkTemplate kEk = tpm2::EkTemplate::kP256Low;
constexpr size_t kMaxLog = size_t{32} << 20;

template <typename T>
T Need(absl::StatusOr<T> got) {
  if (got.ok()) return *std::move(got);
  std::fprintf(stderr, "%s\n", got.status().ToString().c_str());
  std::abort();
}

void Need(const absl::Status& status) {
  if (!status.ok()) Need(absl::StatusOr<int>(status));
}

agent::evidence_builder::Question QuestionOf(const std::string& host_id,
                                             const agent::Challenge& challenge) {
  return {.host_id = host_id,
          .cluster_id = challenge.cluster_id,
          .nonce = challenge.nonce,
          .selection = Need(registers::ParseSelection(challenge.selection)),
          .seal_selection = Need(registers::ParseSelection(challenge.seal_selection)),
          .ima_first_entry = challenge.ima_first_entry};
}

}  // namespace

DeskHost::DeskHost(gate::Gate& gate, const std::string& case_folder)
    : gate_(gate),
      host_(
          Need(desk::Host::Up({.folder = scratch_.path() + "/host", .case_folder = case_folder}))),
      tpm_(Need(agent::tpm::Tpm::Open({.tcti = host_->tcti()}))) {
  Join();
}

// As the agent joins, with a certificate of the vendor that the gate trusts.
void DeskHost::Join() {
  const std::unique_ptr<agent::GatekeeperClient> client = gate_.Direct();
  const tpm2::Public ek = Need(tpm_->EkPublic(kEk)), ak = Need(tpm_->AkPublic(kAk));
  agent::JoinRequest request;
  request.token_id = gate_.token.id;
  request.token_secret = SecretBytes(AsBytes(gate_.token.secret));
  request.ek_public = ek.Tpm2b();
  request.ek_certificate = gate_.vendor.CertificateFor(ek);
  request.ak_public = ak.Tpm2b();
  const agent::ActivationChallenge challenge = Need(client->BeginEnrollment(request));
  const SecretBytes secret = Need(tpm_->ActivateCredential(
      agent::tpm::PinnedEk::FromName(kEk, ek.Name()), kAk,
      {.id_object = challenge.id_object, .encrypted_secret = challenge.encrypted_secret}));
  id_ = Need(client->CompleteEnrollment(challenge.session_id, secret, ak.Name())).host_id;
}

evidence::Evidence DeskHost::Evidence(agent::evidence_builder::Options say) {
  const std::unique_ptr<agent::GatekeeperClient> client = gate_.Direct();
  const tpm2::Public ak = Need(tpm_->AkPublic(kAk));
  const agent::Challenge challenge = Need(client->GetChallenge(id_, ak.Name()));
  say.paths = {.boot_log = host_->boot_log_path(),
               .user_log = host_->user_log_path(),
               .ima_list = host_->ima_path(),
               .boot_id = host_->boot_id_path()};
  say.ak = kAk;
  return Need(agent::evidence_builder::Build(*tpm_, say, QuestionOf(id_, challenge)));
}

absl::StatusOr<gatekeeper::admission::Decision> DeskHost::Attest(
    agent::evidence_builder::Options say) {
  absl::StatusOr<gatekeeper::admission::Decision> decision =
      gate_.admission.Decide({}, Evidence(say));
  // As the agent does: what is known of an earlier boot is no beginning of this one's list.
  if (ReasonOf(decision.status()) == Reason::kRetryResync)
    decision = gate_.admission.Decide({}, Evidence(std::move(say)));
  return decision;
}

void DeskHost::Reboot(const std::string& case_folder) { Need(host_->Reboot(case_folder)); }

std::string CaseOfLog(const desk::ScratchFolder& scratch, const std::string& log_path) {
  const std::string folder = scratch.path() + "/case";
  Need(MakeFolder(folder, 0700));
  const Bytes bytes = Need(ReadFile(log_path, kMaxLog));
  Need(WriteFileAtomically(folder + "/eventlog.bin", bytes, 0600));
  const registers::RegisterBank bank =
      eventlog::ReplayBank(eventlog::Log::Parse(bytes), crypto::HashAlg::kSha256).bank;
  nlohmann::json values = nlohmann::json::object();
  for (uint32_t i = 1; i < 16; ++i) {
    const crypto::Digest zeros(crypto::HashAlg::kSha256);
    values[absl::StrCat(i)] = bank.Get(i).value_or(zeros).hex();
  }
  const nlohmann::json pcrs = {{"sha256", values}};
  Need(WriteFileAtomically(folder + "/pcrs.json", AsBytes(pcrs.dump()), 0600));
  return folder;
}

}  // namespace bootgate::policy_test
