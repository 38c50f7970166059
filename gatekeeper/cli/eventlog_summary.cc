#include "gatekeeper/cli/eventlog_summary.h"

#include <optional>

#include "common/eventlog/decode/secure_boot.h"
#include "gatekeeper/diagnosis/causes.h"

namespace bootgate::gatekeeper::cli {

std::vector<std::pair<std::string, std::string>> SummaryOf(const eventlog::Log& log,
                                                           crypto::HashAlg bank) {
  const std::optional<bool> secure_boot = eventlog::SecureBootState(log, bank);
  const char* const state = !secure_boot ? "the log does not say" : *secure_boot ? "on" : "off";
  return {{"boot chain", diagnosis::BootChain(log)}, {"Secure Boot", state}};
}

}  // namespace bootgate::gatekeeper::cli
