#include "gatekeeper/operators/open_call.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/operators/operators_server.h"
#include "gatekeeper/service/guard.h"
#include "gatekeeper/service/status_codec.h"

namespace bootgate::gatekeeper::operators {
namespace {

constexpr size_t kStreamWorkers = 2;
using Steady = std::chrono::steady_clock;  // a clock that jumps must not put off a look

constexpr std::chrono::seconds kRecheck(1);         // of a stream's certificate
constexpr std::chrono::seconds kSlowestSender(20);  // of a whole request
const std::chrono::nanoseconds kSlowest = absl::ToChronoNanoseconds(kSlowestReader);

absl::Status Busy(absl::string_view what) {
  return Refuse(absl::StatusCode::kResourceExhausted, Reason::kTooManyRequests, what);
}

absl::StatusOr<std::string> TextOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  if (!buffer.Dump(&slices).ok())
    return Malformed(Reason::kMessageMalformed, "the request cannot be read");
  std::string out;
  for (const grpc::Slice& slice : slices)
    out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return out;
}

grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

// A reactor that deletes itself when gRPC is done with it. gRPC calls OnDone only after Finish, and
// Finish is the last thing a step does.
class OpenCall final : public grpc::ServerGenericBidiReactor {
 public:
  OpenCall(CallHall& hall, grpc::GenericCallbackServerContext* context)
      : hall_(hall), context_(context), path_(context->method()), peer_(context->peer()) {
    // Roles before anything of the request is read.
    absl::Status entered = service::Guarded([this] { return EnterCaller(); });
    if (entered.ok() && !hall_.AddWaiting(this))
      entered = Busy("too many requests are on their way");
    if (entered.ok()) {
      StartRead(&in_);
    } else {
      End(entered);
    }
  }

  void OnReadDone(bool more) override {
    hall_.RemoveWaiting(this);
    if (!more) return End(Malformed(Reason::kMessageMalformed, "a call without a request"));
    if (hall_.dispatcher_.IsStream(path_)) {
      is_stream_ = hall_.AddStream(this);
      if (!is_stream_) return End(Busy("there are too many open streams"));
      return Wake();
    }
    const bool queued = hall_.calls_.TryRun([this] { AnswerOnce(); });
    if (!queued) End(Busy("the gatekeeper is busy; try again later"));
  }

  void OnWriteDone(bool written) override {
    {
      const std::lock_guard lock(mutex_);
      is_writing_ = false;
      if (!written) is_cancelled_ = true;
    }
    Wake();
  }

  void OnCancel() override {
    {
      const std::lock_guard lock(mutex_);
      is_cancelled_ = true;
    }
    if (is_stream_) Wake();
  }

  void OnDone() override {
    if (is_stream_) hall_.RemoveStream(this);
    delete this;
  }

  // Of a stream: a step, unless one is due already. What finds no place is tried again with the
  // next waking.
  void Wake() {
    const std::lock_guard lock(mutex_);
    if (is_due_ || is_writing_ || is_over_) return;
    is_due_ = hall_.stream_steps_.TryRun([this] { Step(); });
  }

  void CutIfSlow(Steady::time_point now) {
    const std::lock_guard lock(mutex_);
    if (is_writing_ && now - writing_since_ > kSlowest) context_->TryCancel();
  }
  // While it waits for the request.
  void CutIfLate(Steady::time_point now) {
    if (now - came_at_ > kSlowestSender) context_->TryCancel();
  }

 private:
  absl::Status EnterCaller() {
    BG_ASSIGN_OR_RETURN(Caller caller, hall_.caller_of_(*context_));
    caller_ = std::move(caller);
    BG_RETURN_IF_ERROR(CheckCaller());
    return hall_.dispatcher_.MayCall(path_, *caller_);
  }

  absl::Status CheckCaller() {
    checked_at_ = Steady::now();
    return StillGood(*caller_, hall_.backend_.authority, hall_.backend_.store,
                     hall_.backend_.clock.Now());
  }

  // Ends the call; the last thing that is done with it.
  void End(const absl::Status& status) {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    Count(status);
    Finish(service::ToGrpc(status));
  }

  void Count(const absl::Status& status) {
    if (status.ok()) {
      ++hall_.answered_;
      return;
    }
    if (absl::IsCancelled(status)) return;  // a caller that hangs up is refused nothing
    ++hall_.refused_;
    const Reason reason = ReasonOf(status).value_or(Reason::kInternal);
    const bool ours = Info(reason).outcome == OutcomeClass::kError;
    Log(ours ? LogLevel::kError : LogLevel::kWarning, "operator refused",
        {{"method", path_},
         {"peer", peer_},
         {"actor", caller_.has_value() ? caller_->actor : ""},
         {"reason", std::string(Code(reason))},
         {"text", std::string(status.message())}});
  }

