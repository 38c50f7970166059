// `token verify FILE --jwks FILE|--dir DIR`: is this token good, and what does it say?
#pragma once

#include <istream>
#include <ostream>
#include <string>

#include "common/base/clock.h"
#include "common/base/exit_code.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {

struct TokenVerifyOptions {
  std::string file;        // "-": standard input
  std::string jwks_file;   // a key set as /certs serves it; empty: see key_folder
  std::string key_folder;  // of a gatekeeper's keys
  std::string issuer;      // empty: any
};

struct TokenVerifyIo {
  OutputFormat format = OutputFormat::kTable;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  const Clock& clock;
};

// Prints header and claims also of a token that is not good, and why it is not: kEvidenceRejected.
ExitCode TokenVerify(const TokenVerifyOptions& options, const TokenVerifyIo& io);

}  // namespace bootgate::gatekeeper::cli
