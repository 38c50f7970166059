// One call on the port, from its first byte to its end.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/worker_pool.h"
#include "gatekeeper/operators/caller.h"
#include "gatekeeper/operators/dispatch.h"

namespace grpc {
class GenericCallbackServerContext;
template <class Request, class Answer>
class ServerBidiReactor;
class ByteBuffer;
}  // namespace grpc

namespace bootgate::gatekeeper::operators {

class OpenCall;

// What all calls of a server share. Any thread.
class CallHall {
 public:
  struct Limits {
    size_t workers = 0, queue = 0, max_streams = 0;
  };
  // Who is on the other end of a call; asked once per call.
  using CallerFinder =
      std::function<absl::StatusOr<Caller>(const grpc::GenericCallbackServerContext&)>;

  CallHall(Backend& backend, Dispatcher& dispatcher, CallerFinder caller_of, const Limits& limits);

  // A call has come in; gRPC owns what is given back.
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Enter(
      grpc::GenericCallbackServerContext* context);

  // Lets open streams look for something new; cuts those whose reader is too slow, and calls whose
  // request does not come.
  void WakeStreams();
  // From now on streams are told that we stop.
  void StopStreams();
  bool stopping() const { return stopping_; }

  size_t open_streams() const;
  int64_t answered() const { return answered_; }
  int64_t refused() const { return refused_; }

 private:
  friend class OpenCall;
  // False: there are too many.
  bool AddStream(OpenCall* call);
  void RemoveStream(OpenCall* call);
  // Until its request is there. False: there are too many.
  bool AddWaiting(OpenCall* call);
  void RemoveWaiting(OpenCall* call);

  Backend& backend_;
  Dispatcher& dispatcher_;
  const CallerFinder caller_of_;
  const size_t max_streams_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int64_t> answered_ = 0, refused_ = 0;
  mutable std::mutex mutex_;
  std::set<OpenCall*> streams_, waiting_;  // under mutex_
  WorkerPool calls_, stream_steps_;        // last: their threads use what stands above
};

}  // namespace bootgate::gatekeeper::operators
