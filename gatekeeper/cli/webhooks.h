// Operator's verbs on webhooks: `webhook list`, `test`, `dead list`, `dead retry`, `dead drop`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/exit_code.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/webhook/endpoint.h"

namespace bootgate::gatekeeper::cli {

// As the configuration has it.
struct Webhooks {
  std::string cluster;
  std::vector<webhook::Endpoint> endpoints;
};

// All that are configured, and those that were.
ExitCode WebhookList(const Operator& op, const Webhooks& hooks);
// Sends a test now. Exit code 5: it was not taken.
ExitCode WebhookTest(const Operator& op, const Webhooks& hooks, const std::string& name);

// Which dead letters: one, or all (of one endpoint where it is named).
struct DeadLetterChoice {
  std::optional<int64_t> number;
  bool all = false;
  std::string endpoint;
};

ExitCode WebhookDeadList(const Operator& op, const std::string& endpoint);
// Exit code 11: some of several failed; 5: the one that was asked for.
ExitCode WebhookDeadRetry(const Operator& op, const Webhooks& hooks,
                          const DeadLetterChoice& choice);
ExitCode WebhookDeadDrop(const Operator& op, const DeadLetterChoice& choice,
                         const std::string& reason);

}  // namespace bootgate::gatekeeper::cli
