#include "gatekeeper/operators/watch_hub.h"

#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"
#include "gatekeeper/store/change_mark.h"

namespace bootgate::gatekeeper::operators {
namespace {

constexpr size_t kMaxRecent = 4096;  // changes
constexpr int kBatch = 256;          // changes told at once
constexpr char kTrustKind[] = "trust";

int64_t NumberOf(const WatchEventPtr& event) { return event->change.sequence; }

}  // namespace

absl::StatusOr<std::shared_ptr<const host::HostRecord>> WatchEvent::HostIn(
    store::Store& store) const {
  const std::lock_guard lock(mutex_);
  if (host_ != nullptr) return host_;
  BG_ASSIGN_OR_RETURN(host::HostRecord host, store.GetHost(change.host_id));
  host_ = std::make_shared<const host::HostRecord>(std::move(host));
  return host_;
}

void WatchHub::Begin(int64_t from) {
  const std::lock_guard lock(mutex_);
  recent_from_ = from;
  std::erase_if(recent_, [&](const WatchEventPtr& event) { return NumberOf(event) <= from; });
}

void WatchHub::Take(const changes::Batch& batch) {
  const std::lock_guard lock(mutex_);
  for (const store::ChangeRow& row : *batch) recent_.push_back(std::make_shared<WatchEvent>(row));
  while (recent_.size() > kMaxRecent) {
    if (recent_from_.has_value()) recent_from_ = NumberOf(recent_.front());
    recent_.pop_front();
  }
}

absl::StatusOr<WatchHub::Batch> WatchHub::After(int64_t number) {
  Batch out;
  WatchEventPtr last;
  out.upto = number;
  const auto take = [&](const WatchEventPtr& event) {
    out.upto = NumberOf(event);
    last = event;
    if (event->change.kind == kTrustKind) out.events.push_back(event);
  };
  {
    const std::lock_guard lock(mutex_);
    if (recent_from_.has_value() && number >= *recent_from_) {
      auto at = std::ranges::upper_bound(recent_, number, {}, NumberOf);
      for (int i = 0; i < kBatch && at != recent_.end(); ++i, ++at) take(*at);
      if (last != nullptr) out.mark = store::ChangeMark(last->change);
      return out;
    }
  }
  BG_ASSIGN_OR_RETURN(std::vector<store::ChangeRow> rows, store_.ListChanges(number, kBatch));
  for (store::ChangeRow& row : rows) take(std::make_shared<WatchEvent>(std::move(row)));
  if (last != nullptr) out.mark = store::ChangeMark(last->change);
  return out;
}

}  // namespace bootgate::gatekeeper::operators
