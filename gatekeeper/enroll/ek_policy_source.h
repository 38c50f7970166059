// By what EKs are judged now: what the configuration gave, and what operators added since.
//
// Asked at every enrolment; the store is read again only when somebody has written to it, this or
// another process. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "gatekeeper/enroll/ek_trust.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::enroll {

class EkPolicySource {
 public:
  // `store` must outlive it. `configured`: of files; stays as it is.
  EkPolicySource(store::Store& store, EkPolicy configured)
      : store_(store), configured_(std::move(configured)) {}

  // Errors of the store; those of a document that cannot be read: nothing is judged by half of
  // what operators said.
  absl::StatusOr<std::shared_ptr<const EkPolicy>> Current();

 private:
  // What stands, as one text to compare.
  absl::StatusOr<std::string> Standing();
  absl::StatusOr<std::shared_ptr<const EkPolicy>> Read();

  store::Store& store_;
  const EkPolicy configured_;
  std::mutex mutex_;
  // All: guarded by mutex_.
  std::shared_ptr<const EkPolicy> current_;  // nullptr: not read yet
  int64_t seen_change_ = 0;
  std::string seen_standing_;
};

}  // namespace bootgate::gatekeeper::enroll
