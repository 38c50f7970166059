#include "agent/app/run.h"

#include <signal.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/app/attest.h"
#include "agent/app/gatekeeper_link.h"
#include "agent/app/host.h"
#include "agent/app/lapse.h"
#include "agent/app/loop.h"
#include "agent/app/notice_watch.h"
#include "agent/app/status_file.h"
#include "agent/app/workload_runtime.h"
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

// The first failing finding of a DENY, as far as the gatekeeper discloses it; or why good evidence
// does not help.
std::string WhyOf(const AttestAnswer& answer) {
  for (const DisclosedFinding& finding : answer.findings) {
    if (finding.severity == "fail")
      return absl::StrCat(finding.code, ": ", Printable(finding.text));
  }
  if (answer.trust == "trusted") return "";
  if (answer.trust == "quarantined" && answer.outcome == Name(OutcomeClass::kAdmit)) {
    return "this evidence passes, but a quarantine ends only after its incident is resolved, an "
           "operator's release and a new boot";
  }
  return absl::StrCat("the gatekeeper says: ", Printable(answer.trust));
}

// Gatekeepers that hold a host back say so in so many words; of others all that is not trusted is
// cut off.
bool KeepsCredentials(const AttestAnswer& answer) {
  return !answer.drop_credentials && (answer.trust == "restricted" || answer.trust == "suspect");
}

void LogProblem(absl::string_view what, const absl::Status& status) {
  if (!status.ok()) Log(LogLevel::kError, what, {{"text", std::string(status.message())}});
}

// What is no failure, and worth an operator's look.
std::vector<std::string> NoticesOf(const tpm::Health& now,
                                   const std::optional<tpm::Health>& before) {
  std::vector<std::string> notices;
  if (now.locked_out) {
    notices.emplace_back(
        "the TPM is in dictionary-attack lockout; keys of the agent are exempt and work: "
        "tpm2_dictionarylockout -c clears it");
  }
  if (now.endorsement_password) {
    notices.emplace_back(
        "the endorsement hierarchy has a password: at the next start its keys cannot be made; "
        "tpm2_changeauth -c e clears it");
  }
  if (before.has_value() && before->clock.reset_count > now.clock.reset_count) {
    notices.push_back(
        absl::StrCat("the TPM was cleared, or its state was put back: its reset count went from ",
                     before->clock.reset_count, " to ", now.clock.reset_count,
                     "; its keys are the same, the gatekeeper decides"));
  }
  return notices;
}

class Life {
 public:
  Life(const Config& config, WorkloadRuntime& workload)
      : config_(config),
        workload_(workload),
        backoff_({.first = config.retry_first, .most = config.retry_most}),
        watch_({.with_gatekeeper =
                    [this](const identity::JoinState& joined,
                           const std::function<absl::Status(GatekeeperClient&)>& work) {
                      return WithGatekeeper(config_, joined, workload_.signer(),
                                            SystemClock().Now(), work);
                    },
                .drop = [this](const std::string& why) { TakenBack(why); },
                .attest_now = [] { WakeLoop(); },
                .changed =
                    [this](bool is_open, absl::Time last_heard) {
                      LogProblem("cannot write who listens",
                                 WriteListening(config_.state_folder, is_open, last_heard));
                    }}),
        lapse_([&config] { DropWhatExpired(config); }) {
    report_.phase = std::string(Name(Phase::kStarting));
    report_.since = SystemClock().Now();
    absl::StatusOr<StatusReport> before = ReadStatus(config.state_folder);
    if (before.ok()) {
      report_.tpm = before->tpm;
      report_.last_verdict_at = before->last_verdict_at;
      report_.trust = before->trust;
      report_.trust_since = before->trust_since;
      report_.reasons = before->reasons;
      report_.incident_id = before->incident_id;
      report_.heard_at = before->heard_at;
    }
    DropWhatExpired(config);
  }