  void AnswerOnce() {
    std::string bytes;
    const absl::Status status = service::Guarded([&]() -> absl::Status {
      if (context_->IsCancelled()) return absl::CancelledError("the caller has gone");
      BG_ASSIGN_OR_RETURN(const std::string request, TextOf(in_));
      BG_ASSIGN_OR_RETURN(bytes, hall_.dispatcher_.Answer(path_, *caller_, request));
      return absl::OkStatus();
    });
    if (!status.ok()) return End(status);
    Count(status);
    out_ = BufferOf(bytes);
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
  }

  // What a stream is to end with, if it is.
  absl::Status WhyEnd() {
    {
      const std::lock_guard lock(mutex_);
      if (is_cancelled_) return absl::CancelledError("the caller has gone");
    }
    if (hall_.stopping()) {
      return Refuse(absl::StatusCode::kUnavailable, Reason::kTooManyRequests,
                    "the gatekeeper stops: come back with the last token");
    }
    return Steady::now() - checked_at_ < kRecheck ? absl::OkStatus() : CheckCaller();
  }

  absl::StatusOr<Source::Piece> NextPiece() {
    BG_RETURN_IF_ERROR(WhyEnd());
    if (source_ == nullptr) {
      BG_ASSIGN_OR_RETURN(const std::string request, TextOf(in_));
      BG_ASSIGN_OR_RETURN(source_, hall_.dispatcher_.Open(path_, *caller_, request));
    }
    return source_->Next();
  }

  // One piece of a stream, on a worker.
  void Step() {
    Source::Piece piece;
    const absl::Status status = service::Guarded([&]() -> absl::Status {
      BG_ASSIGN_OR_RETURN(piece, NextPiece());
      return absl::OkStatus();
    });
    if (!status.ok() || piece.kind == Source::Piece::Kind::kEnd) return End(status);
    const std::lock_guard lock(mutex_);
    is_due_ = false;
    if (piece.kind == Source::Piece::Kind::kNothingYet) return;
    out_ = BufferOf(piece.bytes);
    is_writing_ = true;
    writing_since_ = Steady::now();
    StartWrite(&out_);
  }

  CallHall& hall_;
  grpc::GenericCallbackServerContext* const context_;
  const std::string path_, peer_;
  std::optional<Caller> caller_;
  const Steady::time_point came_at_ = Steady::now();
  Steady::time_point checked_at_;
  grpc::ByteBuffer in_, out_;
  std::atomic<bool> is_stream_ = false;
  std::unique_ptr<Source> source_;  // of steps alone, one after the other

  std::mutex mutex_;
  bool is_due_ = false;      // under mutex_: a step is queued or runs
  bool is_writing_ = false;  // under mutex_
  bool is_cancelled_ = false, is_over_ = false;
  Steady::time_point writing_since_;
};

CallHall::CallHall(Backend& backend, Dispatcher& dispatcher, CallerFinder caller_of,
                   const Limits& limits)
    : backend_(backend),
      dispatcher_(dispatcher),
      caller_of_(std::move(caller_of)),
      max_streams_(limits.max_streams),
      calls_(limits.workers, limits.queue),
      stream_steps_(kStreamWorkers, limits.max_streams) {}

grpc::ServerGenericBidiReactor* CallHall::Enter(grpc::GenericCallbackServerContext* context) {
  return new OpenCall(*this, context);
}

bool CallHall::AddStream(OpenCall* call) {
  const std::lock_guard lock(mutex_);
  if (streams_.size() >= max_streams_) return false;
  streams_.insert(call);
  return true;
}

bool CallHall::AddWaiting(OpenCall* call) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= max_streams_) return false;
  waiting_.insert(call);
  return true;
}

void CallHall::RemoveWaiting(OpenCall* call) {
  const std::lock_guard lock(mutex_);
  waiting_.erase(call);
}

void CallHall::RemoveStream(OpenCall* call) {
  const std::lock_guard lock(mutex_);
  streams_.erase(call);
}

void CallHall::WakeStreams() {
  const Steady::time_point now = Steady::now();
  const std::lock_guard lock(mutex_);
  for (OpenCall* call : waiting_) call->CutIfLate(now);
  for (OpenCall* call : streams_) {
    call->Wake();
    call->CutIfSlow(now);
  }
}

void CallHall::StopStreams() {
  stopping_ = true;
  WakeStreams();
}

size_t CallHall::open_streams() const {
  const std::lock_guard lock(mutex_);
  return streams_.size();
}

}  // namespace bootgate::gatekeeper::operators
