#include "gatekeeper/service/notice_board.h"

#include <grpcpp/grpcpp.h>

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bootgate/v1/agents.grpc.pb.h"
#include "common/base/hex.h"
#include "common/base/log_problem.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/service/agents_codec.h"
#include "gatekeeper/service/guard.h"
#include "gatekeeper/service/peer.h"
#include "gatekeeper/service/status_codec.h"

namespace bootgate::gatekeeper::service {
namespace {

constexpr size_t kMaxPerHost = 2;  // a second may follow a connection that broke
constexpr int kMostUnreadHeartbeats = 3;

class Board;

// One host's open call. Owned by itself until gRPC is done with it; others borrow it shared.
class Stream final : public grpc::ServerWriteReactor<v1::Notice> {
 public:
  Stream(grpc::CallbackServerContext* context, Board& board, absl::StatusOr<admission::Peer> peer,
         std::string host_id)
      : board_(board),
        context_(context),
        address_(context->peer()),
        peer_(std::move(peer)),
        host_id_(std::move(host_id)) {}

  void KeepAlive(std::shared_ptr<Stream> self) { self_ = std::move(self); }

  const std::string& address() const { return address_; }
  const std::string& host_id() const { return host_id_; }
  const absl::StatusOr<admission::Peer>& peer() const { return peer_; }

  // Replaces what has not been sent yet: a notice tells all that counts now.
  void Send(v1::Notice notice) {
    const std::lock_guard lock(mutex_);
    if (is_ending_) return;
    const bool keep_asking = next_.has_value() && next_->attest_now();
    next_ = std::move(notice);
    if (keep_asking) next_->set_attest_now(true);
    Flush();
  }
  // Nothing, when there is more to say already. A peer that has not read for long is cut off.
  void Beat(const v1::Notice& heartbeat) {
    const std::lock_guard lock(mutex_);
    if (is_ending_ || next_.has_value()) return CutOffTheDeaf();
    next_ = heartbeat;
    Flush();
  }
  // `last` goes first. Only the first end counts.
  void End(std::optional<v1::Notice> last, grpc::Status status) {
    const std::lock_guard lock(mutex_);
    if (is_ending_) return;
    is_ending_ = true;
    status_ = std::move(status);
    next_ = std::move(last);
    Flush();
  }
  // The work that was begun for it, before which nothing is written or finished, is done.
  void Ready() {
    const std::lock_guard lock(mutex_);
    is_busy_ = false;
    Flush();
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    is_busy_ = false;
    unread_ = 0;
    if (!ok) {
      next_.reset();
      if (!is_ending_) status_ = grpc::Status::CANCELLED;
      is_ending_ = true;
    }
    Flush();
  }
  void OnCancel() override {
    const std::lock_guard lock(mutex_);
    next_.reset();
    if (!is_ending_) status_ = grpc::Status::CANCELLED;
    is_ending_ = true;
    Flush();
  }
  void OnDone() override;

 private:
  // With mutex_ held, as the next.
  void Flush() {
    if (is_busy_ || is_finished_) return;
    if (next_.has_value()) {
      message_ = *std::exchange(next_, std::nullopt);
      is_busy_ = true;
      return StartWrite(&message_);
    }
    if (!is_ending_) return;
    is_finished_ = true;
    Finish(status_);
  }
  void CutOffTheDeaf() {
    if (is_finished_ || !is_busy_ || ++unread_ < kMostUnreadHeartbeats) return;
    context_->TryCancel();
  }

  Board& board_;
  grpc::CallbackServerContext* const context_;  // as long as this is not done
  const std::string address_;
  const absl::StatusOr<admission::Peer> peer_;
  const std::string host_id_;  // as told; proven once it is on the board
  std::mutex mutex_;
  bool is_busy_ = true, is_ending_ = false, is_finished_ = false;  // guarded by mutex_, as the rest
  int unread_ = 0;
  std::optional<v1::Notice> next_;
  v1::Notice message_;
  grpc::Status status_;
  std::shared_ptr<Stream> self_;
};

using Streams = std::vector<std::shared_ptr<Stream>>;

absl::Status Refusal(const host::HostRecord& host) {
  if (host.trust == host::Trust::kRetired)
    return NotPermitted(Reason::kHostRetired, absl::StrCat(host.id, " is retired"));
  return NotPermitted(Reason::kQuarantined, absl::StrCat(host.id, " is ", host::Name(host.trust)));
}

absl::Status Lapsed() {
  return NotAuthentic(Reason::kCertParse, "the client certificate has expired; show the next one");
}

class Board final : public NoticeBoard, public v1::Notices::CallbackService {
 public:
  Board(const NoticeOptions& options, Parts parts)
      : options_(options), parts_(std::move(parts)), revoked_(Last()) {
    subscription_.emplace(
        parts_.hub,
        changes::Listener{.changed = [this](const changes::Batch& batch) { OnChanges(*batch); },
                          .tick = [this] { OnTick(); }});
  }
  ~Board() override { subscription_.reset(); }