  // One try and what follows from it; the wait until the next.
  absl::Duration Once() {
    const absl::Time now = SystemClock().Now();
    const uint64_t drops = watch_.drops();
    is_trying_ = true;
    const absl::StatusOr<Attestation> done = Try(now);
    Step step = NextStep(OutcomeOf(done, now), backoff_, Random32());
    if (step.drop_installed)
      Drop(done.ok() ? WhyOf(done->answer) : std::string(done.status().message()));
    is_trusted_ = done.ok() && done->answer.trust == "trusted";
    is_trying_ = false;
    // What this answer brought was taken back while it was on its way: the next one tells why.
    if (is_trusted_ && watch_.drops() != drops) {
      Drop("the credential was taken back");
      step.wait = absl::ZeroDuration();
    }
    lapse_.Set(CredentialsUntil(config_));
    Count(done);
    LookAtTpm(step.phase);
    Report(now, done, step);
    return step.wait;
  }

 private:
  void Drop(const std::string& why) {
    LogProblem("cannot delete the credential", DropCredentials(config_));
    workload_.Dropped(why);
  }

  // From the watch's thread. The loop asks what has become of this host, unless it just does, or
  // was told already.
  void TakenBack(const std::string& why) {
    Drop(why);
    if (is_trusted_ && !is_trying_) WakeLoop();
  }
  static void WakeLoop() { kill(getpid(), SIGHUP); }

  static void DropWhatExpired(const Config& config) {
    LogProblem("cannot delete the expired credential", DropExpired(config, SystemClock().Now()));
  }

  absl::StatusOr<Attestation> Try(absl::Time now) {
    BG_ASSIGN_OR_RETURN(const identity::JoinState joined, Joined(config_));
    report_.host_id = joined.host_id;
    if (tpm_ == nullptr) {
      BG_ASSIGN_OR_RETURN(std::unique_ptr<tpm::Tpm> opened, OpenTpm(config_));
      tpm_ = std::move(opened);
    }
    // Before anybody hears of this host.
    BG_RETURN_IF_ERROR(tpm_->CheckPinned(joined.pinned_ek()));
    workload_.UseTpm(tpm_);
    return AttestOverLink(joined, now);
  }

  absl::StatusOr<Attestation> AttestOverLink(const identity::JoinState& joined, absl::Time now) {
    absl::StatusOr<Attestation> done = absl::UnknownError("not asked");
    const Opening opening =
        workload_.wants_credential() ? Opening::kAlways : Opening::kWhenInstalled;
    BG_RETURN_IF_ERROR(WithGatekeeper(
        config_, joined, workload_.signer(), now, [&](GatekeeperClient& client) -> absl::Status {
          done = Attest(config_, joined, *tpm_, client, &challenge_, {}, opening);
          return done.status();
        }));
    if (done->answer.trust != "trusted") return done;
    workload_.Admitted(joined, done->opened);
    watch_.Listen(joined);
    return done;
  }

  Outcome OutcomeOf(const absl::StatusOr<Attestation>& done, absl::Time now) const {
    Outcome outcome{.status = done.status(),
                    .trust = "",
                    .keeps_credentials = false,
                    .next_attestation = absl::ZeroDuration(),
                    .kept = absl::OkStatus(),
                    .credential_left = std::nullopt};
    if (done.ok()) {
      outcome.trust = done->answer.trust;
      outcome.keeps_credentials = KeepsCredentials(done->answer);
      outcome.next_attestation = done->answer.next_attestation;
      outcome.kept = done->kept;
    }
    const absl::Time until = CredentialsUntil(config_);
    if (until != absl::InfiniteFuture()) outcome.credential_left = until - now;
    return outcome;
  }

  void Count(const absl::StatusOr<Attestation>& done) {
    ++report_.counts.tries;
    if (done.ok()) ++report_.counts.verdicts;
    if (done.ok() && done->answer.outcome == Name(OutcomeClass::kAdmit)) ++report_.counts.admitted;
    if (ExitCodeOf(done.status()) == ExitCode::kTpm) ++report_.counts.tpm_failures;
  }

