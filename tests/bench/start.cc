// From the start of the agent to its credential on a software TPM: connect to the TPM, see that it
// is the one that joined, challenge, evidence, the gatekeeper's answer (in this process, without
// the network), unseal, install. Told beside the time that the TPM took of it in the same run.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/app/attest.h"
#include "agent/identity/installed_credential.h"
#include "agent/tpm/internal/open.h"
#include "common/base/files.h"
#include "common/base/status_macros.h"
#include "common/testing/corpus.h"
#include "tests/bench/bench.h"
#include "tests/desk/host.h"
#include "tests/desk/scratch_folder.h"
#include "tests/desk/tap_tcti.h"
#include "tests/gate/gate.h"

namespace bootgate::bench {
namespace {

struct Kind {
  absl::string_view name;
  tpm2::EkTemplate ek;
  agent::tpm::AkKind ak;
  int rsa_bits = 2048;  // of the RSA EK that the TPM's maker left in it
};
constexpr Kind kKinds[] = {
    {"ecc", tpm2::EkTemplate::kP384High, agent::tpm::AkKind::kEcc},
    {"rsa", tpm2::EkTemplate::kRsa2048Low, agent::tpm::AkKind::kEcc},
    {"rsa3072", tpm2::EkTemplate::kRsa3072High, agent::tpm::AkKind::kEcc, 3072},
    {"rsa-ak", tpm2::EkTemplate::kRsa2048Low, agent::tpm::AkKind::kRsa},
};

// How long the TPM had a command, summed up.
class Stopwatch {
 public:
  Stopwatch() {
    bus_.before_command = [this](ByteView command) {
      codes_.push_back(desk::CommandCode(command));
      from_ = absl::Now();
      between_.push_back(from_ - until_);
    };
    bus_.change_response = [this](ByteView, Bytes&) {
      until_ = absl::Now();
      took_.push_back(until_ - from_);
      busy_ += took_.back();
    };
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  desk::Bus& bus() { return bus_; }
  absl::Duration busy() const { return busy_; }
  size_t commands() const { return took_.size(); }
  // Every command with the time before it and its own, for whoever looks for the slow one.
  void Print() const {
    for (size_t i = 0; i < took_.size(); ++i) {
      std::fprintf(stderr, "%7.3f ms  %03x %7.3f ms\n", absl::ToDoubleMilliseconds(between_[i]),
                   codes_[i], absl::ToDoubleMilliseconds(took_[i]));
    }
    std::fprintf(stderr, "%7.3f ms  the end\n", absl::ToDoubleMilliseconds(absl::Now() - until_));
  }

 private:
  desk::Bus bus_;
  absl::Time from_, until_ = absl::Now();
  absl::Duration busy_ = absl::ZeroDuration();
  std::vector<uint32_t> codes_;
  std::vector<absl::Duration> between_, took_;
};

struct Start {
  absl::Duration wall, tpm;
  size_t commands = 0;
};

// A host that has joined, and its gatekeeper.
class Joined {
 public:
  static absl::StatusOr<std::unique_ptr<Joined>> Make(const Kind& kind) {
    auto made = std::make_unique<Joined>();
    BG_ASSIGN_OR_RETURN(made->host_,
                        desk::Host::Up({.folder = made->scratch_.path() + "/host",
                                        .case_folder = testing::CorpusPath("boots/good"),
                                        .rsa_bits = kind.rsa_bits}));
    made->client_ = made->gate_.Direct();
    agent::app::Config& config = made->config_;
    config.state_folder = made->scratch_.path() + "/state";
    config.runtime_folder = made->memory_.path() + "/run";
    config.boot_log = made->host_->boot_log_path();
    config.user_log = made->host_->user_log_path();
    config.ima_list = made->host_->ima_path();
    config.install_credential = true;
    BG_RETURN_IF_ERROR(made->Join(kind));
    return made;
  }

  absl::StatusOr<Start> Once(bool verbose) {
    Stopwatch watch;
    const absl::Time from = absl::Now();
    BG_ASSIGN_OR_RETURN(const auto tpm,
                        agent::tpm::internal::OpenTpm({.tcti = host_->tcti()},
                                                      desk::Tapped(host_->tcti(), watch.bus())));
    std::optional<agent::Challenge> challenge;
    BG_ASSIGN_OR_RETURN(const agent::app::Attestation done,
                        agent::app::Attest(config_, joined_, *tpm, *client_, &challenge));
    const absl::Duration wall = absl::Now() - from;
    BG_RETURN_IF_ERROR(done.kept);
    if (!agent::identity::IsCredentialInstalled(config_.runtime_folder))
      return absl::InternalError(absl::StrCat("no credential: ", done.answer.outcome));
    if (verbose) watch.Print();
    return Start{wall, watch.busy(), watch.commands()};
  }