  grpc::Service* service() override { return this; }
  size_t streams() const override {
    const std::lock_guard lock(mutex_);
    return count_;
  }

  void Close() override {
    Streams all;
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
      for (const auto& [host, streams] : by_host_)
        all.insert(all.end(), streams.begin(), streams.end());
    }
    for (const auto& stream : all) stream->End(std::nullopt, ToGrpc(GoingAway()));
  }

  grpc::ServerWriteReactor<v1::Notice>* Watch(grpc::CallbackServerContext* context,
                                              const v1::WatchNoticesRequest* request) override {
    auto stream = std::make_shared<Stream>(context, *this, PeerOf(*context, parts_.authority),
                                           request->host_id().substr(0, host::kMaxFact));
    stream->KeepAlive(stream);
    const absl::Status taken = Count();
    const bool queued = taken.ok() && parts_.pool.TryRun([this, stream] { Begin(stream); });
    if (!queued) {
      if (taken.ok()) Uncount();
      Refuse(*stream, taken.ok() ? TooMany("the gatekeeper is busy; try again later") : taken);
      stream->Ready();
    }
    return stream.get();
  }

  void Forget(const std::shared_ptr<Stream>& stream) {
    const std::lock_guard lock(mutex_);
    const auto row = by_host_.find(stream->host_id());
    if (row == by_host_.end() || std::erase(row->second, stream) == 0) return;
    --count_;
    if (row->second.empty()) by_host_.erase(row);
  }

 private:
  static absl::Status TooMany(absl::string_view text) {
    return bootgate::Refuse(absl::StatusCode::kResourceExhausted, Reason::kTooManyRequests, text);
  }
  static absl::Status GoingAway() { return absl::UnavailableError("the gatekeeper goes away"); }

  absl::Status Count() {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return GoingAway();
    if (count_ >= options_.max_streams) return TooMany("too many hosts listen for notices here");
    ++count_;
    return absl::OkStatus();
  }
  void Uncount() {
    const std::lock_guard lock(mutex_);
    --count_;
  }

  void Refuse(Stream& stream, const absl::Status& status) {
    parts_.tell(stream.address(), status);
    stream.End(std::nullopt, ToGrpc(status));
  }

  // On the board first, then a look at the store: what changes in between is seen by one of them.
  void Begin(const std::shared_ptr<Stream>& stream) {
    const absl::Status begun = Guarded([&]() -> absl::Status {
      const absl::Status fit = Fits(*stream);
      if (!fit.ok()) {
        Uncount();
        return fit;
      }
      Put(stream);
      BG_ASSIGN_OR_RETURN(const host::HostRecord host,
                          parts_.admission.HostOfPeer(*stream->peer(), stream->host_id()));
      stream->Send(NoticeOf(host));
      return absl::OkStatus();
    });
    if (begun.ok())
      parts_.tell(stream->address(), begun);
    else
      Refuse(*stream, begun);
    stream->Ready();
  }

  // Is it of the host that it says? All else is the store's to say.
  static absl::Status Fits(const Stream& stream) {
    BG_RETURN_IF_ERROR(stream.peer().status());
    if (stream.peer()->host_id == stream.host_id() && !stream.host_id().empty())
      return absl::OkStatus();
    return NotPermitted(
        Reason::kPeerHostMismatch,
        stream.peer()->host_id.empty()
            ? "no client certificate was shown"
            : absl::StrCat("the client certificate is of ", Printable(stream.peer()->host_id),
                           ", the message of ", Printable(stream.host_id())));
  }

  void Put(const std::shared_ptr<Stream>& stream) {
    std::shared_ptr<Stream> pushed_out;
    bool is_closed = false;
    {
      const std::lock_guard lock(mutex_);
      Streams& streams = by_host_[stream->host_id()];
      streams.push_back(stream);
      if (streams.size() > kMaxPerHost) pushed_out = streams.front();
      due_.emplace_back(absl::Now() + options_.heartbeat, stream);
      is_closed = is_closed_;
    }
    if (is_closed) stream->End(std::nullopt, ToGrpc(GoingAway()));
    if (pushed_out != nullptr)
      pushed_out->End(std::nullopt, ToGrpc(TooMany("this host has opened newer streams")));
  }

  Streams StreamsOf(const std::string& host_id) const {
    const std::lock_guard lock(mutex_);
    const auto row = by_host_.find(host_id);
    return row == by_host_.end() ? Streams() : row->second;
  }

  v1::Notice NoticeOf(const host::HostRecord& host) const {
    v1::Notice notice = Heartbeat();
    Encode(admission::StandingOf(host), notice.mutable_standing());
    notice.set_drop_credentials(IsOut(host.trust));
    return notice;
  }
  v1::Notice Heartbeat() const {
    v1::Notice notice;
    notice.set_heartbeat_seconds(
        static_cast<uint32_t>(std::max<int64_t>(1, absl::ToInt64Seconds(options_.heartbeat))));
    return notice;
  }
  static bool IsOut(host::Trust trust) {
    return host::IsShutOut(trust) || trust == host::Trust::kRetired;
  }

