// `ca operator ...`: operators' certificates, and the register of them that gatekeepers believe.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

// --lifetime of what a CA signs. kInvalidArgument.
absl::StatusOr<absl::Duration> CertificateLifetime(const std::string& text);
// kAlreadyExists: there is a file of that name.
absl::Status WriteNewFile(const std::string& path, ByteView bytes, mode_t mode);

struct OperatorIssueOptions {
  std::string name;
  std::vector<std::string> roles;
  std::string out_folder;
  std::string lifetime = "720h";
};
// NAME.key (0600, made here), NAME.pem (certificate and CA), roots.pem.
ExitCode CaOperatorIssue(const Operator& op, const std::string& folder,
                         const OperatorIssueOptions& options);

struct OperatorListOptions {
  bool all = false;  // expired and revoked ones, too
};
ExitCode CaOperatorList(const Operator& op, const OperatorListOptions& options);

struct OperatorRevokeOptions {
  std::string who;  // a serial; or a name: all that it has
  std::string reason;
  std::string code = "unspecified";  // as pki::RevocationReasonNames has it
};
// At once, at every gatekeeper of the store.
ExitCode CaOperatorRevoke(const Operator& op, const OperatorRevokeOptions& options);

}  // namespace bootgate::gatekeeper::cli