 private:
  absl::Status Join(const Kind& kind) {
    BG_ASSIGN_OR_RETURN(const auto tpm, agent::tpm::Tpm::Open({.tcti = host_->tcti()}));
    BG_ASSIGN_OR_RETURN(const tpm2::Public ek, tpm->EkPublic(kind.ek));
    BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm->AkPublic(kind.ak));
    agent::JoinRequest request;
    request.token_id = gate_.token.id;
    request.token_secret = SecretBytes(AsBytes(gate_.token.secret));
    request.ek_public = ek.Tpm2b();
    request.ek_certificate = gate_.vendor.CertificateFor(ek);
    request.ak_public = ak.Tpm2b();
    BG_ASSIGN_OR_RETURN(const agent::ActivationChallenge challenge,
                        client_->BeginEnrollment(request));
    joined_.ek_template = kind.ek;
    joined_.ek_name = ek.Name();
    joined_.ak = kind.ak;
    BG_ASSIGN_OR_RETURN(const SecretBytes secret,
                        tpm->ActivateCredential(joined_.pinned_ek(), kind.ak,
                                                {.id_object = challenge.id_object,
                                                 .encrypted_secret = challenge.encrypted_secret}));
    BG_ASSIGN_OR_RETURN(const agent::JoinAnswer answer,
                        client_->CompleteEnrollment(challenge.session_id, secret, ak.Name()));
    joined_.host_id = answer.host_id;
    joined_.cluster_id = answer.cluster_id;
    return MakeFolder(config_.state_folder, 0700);
  }

  desk::ScratchFolder scratch_;
  desk::ScratchFolder memory_{"/dev/shm"};  // a tmpfs, as the agent's runtime folder is
  gate::Gate gate_;
  std::unique_ptr<desk::Host> host_;
  std::unique_ptr<agent::GatekeeperClient> client_;
  agent::identity::JoinState joined_;
  agent::app::Config config_;
};

double Milliseconds(absl::Duration time) {
  return static_cast<double>(absl::ToInt64Microseconds(time)) / 1000.0;
}

void Print(const Kind& kind, std::vector<Start> starts) {
  std::ranges::sort(starts, {}, &Start::wall);
  const Start &best = starts.front(), &middle = starts[starts.size() / 2];
  const nlohmann::ordered_json line = {
      {"op", absl::StrCat("start-", kind.name)},
      {"ns", absl::ToInt64Nanoseconds(best.wall)},
      {"ms", Milliseconds(best.wall)},
      {"tpm_ms", Milliseconds(best.tpm)},
      {"ratio", absl::FDivDuration(best.wall, best.tpm)},
      {"median_ms", Milliseconds(middle.wall)},
      {"median_tpm_ms", Milliseconds(middle.tpm)},
      {"commands", best.commands},
  };
  std::printf("%s\n", line.dump().c_str());
}

}  // namespace

absl::Status RunStart(const Arguments& arguments) {
  const auto kind = std::ranges::find(kKinds, arguments[0], &Kind::name);
  if (kind == std::end(kKinds)) return absl::InvalidArgumentError("ecc, rsa, rsa3072 or rsa-ak");
  int iterations = 0;
  if (!absl::SimpleAtoi(arguments[1], &iterations) || iterations < 1)
    return absl::InvalidArgumentError("ITER is a positive number");
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<Joined> joined, Joined::Make(*kind));
  const bool verbose = getenv("BOOTGATE_BENCH_COMMANDS") != nullptr;
  BG_RETURN_IF_ERROR(joined->Once(verbose).status());  // unmeasured
  std::vector<Start> starts;
  for (int i = 0; i < iterations; ++i) {
    BG_ASSIGN_OR_RETURN(const Start one, joined->Once(false));
    starts.push_back(one);
  }
  Print(*kind, std::move(starts));
  return absl::OkStatus();
}

}  // namespace bootgate::bench