  // Of the hub's thread.
  void OnChanges(const std::vector<store::ChangeRow>& rows) {
    for (const store::ChangeRow& row : rows) {
      if (row.kind == "trust") OnTrust(row);
    }
  }
  void OnTrust(const store::ChangeRow& row) {
    const Streams streams = StreamsOf(row.host_id);
    if (streams.empty()) return;
    const host::HostRecord host = HostAfter(row);
    v1::Notice notice = NoticeOf(host);
    // Held back until now, by operators or the brake: what is due need not wait.
    notice.set_attest_now(!IsOut(host.trust) && row.before == host::Name(host::Trust::kSuspect));
    for (const auto& stream : streams) {
      if (IsOut(host.trust))
        stream->End(notice, ToGrpc(Refusal(host)));
      else
        stream->Send(notice);
    }
  }
  // The change itself says enough when the record cannot be read.
  host::HostRecord HostAfter(const store::ChangeRow& row) {
    absl::StatusOr<host::HostRecord> read = parts_.store.GetHost(row.host_id);
    if (read.ok()) return *std::move(read);
    LogProblem("a host's record cannot be read for its notice", read.status());
    host::HostRecord host;
    host.id = row.host_id;
    // What is not known is no reason to go on.
    host.trust = host::TrustFromName(row.after).value_or(host::Trust::kQuarantined);
    host.trust_since = row.at;
    host.incident_id = row.incident_id;
    return host;
  }

  void OnTick() {
    const absl::Time now = absl::Now();
    EndRevoked();
    const v1::Notice heartbeat = Heartbeat();
    for (const std::shared_ptr<Stream>& stream : TakeDue(now)) {
      if (stream->peer()->not_after <= now)
        stream->End(std::nullopt, ToGrpc(Lapsed()));
      else
        stream->Beat(heartbeat);
    }
  }
  Streams TakeDue(absl::Time now) {
    Streams out;
    const std::lock_guard lock(mutex_);
    // A clock that was set back must not keep hosts waiting: nobody is due later than in one beat.
    while (!due_.empty() &&
           (due_.front().first <= now || due_.front().first > now + options_.heartbeat)) {
      if (std::shared_ptr<Stream> stream = due_.front().second.lock()) {
        due_.emplace_back(now + options_.heartbeat, stream);
        out.push_back(std::move(stream));
      }
      due_.pop_front();
    }
    return out;
  }

  int64_t Last() const { return parts_.store.LastRevocation().value_or(0); }

  // Certificates can be revoked one by one, with no change of the host's trust.
  void EndRevoked() {
    const int64_t last = Last();
    if (last <= revoked_) return;
    const absl::StatusOr<std::vector<store::RevokedRow>> rows =
        parts_.store.ListRevoked(revoked_, absl::Now());
    if (!rows.ok()) return LogProblem("revocations cannot be read", rows.status());
    for (const store::RevokedRow& row : *rows) {
      for (const auto& stream : StreamsOf(row.credential.host_id)) EndIfRevoked(*stream, row);
    }
    revoked_ = last;
  }
  void EndIfRevoked(Stream& stream, const store::RevokedRow& row) {
    if (stream.peer()->serial != row.credential.serial) return;
    const absl::StatusOr<host::HostRecord> host = parts_.store.GetHost(stream.host_id());
    if (host.ok() && IsOut(host->trust)) return stream.End(NoticeOf(*host), ToGrpc(Refusal(*host)));
    v1::Notice last = Heartbeat();
    last.set_drop_credentials(true);
    stream.End(last, ToGrpc(NotPermitted(
                         Reason::kPeerCertRevoked,
                         absl::StrCat("certificate ", row.credential.serial, " was revoked"))));
  }

  const NoticeOptions options_;
  const Parts parts_;
  mutable std::mutex mutex_;
  bool is_closed_ = false;  // guarded by mutex_, as the next three
  size_t count_ = 0;
  std::map<std::string, Streams> by_host_;
  std::deque<std::pair<absl::Time, std::weak_ptr<Stream>>> due_;
  int64_t revoked_ = 0;  // of the hub's thread
  std::optional<changes::ChangeHub::Subscription> subscription_;
};

void Stream::OnDone() {
  // The last reference may be ours: nothing of this is used once it is given up.
  const std::shared_ptr<Stream> self = std::move(self_);
  board_.Forget(self);
}

}  // namespace

std::unique_ptr<NoticeBoard> NoticeBoard::Make(const NoticeOptions& options, Parts parts) {
  return std::make_unique<Board>(options, std::move(parts));
}

}  // namespace bootgate::gatekeeper::service
