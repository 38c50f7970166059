#include "agent/client/notice_reader.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "absl/strings/string_view.h"
#include "bootgate/v1/agents.grpc.pb.h"
#include "common/base/hex.h"

namespace bootgate::agent {
namespace {

constexpr absl::Duration kFirstWithin = absl::Seconds(30);
constexpr int kHeartbeatsMissed = 3;
constexpr absl::Duration kLongestSilence = absl::Hours(1);  // whatever heartbeat is promised
constexpr size_t kMostWaiting = 64;                         // notices
constexpr int kMostReasons = 100;
constexpr size_t kMaxWhy = 1024;  // bytes

Notice Decode(const v1::Notice& in) {
  Notice out{.standing = std::nullopt,
             .drop_credentials = in.drop_credentials(),
             .attest_now = in.attest_now(),
             .heartbeat = absl::Seconds(in.heartbeat_seconds())};
  if (in.has_standing()) out.standing = DecodeStanding(in.standing());
  return out;
}

// gRPC's threads put in, ours takes out.
class Reader final : public grpc::ClientReadReactor<v1::Notice> {
 public:
  Reader(v1::Notices::Stub& stub, const std::string& host_id) {
    request_.set_host_id(host_id);
    stub.async()->Watch(&context_, &request_, this);
    StartRead(&message_);
    StartCall();
  }

  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    if (!ok) return;
    Put(Decode(message_));
    changed_.notify_all();
    StartRead(&message_);
  }
  void OnDone(const grpc::Status& status) override {
    const std::lock_guard lock(mutex_);
    ended_ = status;
    changed_.notify_all();
  }

  // The next one; nullopt: the stream has ended, or nothing came within `patience`.
  std::optional<Notice> Next(absl::Duration patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, absl::ToChronoNanoseconds(patience),
                      [this] { return !notices_.empty() || ended_.has_value(); });
    if (notices_.empty()) return std::nullopt;
    Notice next = std::move(notices_.front());
    notices_.pop_front();
    return next;
  }

  // Nothing of this may go before it. nullopt: it had not ended by itself.
  std::optional<grpc::Status> End() {
    std::unique_lock lock(mutex_);
    std::optional<grpc::Status> by_itself = ended_;
    context_.TryCancel();
    changed_.wait(lock, [this] { return ended_.has_value(); });
    return by_itself;
  }

 private:
  // Too many are made one: what was asked for in any of them is asked for in it.
  void Put(Notice notice) {
    if (notices_.size() < kMostWaiting) return notices_.push_back(std::move(notice));
    Notice& last = notices_.back();
    if (notice.standing.has_value()) last.standing = std::move(notice.standing);
    last.drop_credentials = last.drop_credentials || notice.drop_credentials;
    last.attest_now = last.attest_now || notice.attest_now;
  }

  grpc::ClientContext context_;
  v1::WatchNoticesRequest request_;
  v1::Notice message_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Notice> notices_;  // guarded by mutex_, as the next
  std::optional<grpc::Status> ended_;
};

}  // namespace

Standing DecodeStanding(const v1::Standing& in) {
  Standing out{.trust = Printable(in.trust()),
               .since = absl::FromUnixSeconds(in.since()),
               .reasons = {},
               .why = Printable(in.why(), kMaxWhy),
               .incident_id = Printable(in.incident_id())};
  for (int i = 0; i < std::min(in.reasons_size(), kMostReasons); ++i)
    out.reasons.push_back(Printable(in.reasons(i)));
  return out;
}

grpc::Status ReadNotices(const std::shared_ptr<grpc::ChannelInterface>& channel,
                         const std::string& host_id,
                         const std::function<void(const Notice&)>& on_notice,
                         const std::stop_token& stop) {
  const std::unique_ptr<v1::Notices::Stub> stub = v1::Notices::NewStub(channel);
  Reader reader(*stub, host_id);
  const std::stop_callback cancel(stop, [&reader] { reader.Cancel(); });
  absl::Duration patience = kFirstWithin;
  while (const std::optional<Notice> notice = reader.Next(patience)) {
    if (notice->heartbeat > absl::ZeroDuration())
      patience = std::min(kHeartbeatsMissed * notice->heartbeat, kLongestSilence);
    on_notice(*notice);
  }
  const std::optional<grpc::Status> ended = reader.End();
  if (ended.has_value()) return *ended;
  return {grpc::StatusCode::DEADLINE_EXCEEDED, "the gatekeeper sent no heartbeat"};
}

}  // namespace bootgate::agent
