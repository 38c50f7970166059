// `audit verify --export` and `audit key`: the audit trail without a gatekeeper, and the keys that
// its checkpoints are signed by.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "common/base/exit_code.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {

struct AuditFiles {
  std::string export_file;        // as `audit export` writes it; "-": standard input
  std::vector<std::string> keys;  // PEM files; none: signatures are not checked, and it says so
  std::vector<std::string> checkpoints;  // logs or earlier exports that were kept elsewhere
};

// Each place where the trail is not what it was is a line. kInternal AUDIT_BROKEN when there is
// any; kUsage: a file that is none of what it should be.
ExitCode AuditVerifyFiles(const AuditFiles& files, OutputFormat format, std::ostream& out,
                          std::ostream& err);

// The public keys below `folder` (audit/key_folder.h), earlier ones, too: to be kept
// elsewhere. As a table, with the PEM text; or JSON. Makes nothing.
ExitCode AuditKeyShow(const std::string& folder, OutputFormat format, std::ostream& out,
                      std::ostream& err);

}  // namespace bootgate::gatekeeper::cli
