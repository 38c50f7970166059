// `crl show FILE|-`: what a revocation list says, of any CA, in DER or PEM.
#pragma once

#include <istream>
#include <ostream>
#include <string>

#include "common/base/clock.h"
#include "common/base/exit_code.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {

struct CrlShowOptions {
  std::string file;     // "-": standard input
  std::string ca_file;  // PEM with the CA's certificate: did it sign? Empty: nobody asks
};

struct CrlShowIo {
  OutputFormat format = OutputFormat::kTable;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  const Clock& clock;
};

// kRejected: no CRL, or with a CA that did not sign it. A list past its next update is
// shown with a warning.
ExitCode CrlShow(const CrlShowOptions& options, const CrlShowIo& io);

}  // namespace bootgate::gatekeeper::cli
