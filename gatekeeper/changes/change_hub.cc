#include "gatekeeper/changes/change_hub.h"

#include <chrono>
#include <string>
#include <utility>

#include "common/base/log.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::changes {
namespace {

constexpr int kPage = 512;  // changes that are read at a time

// A clock that nobody sets: a wall clock that jumps must not make the store look silent.
absl::Time SteadyNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChangeHub>> ChangeHub::Open(store::Store& store,
                                                           const HubOptions& options) {
  BG_ASSIGN_OR_RETURN(const int64_t last, store.LastChange());
  return std::unique_ptr<ChangeHub>(new ChangeHub(store, options, last));
}

ChangeHub::ChangeHub(store::Store& store, const HubOptions& options, int64_t last)
    : store_(store), options_(options), last_(last), answered_at_(SteadyNow()), thread_([this] {
        Work();
      }) {}

ChangeHub::~ChangeHub() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void ChangeHub::Nudge() {
  {
    const std::lock_guard lock(mutex_);
    nudged_ = true;
  }
  wake_.notify_one();
}

int64_t ChangeHub::last() const {
  const std::lock_guard lock(tell_mutex_);
  return last_;
}

absl::Duration ChangeHub::silence() const {
  const std::lock_guard lock(mutex_);
  return SteadyNow() - answered_at_;
}

void ChangeHub::Work() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    nudged_ = false;
    lock.unlock();
    Look();
    lock.lock();
    wake_.wait_for(lock, absl::ToChronoNanoseconds(options_.poll),
                   [this] { return ending_ || nudged_; });
  }
}

void ChangeHub::Look() {
  Note(ReadNew());
  const std::lock_guard lock(tell_mutex_);
  for (const auto& [id, listener] : listeners_) {
    if (listener.tick) listener.tick();
  }
}

absl::Status ChangeHub::ReadNew() {
  BG_ASSIGN_OR_RETURN(const int64_t newest, store_.LastChange());
  int64_t told = last();
  while (told < newest) {
    BG_ASSIGN_OR_RETURN(std::vector<store::ChangeRow> rows, store_.ListChanges(told, kPage));
    if (rows.empty()) return absl::OkStatus();
    told = rows.back().sequence;
    Tell(std::move(rows));
  }
  return absl::OkStatus();
}

void ChangeHub::Tell(std::vector<store::ChangeRow> rows) {
  const auto batch = std::make_shared<const std::vector<store::ChangeRow>>(std::move(rows));
  const std::lock_guard lock(tell_mutex_);
  last_ = batch->back().sequence;
  for (const auto& [id, listener] : listeners_) {
    if (listener.changed) listener.changed(batch);
  }
}

// A store that is away for long leaves two lines, not twenty a second.
void ChangeHub::Note(const absl::Status& read) {
  if (read.ok()) {
    const std::lock_guard lock(mutex_);
    answered_at_ = SteadyNow();
  }
  if (read.ok() == was_answered_) return;
  was_answered_ = read.ok();
  Log(read.ok() ? LogLevel::kInfo : LogLevel::kError,
      read.ok() ? "changes are read again" : "changes cannot be read: nobody is told of them",
      {{"text", std::string(read.message())}});
}

ChangeHub::Subscription::Subscription(ChangeHub& hub, Listener listener) : hub_(hub) {
  const std::lock_guard lock(hub_.tell_mutex_);
  id_ = ++hub_.last_id_;
  from_ = hub_.last_;
  hub_.listeners_.emplace(id_, std::move(listener));
}

ChangeHub::Subscription::~Subscription() {
  const std::lock_guard lock(hub_.tell_mutex_);
  hub_.listeners_.erase(id_);
}

}  // namespace bootgate::gatekeeper::changes
