// `ca ...`: the internal CA from an operator's side. Each verb takes one step of pki/ca_steps.h,
// tells what it did and what to do next, and leaves a row in the audit trail.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gatekeeper/cli/operator.h"
#include "pki/ca_steps.h"

namespace bootgate::gatekeeper::cli {

// Where a new key is to be; all empty: where the present one is.
struct CaKeyOptions {
  std::string holder;  // "file", "pkcs11", "tpm"
  std::string module, token;
  std::string secret;  // as pki/secret_source.h has it
};
// kInvalidArgument names the option.
absl::StatusOr<std::optional<pki::KeySpec>> KeySpecOf(const CaKeyOptions& options);

struct CaInitOptions {
  bool offline_root = false, upstream = false;
  std::string root_out, root_secret;
  CaKeyOptions key;
};
// The plan for a folder; kInvalidArgument.
absl::StatusOr<pki::CaPlan> PlanOf(const CaInitOptions& options, const std::string& ca_folder,
                                   const std::string& cluster_id, const std::string& trust_domain);
// What to tell after CreateCas: where the root is, which requests go out.
std::string WordsOf(const pki::CaPlan& plan, const std::vector<pki::CaStep>& steps);

ExitCode CaInit(const Operator& op, const pki::CaPlan& plan);
ExitCode CaList(const Operator& op, const std::string& folder);
ExitCode CaShow(const Operator& op, const std::string& folder, const std::string& id);

struct CaRotateOptions {
  std::string use = "hosts";  // or "root"
  std::string lifetime = "17520h";
  std::string root_secret;
  CaKeyOptions key;
};
ExitCode CaRotate(const Operator& op, const std::string& folder, const CaRotateOptions& options);
struct CaActivateOptions {
  std::string id;
  bool force = false;  // also when hosts do not have the trust bundle that it is in
};
ExitCode CaActivate(const Operator& op, const std::string& folder,
                    const CaActivateOptions& options);
// Forgets one that has expired.
ExitCode CaRemove(const Operator& op, const std::string& folder, const std::string& id);
ExitCode CaTaint(const Operator& op, const std::string& folder, const std::string& id,
                 const std::string& why);

struct CaCsrOptions {
  std::string use = "issuing";  // or one use
  std::string out_file;
  CaKeyOptions key;
};
ExitCode CaCsr(const Operator& op, const std::string& folder, const CaCsrOptions& options);
ExitCode CaInstallChain(const Operator& op, const std::string& folder, const std::string& file);

// Needs no gatekeeper: it runs where the offline root is.
struct CaSignCsrOptions {
  std::string root_folder, root_secret, request_file, use, out_file;
  std::string lifetime = "17520h";
};
ExitCode CaSignCsr(const CaSignCsrOptions& options, absl::Time now, std::ostream& out,
                   std::ostream& err);

}  // namespace bootgate::gatekeeper::cli
