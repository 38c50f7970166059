// Verbs `ek inventory import|list|show|remove`: which TPMs are ours, before they join.
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/cli/labels.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/enroll/ek_trust.h"

namespace bootgate::gatekeeper::cli {

struct EkInventoryImportOptions {
  std::string file;  // CSV or JSON (inventory_file.h)
  Labels labels;     // for all of them; what the file says of one goes before
  enroll::EkMode mode = enroll::EkMode::kChainAndInventory;  // as configured
};

// All of the file or nothing of it. Hosts that joined before and waited for this are approved.
ExitCode EkInventoryImport(const Operator& op, const EkInventoryImportOptions& options);
// At most `limit` entries behind `after`; 0: all.
ExitCode EkInventoryList(const Operator& op, const std::string& after, int limit);
ExitCode EkInventoryShow(const Operator& op, const std::string& ek);
ExitCode EkInventoryRemove(const Operator& op, const std::vector<std::string>& eks);

}  // namespace bootgate::gatekeeper::cli
