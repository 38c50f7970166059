#include "agent/app/run.h"

#include <signal.h>
#include <systemd/sd-daemon.h>

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "agent/app/attest.h"
#include "agent/app/host.h"
#include "agent/app/loop.h"
#include "agent/app/status_file.h"
#include "agent/identity/installed_credential.h"
#include "common/base/bytes_view.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"
#include "common/crypto/random.h"

namespace bootgate::agent::app {
namespace {

// All of them are taken by sigtimedwait in the main thread, so every thread blocks them.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

enum class Wake { kTime, kNow, kStop };

Wake Sleep(const sigset_t& signals, absl::Duration wait) {
  const timespec limit = absl::ToTimespec(wait);
  const int signal = sigtimedwait(&signals, nullptr, &limit);
  if (signal == SIGHUP) return Wake::kNow;
  return signal > 0 ? Wake::kStop : Wake::kTime;
}

uint32_t Random32() {
  const Bytes bytes = crypto::RandomBytes(4);
  return bytes::Reader(bytes).U32Le().value_or(0);
}

// The first failing finding of a DENY, as far as the gatekeeper discloses it.
std::string WhyOf(const AttestAnswer& answer) {
  for (const DisclosedFinding& finding : answer.findings) {
    if (finding.severity == "fail")
      return absl::StrCat(finding.code, ": ", Printable(finding.text));
  }
  return answer.trust == "trusted" ? ""
                                   : absl::StrCat("the gatekeeper says: ", Printable(answer.trust));
}

void LogProblem(absl::string_view what, const absl::Status& status) {
  if (!status.ok()) Log(LogLevel::kError, what, {{"text", std::string(status.message())}});
}

class Life {
 public:
  explicit Life(const Config& config)
      : config_(config), backoff_({.first = config.retry_first, .most = config.retry_most}) {
    report_.phase = std::string(Name(Phase::kStarting));
    report_.since = SystemClock().Now();
  }

  // One try and what follows from it; the wait until the next.
  absl::Duration Once() {
    const absl::Time now = SystemClock().Now();
    LogProblem("cannot delete the expired credential", DropExpired(config_, now));
    const absl::StatusOr<AttestAnswer> answer = Try(now);
    Outcome outcome{
        .status = answer.status(), .trust = "", .next_attestation = absl::ZeroDuration()};
    if (answer.ok()) {
      outcome.trust = answer->trust;
      outcome.next_attestation = answer->next_attestation;
    }
    const Step step = NextStep(outcome, backoff_, Random32());
    if (step.drop_installed) {
      LogProblem("cannot delete the credential", DropCredentials(config_));
    }
    Report(now, answer, step);
    return step.wait;
  }

 private:
  absl::StatusOr<AttestAnswer> Try(absl::Time now) {
    BG_ASSIGN_OR_RETURN(const identity::JoinState joined, Joined(config_));
    report_.host_id = joined.host_id;
    if (tpm_ == nullptr) {
      BG_ASSIGN_OR_RETURN(tpm_, OpenTpm(config_));
    }
    BG_ASSIGN_OR_RETURN(const std::unique_ptr<GatekeeperClient> client,
                        ConnectTo(config_, joined, now));
    absl::StatusOr<AttestAnswer> answer = Attest(config_, joined, *tpm_, *client, &challenge_);
    // A TPM that failed is opened anew: the resource manager may have been restarted under us.
    if (ExitCodeOf(answer.status()) == ExitCode::kTpm) tpm_.reset();
    return answer;
  }

  void Report(absl::Time now, const absl::StatusOr<AttestAnswer>& answer, const Step& step) {
    const std::string phase = std::string(Name(step.phase));
    if (phase != report_.phase) report_.since = now;
    report_.phase = phase;
    report_.last_try_at = now;
    report_.next_try_at = now + step.wait;
    report_.failures = backoff_.failures();
    const std::optional<Reason> reason = ReasonOf(answer.status());
    report_.reason = reason.has_value() ? std::string(Code(*reason)) : "";
    report_.detail = answer.ok() ? WhyOf(*answer) : std::string(answer.status().message());
    if (answer.ok()) {
      report_.last_verdict_at = now;
      report_.verdict_id = answer->verdict_id;
    }
    Log(step.phase == Phase::kTrusted ? LogLevel::kInfo : LogLevel::kWarning, phase,
        {{"host", report_.host_id},
         {"reason", report_.reason},
         {"text", report_.detail},
         {"next", absl::FormatDuration(absl::Trunc(step.wait, absl::Milliseconds(1)))}});
    sd_notify(0, absl::StrCat("READY=1\nSTATUS=", phase).c_str());
    LogProblem("cannot write the status", WriteStatus(config_.state_folder, report_));
  }

  const Config& config_;
  Backoff backoff_;
  StatusReport report_;
  std::unique_ptr<tpm::Tpm> tpm_;
  std::optional<Challenge> challenge_;
};

}  // namespace

ExitCode Run(const Config& config) {
  const sigset_t signals = BlockSignals();
  const absl::StatusOr<identity::JoinState> joined = Joined(config);
  if (!joined.ok()) {
    Log(LogLevel::kError, "cannot run", {{"text", std::string(joined.status().message())}});
    return ExitCodeOf(joined.status());
  }
  Life life(config);
  Wake wake = Wake::kTime;
  while (wake != Wake::kStop) wake = Sleep(signals, life.Once());
  sd_notify(0, "STOPPING=1");
  const absl::Status removed = identity::RemoveInstalledCredential(config.runtime_folder);
  Log(LogLevel::kInfo, "stopped");
  return ExitCodeOf(removed);
}

}  // namespace bootgate::agent::app
