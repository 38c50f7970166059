#include "gatekeeper/app/operators_port.h"

#include <utility>

#include "common/registers/selection.h"

namespace bootgate::gatekeeper::app {
namespace {

// A host that has missed two attestations and a little more is overdue.
constexpr int kMissed = 2;
constexpr absl::Duration kLateness = absl::Minutes(1);

uint32_t QuotedMask(const Config& config) {
  uint32_t mask = 0;
  const absl::StatusOr<registers::Selection> selection =
      registers::ParseSelection(config.quote.selection);
  if (!selection.ok()) return mask;
  for (const registers::BankSelection& bank : *selection) mask |= bank.mask;
  return mask;
}

}  // namespace

operators::Backend OperatorsBackend(const Config& config, store::Store& store, const Clock& clock,
                                    const pki::Authority& authority, changes::ChangeHub* hub) {
  return {.store = store,
          .clock = clock,
          .authority = authority,
          .cluster_id = config.cluster_id,
          .version = BOOTGATE_VERSION,
          .ca_folder = config.ca_folder(),
          .audit_folder = config.audit_folder(),
          .set_folder = config.set_folder(),
          .overdue_after = kMissed * config.attestation.interval + kLateness,
          .second_approver = config.quarantine.second_approver,
          .brake = config.quarantine.brake,
          .longest_waiver = config.quarantine.longest_waiver,
          .quoted_mask = QuotedMask(config),
          .changes = hub};
}

absl::StatusOr<std::unique_ptr<operators::OperatorsServer>> StartOperatorsPort(
    const Config& config, const operators::Backend& backend, service::TlsMaterial tls) {
  if (config.listen.operators.empty()) return nullptr;
  operators::ServerOptions options;
  options.listen = config.listen.operators;
  options.tls = std::move(tls);
  return operators::OperatorsServer::Start(options, backend);
}

}  // namespace bootgate::gatekeeper::app
