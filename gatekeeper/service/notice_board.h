// What hosts hear before they ask: a quarantine reaches the host's open stream as soon as the
// change feed has it, whichever gatekeeper it was decided on.
//
// A stream costs one object and no thread. It is taken for a host that shows its own, valid, not
// revoked certificate, and ends, with a last notice that says so, when that is no longer true. A
// peer that reads nothing is cut off after a few heartbeats. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/worker_pool.h"
#include "gatekeeper/admission/admission.h"
#include "gatekeeper/changes/change_hub.h"
#include "gatekeeper/store/store.h"
#include "pki/authority.h"

namespace grpc {
class Service;
}

namespace bootgate::gatekeeper::service {

struct NoticeOptions {
  size_t max_streams = 100000;
  absl::Duration heartbeat = absl::Seconds(30);
};

class NoticeBoard {
 public:
  struct Parts {
    changes::ChangeHub& hub;
    store::Store& store;
    admission::Admission& admission;
    const pki::Authority& authority;
    WorkerPool& pool;
    // Hears how each call of a peer ended that was refused, or once it was taken.
    std::function<void(const std::string& peer, const absl::Status&)> tell;
  };
  // All parts must outlive it.
  static std::unique_ptr<NoticeBoard> Make(const NoticeOptions& options, Parts parts);
  virtual ~NoticeBoard() = default;

  virtual grpc::Service* service() = 0;
  virtual size_t streams() const = 0;  // open now
  // Ends all streams: hosts look for another gatekeeper. None is taken any more.
  virtual void Close() = 0;
};

}  // namespace bootgate::gatekeeper::service
