#include "gatekeeper/operators/watch.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "bootgate/v1/quarantine.pb.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/fleet/hosts.h"
#include "gatekeeper/operators/host_codec.h"
#include "gatekeeper/operators/watch_hub.h"
#include "gatekeeper/rollout/selector.h"
#include "gatekeeper/store/change_mark.h"

namespace bootgate::gatekeeper::operators {
namespace {

using host::HostRecord;
using Entries = std::map<std::string, HostRecord>;  // by id

constexpr int kBatch = 500;             // hosts, changes read at once
constexpr int kEntriesInMessage = 200;  // of a snapshot
constexpr int kHeartbeatSeconds = 10, kMaxHeartbeatSeconds = 300;
constexpr size_t kMarkDigits = 16;
constexpr char kTrustKind[] = "trust";

absl::Status BadToken(absl::string_view why) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kWatchToken,
                absl::StrCat(why, ": begin anew without a token"));
}

// What tells this store from others: its first audit row's chain value.
absl::StatusOr<std::string> StoreMark(store::Store& store) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::AuditRow> first, store.ListAudit(0, 1));
  if (first.empty()) return std::string("empty");
  return ToHex(first.front().chain).substr(0, kMarkDigits);
}

// Up to where somebody was told: a change's number, and its mark; of number 0 there is none.
struct Place {
  int64_t number = 0;
  std::string mark;
};

absl::StatusOr<Place> PlaceAt(store::Store& store, int64_t number) {
  if (number == 0) return Place();
  BG_ASSIGN_OR_RETURN(const std::vector<store::ChangeRow> row, store.ListChanges(number - 1, 1));
  const bool found = !row.empty() && row.front().sequence == number;
  return Place{number, found ? store::ChangeMark(row.front()) : ""};
}

absl::StatusOr<Place> PlaceIn(store::Store& store, const std::string& mark,
                              const std::string& token) {
  const absl::StatusOr<Bytes> bytes = FromBase64Url(token);
  if (!bytes.ok()) return BadToken("resume_token: not one that was given out");
  const std::vector<std::string> parts = absl::StrSplit(AsText(*bytes), '.');
  int64_t number = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[1], &number) || number < 0)
    return BadToken("resume_token: not one that was given out");
  BG_ASSIGN_OR_RETURN(const int64_t last, store.LastChange());
  if (parts[0] != mark || number > last) return BadToken("resume_token: of another store");
  if (last - number > kMaxResume) return BadToken("resume_token: from too long ago");
  BG_ASSIGN_OR_RETURN(const std::vector<store::ChangeRow> next, store.ListChanges(number, 1));
  if (number < last && (next.empty() || next.front().sequence != number + 1))
    return BadToken("resume_token: from too long ago");
  BG_ASSIGN_OR_RETURN(Place place, PlaceAt(store, number));
  if (place.mark != parts[2]) return BadToken("resume_token: of a store that was put back since");
  return place;
}

bool IsCutOff(host::Trust trust) {
  const std::vector<host::Trust> all = fleet::CutOffTrusts();
  return std::ranges::count(all, trust) > 0;
}

// Who cannot be read is cut off for everybody: a snapshot without it would say that it came back.
HostRecord Unreadable(const std::string& id) {
  HostRecord host;
  host.id = id;
  host.trust = host::Trust::kQuarantined;
  host.reasons = {std::string(Code(Reason::kRecordCorrupt))};
  host.why = "its record in the store cannot be read";
  return host;
}
bool IsUnreadable(const HostRecord& host) { return host.revision == 0; }

absl::StatusOr<Entries> ListCutOff(store::Store& store) {
  Entries out;
  std::string after;
  while (true) {
    std::vector<std::string> corrupt;
    BG_ASSIGN_OR_RETURN(std::vector<HostRecord> hosts,
                        store.ListHostsAfter(after, kBatch, fleet::CutOffTrusts(), &corrupt));
    for (const std::string& id : corrupt) out.insert_or_assign(id, Unreadable(id));
    if (hosts.empty()) return out;
    after = hosts.back().id;
    for (HostRecord& host : hosts) out.insert_or_assign(host.id, std::move(host));
  }
}

