#include "gatekeeper/webhook/sender.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::webhook {
namespace {

constexpr int kBatch = 64;                                // changes read at once
constexpr absl::Duration kLookAnyway = absl::Seconds(1);  // without a ring
constexpr absl::Duration kLookAtClock = absl::Milliseconds(50);
constexpr absl::Duration kStoreRest = absl::Seconds(1);  // after the store failed

}  // namespace

Sender::Sender(store::Store& store, const Clock& clock, const Doorbell& bell, Endpoint endpoint,
               std::string cluster)
    : store_(store),
      clock_(clock),
      bell_(bell),
      endpoint_(std::move(endpoint)),
      cluster_(std::move(cluster)),
      random_(std::random_device()()) {
  figures_.name = endpoint_.name;
}

absl::Status Sender::Begin() {
  place_ = {.name = ConsumerOf(endpoint_.name)};
  BG_ASSIGN_OR_RETURN(const int64_t newest, store_.LastChange());
  BG_ASSIGN_OR_RETURN(const std::vector<store::ConsumerRow> known, store_.ListConsumers());
  const auto found = std::ranges::find(known, place_.name, &store::ConsumerRow::name);
  // A store that was put back from a copy: what comes now must not count as told.
  const bool ahead = found != known.end() && found->told > newest;
  if (found != known.end()) place_ = *found;
  if (found == known.end() || ahead) {
    place_.told = newest;
    BG_RETURN_IF_ERROR(store_.PutConsumer(place_));
  }
  if (ahead) {
    Log(LogLevel::kWarning, "webhook: the store is older than what was told; it goes on from here",
        {{"webhook", endpoint_.name}, {"change", absl::StrCat(newest)}});
  }
  figures_.told = place_.told;
  figures_.attempts = place_.attempts;
  figures_.error = place_.last_error;
  return absl::OkStatus();
}

void Sender::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (TellAll(stop)) bell_.Await(place_.told, stop, kLookAnyway);
  }
  if (unsaved_) Save(std::nullopt);
}

bool Sender::TellAll(const std::stop_token& stop) {
  const absl::StatusOr<std::vector<store::ChangeRow>> changes =
      store_.ListChanges(place_.told, kBatch);
  if (!changes.ok()) {
    Complain(changes.status());
    bell_.Sleep(stop, kStoreRest);
    return false;
  }
  for (const store::ChangeRow& change : *changes) {
    if (!Tell(change, stop)) return false;
  }
  if (unsaved_) Save(std::nullopt);
  return changes->size() < kBatch;
}

bool Sender::Tell(const store::ChangeRow& change, const std::stop_token& stop) {
  if (!Wants(endpoint_, change)) {
    Done(change.sequence);
    return true;
  }
  while (!stop.stop_requested()) {
    AwaitDue(stop);
    if (!stop.stop_requested() && Try(change, stop)) return true;
  }
  return false;
}

// True when the change is done with.
bool Sender::Try(const store::ChangeRow& change, const std::stop_token& stop) {
  const absl::StatusOr<Message> message = MessageOf(store_, change, cluster_);
  if (!message.ok()) {
    Complain(message.status());
    bell_.Sleep(stop, kStoreRest);
    return false;
  }
  const absl::Time now = clock_.Now();
  const Attempt attempt = Deliver(client_, endpoint_, *message, now, stop);
  if (stop.stop_requested() && attempt.outcome != Outcome::kDone) return false;  // no try at all
  TellOperators(attempt, !place_.last_error.empty());
  if (attempt.outcome == Outcome::kDone) {
    Done(change.sequence);
    Save(std::nullopt);
    const std::lock_guard lock(mutex_);
    ++figures_.delivered;
    return true;
  }
  PutOff(attempt);
  if (IsGivenUp(attempt, {place_.attempts, permanent_}, now - change.at, endpoint_.give_up_after)) {
    return GiveUp(change);
  }
  Save(std::nullopt);
  return false;
}

void Sender::PutOff(const Attempt& attempt) {
  ++place_.attempts;
  permanent_ = attempt.outcome == Outcome::kPermanent ? permanent_ + 1 : 0;
  place_.last_error = attempt.error;
  const double jitter = std::uniform_real_distribution<double>(0, 1)(random_);
  const absl::Duration delay = std::max(DelayAfter(place_.attempts, jitter), attempt.wait);
  delay_ = std::min(delay, kLongestDelay);
  place_.next_attempt = clock_.Now() + delay_;
  const std::lock_guard lock(mutex_);
  ++figures_.failed;
  figures_.attempts = place_.attempts;
  figures_.error = place_.last_error;
}

// Place and dead letter are stored at once: nothing is lost between the two.
bool Sender::GiveUp(const store::ChangeRow& change) {
  const store::DeadLetterRow dead = {.consumer = place_.name,
                                     .change = change.sequence,
                                     .at = clock_.Now(),
                                     .attempts = place_.attempts,
                                     .error = place_.last_error};
  const store::ConsumerRow before = std::exchange(
      place_, {.name = place_.name, .told = change.sequence, .last_error = dead.error});
  if (!Save(dead)) {
    place_ = before;
    return false;
  }
  Done(change.sequence);
  place_.last_error = dead.error;
  unsaved_ = false;
  Log(LogLevel::kError, "webhook: a change was given up",
      {{"webhook", endpoint_.name},
       {"change", absl::StrCat(change.sequence)},
       {"host", change.host_id},
       {"text", dead.error},
       {"way_out", "bootgate-gatekeeper webhook dead list"}});
  const std::lock_guard lock(mutex_);
  ++figures_.given_up;
  figures_.error = dead.error;
  return true;
}

void Sender::Done(int64_t sequence) {
  place_.told = sequence;
  place_.attempts = 0;
  permanent_ = 0;
  place_.next_attempt = absl::Time();
  place_.last_error.clear();
  unsaved_ = true;
  const std::lock_guard lock(mutex_);
  figures_.told = sequence;
  figures_.attempts = 0;
  figures_.error.clear();
}

bool Sender::Save(const std::optional<store::DeadLetterRow>& dead) {
  const absl::Status saved = store_.PutConsumer(place_, dead);
  Complain(saved);
  unsaved_ = !saved.ok();
  return saved.ok();
}

// Until the clock says so; never longer than the delay that was meant, whatever clocks do.
void Sender::AwaitDue(const std::stop_token& stop) {
  if (place_.attempts == 0) return;
  for (absl::Duration waited; waited < delay_ && clock_.Now() < place_.next_attempt;
       waited += kLookAtClock) {
    if (stop.stop_requested()) return;
    bell_.Sleep(stop, kLookAtClock);
  }
}

void Sender::Complain(const absl::Status& status) {
  if (status.ok()) return;
  Log(LogLevel::kError, "webhook: the store",
      {{"webhook", endpoint_.name}, {"text", std::string(status.message())}});
}

// Once when it begins to fail, once when it is over.
void Sender::TellOperators(const Attempt& attempt, bool before_failed) const {
  const bool fails = attempt.outcome != Outcome::kDone;
  if (fails == before_failed) return;
  Log(fails ? LogLevel::kWarning : LogLevel::kInfo,
      fails ? "webhook: not told, it will be tried again" : "webhook: told again",
      {{"webhook", endpoint_.name}, {"text", attempt.error}});
}

Figures Sender::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

}  // namespace bootgate::gatekeeper::webhook
