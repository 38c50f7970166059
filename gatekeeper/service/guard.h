// Where exceptions end. Our code throws none, but memory can run out and libraries can throw: that
// is an ERROR that changes nothing, never a host that stays as it was believed.
#pragma once

#include <exception>

#include "absl/status/status.h"
#include "common/base/reason.h"

namespace bootgate::gatekeeper::service {

// Runs `work`; an exception becomes INTERNAL.
template <typename Work>
absl::Status Guarded(const Work& work) noexcept {
  try {
    return work();
  } catch (const std::exception& error) {
    return Refuse(absl::StatusCode::kInternal, Reason::kInternal, error.what());
  } catch (...) {
    return Refuse(absl::StatusCode::kInternal, Reason::kInternal, "unknown exception");
  }
}

}  // namespace bootgate::gatekeeper::service
