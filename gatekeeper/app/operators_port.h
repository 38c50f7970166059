// The operators' API, wired: on its own port while the gatekeeper runs, or in the process of a
// verb.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "gatekeeper/app/config.h"
#include "gatekeeper/operators/operators_server.h"
#include "gatekeeper/store/store.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::app {

operators::Backend OperatorsBackend(const Config& config, store::Store& store, const Clock& clock,
                                    const pki::Authority& authority,
                                    changes::ChangeHub* hub = nullptr);

// nullptr: `listen.operators` is empty. kUnavailable: the address is taken.
absl::StatusOr<std::unique_ptr<operators::OperatorsServer>> StartOperatorsPort(
    const Config& config, const operators::Backend& backend, service::TlsMaterial tls);

}  // namespace bootgate::gatekeeper::app