// What a change made of an entry.
absl::Status PutRight(store::Store& store, const store::ChangeRow& change, Entries* entries) {
  const std::optional<host::Trust> trust = host::TrustFromName(change.after);
  if (!trust.has_value() || !IsCutOff(*trust)) {
    entries->erase(change.host_id);
    return absl::OkStatus();
  }
  if (!entries->contains(change.host_id)) {
    absl::StatusOr<HostRecord> host = store.GetHost(change.host_id);
    if (absl::IsDataLoss(host.status())) host = Unreadable(change.host_id);
    BG_RETURN_IF_ERROR(host.status());
    entries->insert_or_assign(change.host_id, *std::move(host));
  }
  HostRecord& entry = entries->at(change.host_id);
  entry.trust = *trust;
  entry.trust_since = change.at;
  return absl::OkStatus();
}

struct Snapshot {
  Entries entries;
  int64_t number = 0;
};

// Hosts are read one after the other while they change: whatever was read of one is as of some
// moment between the two numbers, and the changes between them say what is true at the second.
absl::StatusOr<Snapshot> TakeSnapshot(store::Store& store) {
  Snapshot out;
  BG_ASSIGN_OR_RETURN(int64_t at, store.LastChange());
  BG_ASSIGN_OR_RETURN(out.entries, ListCutOff(store));
  BG_ASSIGN_OR_RETURN(out.number, store.LastChange());
  while (at < out.number) {
    BG_ASSIGN_OR_RETURN(const std::vector<store::ChangeRow> rows, store.ListChanges(at, kBatch));
    if (rows.empty()) break;
    for (const store::ChangeRow& row : rows) {
      at = row.sequence;
      if (row.sequence <= out.number && row.kind == kTrustKind)
        BG_RETURN_IF_ERROR(PutRight(store, row, &out.entries));
    }
  }
  return out;
}

class Watch final : public Source {
 public:
  Watch(const Call& call, std::string mark, std::string selector, absl::Duration heartbeat)
      : store_(call.backend.store),
        clock_(call.backend.clock),
        hub_(call.hub),
        mark_(std::move(mark)),
        selector_(std::move(selector)),
        heartbeat_(heartbeat) {}

  absl::Status Begin() {
    BG_ASSIGN_OR_RETURN(const Snapshot snapshot, TakeSnapshot(store_));
    BG_ASSIGN_OR_RETURN(place_, PlaceAt(store_, snapshot.number));
    v1::WatchQuarantineResponse message;
    message.mutable_snapshot();
    for (const auto& [id, host] : snapshot.entries) {
      if (!IsUnreadable(host) && !rollout::Fits(selector_, host.labels)) continue;
      Encode(host, message.mutable_snapshot()->add_entries());
      if (message.snapshot().entries_size() < kEntriesInMessage) continue;
      ready_.push_back(message.SerializeAsString());
      message.mutable_snapshot()->Clear();
    }
    message.mutable_snapshot()->set_snapshot_complete(true);
    message.set_resume_token(Token(place_));
    ready_.push_back(message.SerializeAsString());
    return absl::OkStatus();
  }

  void Resume(Place place) { place_ = std::move(place); }

  absl::StatusOr<Piece> Next() override {
    if (ready_.empty()) BG_RETURN_IF_ERROR(ReadOn());
    if (ready_.empty() && absl::Now() - told_at_ >= heartbeat_) Beat();
    if (ready_.empty()) return Piece{.kind = Piece::Kind::kNothingYet, .bytes = {}};
    Piece piece{.kind = Piece::Kind::kMessage, .bytes = std::move(ready_.front())};
    ready_.pop_front();
    told_at_ = absl::Now();
    return piece;
  }

 private:
  std::string Token(const Place& place) const {
    return ToBase64Url(AsBytes(absl::StrCat(mark_, ".", place.number, ".", place.mark)));
  }