  // What the TPM says of itself, for `status`; never a reason to fail.
  void LookAtTpm(Phase phase) {
    report_.notices.clear();
    if (tpm_ == nullptr) return;
    const absl::StatusOr<tpm::Health> health = tpm_->ReadHealth();
    report_.tpm_usage = tpm_->ReadUsage();
    if (health.ok()) {
      report_.notices = NoticesOf(*health, report_.tpm);
      report_.tpm = *health;
    }
    // A TPM that failed is opened anew: the resource manager may have been restarted under us.
    const bool failed = phase >= Phase::kTpmMissing && phase <= Phase::kTpmFailed;
    if (!failed && health.ok()) return;
    workload_.UseTpm(nullptr);
    tpm_.reset();
  }

  void Report(absl::Time now, const absl::StatusOr<Attestation>& done, const Step& step) {
    const std::string phase = std::string(Name(step.phase));
    if (phase != report_.phase) report_.since = now;
    report_.phase = phase;
    report_.last_try_at = now;
    report_.next_try_at = now + step.wait;
    report_.failures = backoff_.failures();
    const absl::Status problem = done.ok() ? done->kept : done.status();
    const std::optional<Reason> reason = ReasonOf(problem);
    report_.reason = reason.has_value() ? std::string(Code(*reason)) : "";
    report_.detail = problem.ok() ? WhyOf(done->answer) : std::string(problem.message());
    if (done.ok()) {
      report_.last_verdict_at = now;
      report_.verdict_id = done->answer.verdict_id;
      report_.trust = done->answer.trust;
      Take(done->answer.standing);
    }
    const absl::Time until = CredentialsUntil(config_);
    const bool held = until != absl::InfiniteFuture() && until != absl::InfinitePast();
    report_.credential_until = held ? until : absl::UnixEpoch();
    Tell(step);
  }

  void Take(const Standing& standing) {
    report_.trust_since = standing.since;
    report_.reasons = standing.reasons;
    report_.incident_id = standing.incident_id;
    report_.heard_at = SystemClock().Now();
  }

  void Tell(const Step& step) {
    Log(step.phase == Phase::kTrusted ? LogLevel::kInfo : LogLevel::kWarning, report_.phase,
        {{"host", report_.host_id},
         {"reason", report_.reason},
         {"text", report_.detail},
         {"next", absl::FormatDuration(absl::Trunc(step.wait, absl::Milliseconds(1)))}});
    for (const std::string& notice : report_.notices)
      Log(LogLevel::kWarning, "notice", {{"text", notice}});
    sd_notify(0, absl::StrCat("READY=1\nSTATUS=", report_.phase).c_str());
    LogProblem("cannot write the status", WriteStatus(config_.state_folder, report_));
  }

  const Config& config_;
  WorkloadRuntime& workload_;
  Backoff backoff_;
  StatusReport report_;
  std::shared_ptr<tpm::Tpm> tpm_;  // shared with signatures that are under way
  std::optional<Challenge> challenge_;
  std::atomic<bool> is_trying_ = false, is_trusted_ = false;
  NoticeWatch watch_;  // the last two: their threads are the first to end
  Lapse lapse_;
};

}  // namespace

ExitCode Run(const Config& config) {
  const sigset_t signals = BlockSignals();
  const absl::StatusOr<identity::JoinState> joined = Joined(config);
  if (!joined.ok()) {
    Log(LogLevel::kError, "cannot run", {{"text", std::string(joined.status().message())}});
    return ExitCodeOf(joined.status());
  }
  const absl::StatusOr<std::unique_ptr<WorkloadRuntime>> workload = WorkloadRuntime::Start(config);
  if (!workload.ok()) {
    Log(LogLevel::kError, "cannot run", {{"text", std::string(workload.status().message())}});
    return ExitCodeOf(workload.status());
  }
  Life life(config, **workload);
  Wake wake = Wake::kTime;
  while (wake != Wake::kStop) wake = Sleep(signals, life.Once());
  sd_notify(0, "STOPPING=1");
  const absl::Status removed = DropAtStop(config);
  Log(LogLevel::kInfo, "stopped");
  return ExitCodeOf(removed);
}

}  // namespace bootgate::agent::app
