// What each verb of bootgate-agent does and prints. Thin: the work is in join, attest, export, run.
#pragma once

#include <string>

#include "agent/app/attest_request.h"
#include "agent/app/config.h"
#include "common/base/exit_code.h"

namespace bootgate::agent::app {

enum class OutputFormat { kTable, kJson };

// A join file that others may write is refused: it could name another gatekeeper. One that others
// may read is told of.
enum class AfterJoin { kKeepFile, kDeleteFile };
ExitCode JoinVerb(const Config& config, const std::string& join_file, AfterJoin after,
                  OutputFormat format);
ExitCode AttestVerb(const Config& config, const RequestWords& words, OutputFormat format);
// Attests and prints the token alone, a line.
ExitCode TokenVerb(const Config& config, const RequestWords& words, OutputFormat format);
// 6 when the gatekeeper's last word is not "trusted": cut off, or held back.
ExitCode StatusVerb(const Config& config, OutputFormat format);
ExitCode CredentialShowVerb(const Config& config, OutputFormat format);
// Installs what this host holds, unsealed, into `folder` (empty: the runtime folder): the boot
// secrets, then the credential, after which the cap register is extended. Neither network nor
// gatekeeper is asked. 11 when only one of the two opens.
enum class UnsealWhat { kAll, kBootSecrets };
ExitCode CredentialUnsealVerb(const Config& config, UnsealWhat what, const std::string& folder,
                              OutputFormat format);
ExitCode EvidenceExportVerb(const Config& config, const std::string& folder,
                            const std::string& nonce_hex, OutputFormat format);

}  // namespace bootgate::agent::app
