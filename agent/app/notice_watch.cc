#include "agent/app/notice_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/client/backoff.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/bytes/reader.h"
#include "common/crypto/random.h"

namespace bootgate::agent::app {
namespace {

// A gatekeeper that sends no notices may be replaced by one that does.
constexpr absl::Duration kAskOldOnesAgain = absl::Minutes(10);
constexpr BackoffOptions kBackoff = {.first = absl::Seconds(1), .most = absl::Seconds(30)};

absl::Duration WaitAfter(int failures) {
  Backoff backoff(kBackoff);
  absl::Duration wait;
  const Bytes bytes = crypto::RandomBytes(4);
  const uint32_t random = bytes::Reader(bytes).U32Le().value_or(0);
  constexpr int kMostDoublings = 8;  // the ceiling is reached long before
  for (int i = 0; i < std::min(failures, kMostDoublings); ++i) wait = backoff.Next(random);
  return wait;
}

std::string WhyOf(const Standing& standing) {
  std::string why = absl::StrCat("the gatekeeper says: ", standing.trust);
  if (!standing.reasons.empty()) absl::StrAppend(&why, ": ", standing.reasons.front());
  if (!standing.why.empty()) absl::StrAppend(&why, ": ", standing.why);
  return why;
}

}  // namespace

bool IsDisowned(const absl::Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  return reason == Reason::kPeerCertRevoked || reason == Reason::kQuarantined ||
         reason == Reason::kHostRetired || reason == Reason::kTpmReplaced;
}

NoticeWatch::NoticeWatch(Events events)
    : events_(std::move(events)), thread_([this](const std::stop_token& stop) { Work(stop); }) {}

NoticeWatch::~NoticeWatch() = default;

void NoticeWatch::Listen(const identity::JoinState& joined) {
  {
    const std::lock_guard lock(mutex_);
    joined_ = joined;
  }
  wake_.notify_one();
}

void NoticeWatch::Work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (wake_.wait(lock, stop, [this] { return joined_.has_value(); })) {
    const identity::JoinState joined = *std::exchange(joined_, std::nullopt);
    lock.unlock();
    const std::optional<absl::Duration> wait = Try(joined, stop);
    lock.lock();
    if (!wait.has_value()) continue;
    if (!joined_.has_value()) joined_ = joined;
    wake_.wait_for(lock, stop, absl::ToChronoNanoseconds(*wait), [] { return false; });
  }
}

std::optional<absl::Duration> NoticeWatch::Try(const identity::JoinState& joined,
                                               const std::stop_token& stop) {
  dropped_ = false;
  const absl::Status ended =
      events_.with_gatekeeper(joined, [&](GatekeeperClient& client) -> absl::Status {
        return client.WatchNotices(
            joined.host_id, [this](const Notice& notice) { On(notice); }, stop);
      });
  if (std::exchange(is_open_, false)) events_.changed(false, last_heard_);
  return stop.stop_requested() ? std::nullopt : After(ended);
}

void NoticeWatch::On(const Notice& notice) {
  last_heard_ = absl::Now();
  if (!std::exchange(is_open_, true)) {
    Log(LogLevel::kInfo, "listening to the gatekeeper");
    events_.changed(true, last_heard_);
  }
  failures_ = 0;
  if (notice.drop_credentials)
    Drop(notice.standing.has_value() ? WhyOf(*notice.standing) : "the credential was revoked");
  else if (notice.attest_now)
    events_.attest_now();
}

void NoticeWatch::Drop(const std::string& why) {
  if (std::exchange(dropped_, true)) return;
  ++drops_;
  Log(LogLevel::kWarning, "the gatekeeper takes the credentials back", {{"text", why}});
  events_.drop(why);
}

std::optional<absl::Duration> NoticeWatch::After(const absl::Status& ended) {
  if (IsDisowned(ended) || dropped_) {
    Drop(std::string(ended.message()));
    return std::nullopt;
  }
  // There is no certificate to show: the next one brings us here again.
  if (ReasonOf(ended) == Reason::kPeerHostMismatch) return std::nullopt;
  if (absl::IsUnimplemented(ended)) return kAskOldOnesAgain;
  if (++failures_ == 1) {
    Log(LogLevel::kInfo, "no notices from the gatekeeper; trying again",
        {{"text", std::string(ended.message())}});
  }
  return WaitAfter(failures_);
}

}  // namespace bootgate::agent::app