  absl::Status ReadOn() {
    BG_ASSIGN_OR_RETURN(const WatchHub::Batch batch, hub_.After(place_.number));
    for (const WatchEventPtr& event : batch.events) BG_RETURN_IF_ERROR(Tell(*event));
    if (batch.upto > place_.number) place_ = {batch.upto, batch.mark};
    return absl::OkStatus();
  }

  // A record that cannot be read now ends the watch in front of its change; one that nobody will
  // read any more is told of as such.
  absl::Status Tell(const WatchEvent& event) {
    absl::StatusOr<std::shared_ptr<const HostRecord>> host = event.HostIn(store_);
    if (absl::IsDataLoss(host.status()) || absl::IsNotFound(host.status())) {
      host = std::make_shared<const HostRecord>(Unreadable(event.change.host_id));
    }
    BG_RETURN_IF_ERROR(host.status());
    if (!IsUnreadable(**host) && !rollout::Fits(selector_, (*host)->labels)) {
      return absl::OkStatus();
    }
    v1::WatchQuarantineResponse message;
    v1::QuarantineChange& change = *message.mutable_change();
    change.set_number(event.change.sequence);
    Encode(event.change.at, change.mutable_at());
    change.set_before(static_cast<v1::TrustState>(TrustStateFromName(event.change.before)));
    change.set_after(static_cast<v1::TrustState>(TrustStateFromName(event.change.after)));
    change.set_why(Printable(event.change.why));
    v1::QuarantineEntry& entry = *change.mutable_entry();
    Encode(**host, &entry);
    const std::optional<host::Trust> after = host::TrustFromName(event.change.after);
    entry.set_host_id(event.change.host_id);
    entry.set_trust(change.after());
    entry.set_shut_out(after.has_value() && host::IsShutOut(*after));
    Encode(event.change.at, entry.mutable_since());
    message.set_resume_token(Token({event.change.sequence, store::ChangeMark(event.change)}));
    ready_.push_back(message.SerializeAsString());
    return absl::OkStatus();
  }

  void Beat() {
    v1::WatchQuarantineResponse message;
    Encode(clock_.Now(), message.mutable_heartbeat()->mutable_at());
    message.mutable_heartbeat()->set_number(place_.number);
    message.set_resume_token(Token(place_));
    ready_.push_back(message.SerializeAsString());
  }

  store::Store& store_;
  const Clock& clock_;
  WatchHub& hub_;
  const std::string mark_, selector_;
  const absl::Duration heartbeat_;
  Place place_;                    // everything up to here is told or in ready_
  std::deque<std::string> ready_;  // a snapshot, or one batch: bounded
  absl::Time told_at_ = absl::Now();
};

absl::StatusOr<absl::Duration> HeartbeatOf(const v1::WatchQuarantineRequest& request) {
  const int32_t seconds = request.heartbeat_seconds();
  if (seconds < 0 || seconds > kMaxHeartbeatSeconds) {
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat("heartbeat_seconds: ", seconds, "; 1 to ", kMaxHeartbeatSeconds,
                                  ", 0 for ", kHeartbeatSeconds));
  }
  return absl::Seconds(seconds == 0 ? kHeartbeatSeconds : seconds);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Source>> WatchQuarantine(const Call& call,
                                                        const v1::WatchQuarantineRequest& request) {
  BG_ASSIGN_OR_RETURN(const absl::Duration heartbeat, HeartbeatOf(request));
  BG_ASSIGN_OR_RETURN(const std::string selector, rollout::ReadSelector(request.selector()));
  BG_ASSIGN_OR_RETURN(const std::string mark, StoreMark(call.backend.store));
  auto watch = std::make_unique<Watch>(call, mark, selector, heartbeat);
  if (request.resume_token().empty()) {
    BG_RETURN_IF_ERROR(watch->Begin());
  } else {
    BG_ASSIGN_OR_RETURN(Place place, PlaceIn(call.backend.store, mark, request.resume_token()));
    watch->Resume(std::move(place));
  }
  return watch;
}

}  // namespace bootgate::gatekeeper::operators
