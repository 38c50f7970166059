// A host on a desk: a captured boot made live again, with a TPM that can be asked.
//
// Test code only. A folder holds one host: `tpm/` the TPM's state, `ca/` its manufacturer's CA
// (unless another folder is shared), `boot_log`, `boot_id` and `ima` what the kernel would show,
// `desk.json` what is running. A second process may attach to it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/tpm/tpm.h"
#include "common/ima/replay.h"
#include "tests/desk/software_tpm.h"

namespace bootgate::desk {

struct HostOptions {
  std::string folder;       // absolute; made when missing
  std::string case_folder;  // a captured boot
  std::string ca_folder;    // absolute, may be shared by hosts; empty: folder/ca
  Lifetime lifetime = Lifetime::kWithParent;
  int rsa_bits = 2048;  // of a new TPM's RSA endorsement key; or 3072
};

class Host {
 public:
  // A new TPM on its first start, or an old folder's TPM on another one.
  static absl::StatusOr<std::unique_ptr<Host>> Up(const HostOptions& options);
  // A host that `Up` left running in `folder` (kDetached).
  static absl::StatusOr<std::unique_ptr<Host>> Attach(const std::string& folder);
  // Ends the TPM when it was started with kWithParent.
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  std::string tcti() const { return tpm_.tcti(); }
  std::string boot_log_path() const { return folder_ + "/boot_log"; }
  std::string user_log_path() const { return folder_ + "/user_log"; }  // absent at first
  std::string boot_id_path() const { return folder_ + "/boot_id"; }    // another one at each boot
  std::string ima_path() const { return folder_ + "/ima"; }
  std::string root_certificate_path() const { return RootCertificatePath(ca_folder_); }
  std::string issuer_certificate_path() const { return IssuerCertificatePath(ca_folder_); }
  const std::string& folder() const { return folder_; }
  pid_t pid() const { return tpm_.pid; }

  // Extends one register in every bank with the hash of `text`: somebody measured something that
  // is in no log.
  absl::Status Extend(uint32_t register_index, absl::string_view text);
  // The kernel's IMA saw a file used: list and register 10 move on.
  absl::Status Measure(absl::string_view path, ByteView content);
  // Restarts the TPM (resetCount + 1) and replays another boot.
  absl::Status Reboot(const std::string& case_folder);
  absl::Status Down();

 private:
  Host() = default;
  absl::Status StartUp(int rsa_bits);
  absl::Status Boot(const std::string& case_folder);
  absl::Status Save() const;
  absl::StatusOr<std::unique_ptr<agent::tpm::Tpm>> Open() const;

  std::string folder_;
  std::string ca_folder_;
  Lifetime lifetime_ = Lifetime::kDetached;
  RunningTpm tpm_;
  std::map<crypto::HashAlg, ima::ExtendRule> ima_rules_;
};

}  // namespace bootgate::desk
