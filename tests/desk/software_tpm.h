// A TPM 2.0 in software (swtpm) with EK certificates from a CA in a folder of its own.
//
// What a manufacturer does (Manufacture) and what power does (Start, Restart, stop).
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "tests/desk/process.h"

namespace bootgate::desk {

// Makes the state of a new TPM in `state_folder`: banks sha1, sha256, sha384, EK RSA (of 2048 or
// 3072 bits) and ECC P-384 with certificates of the CA in `ca_folder`, which is made when it is not
// there. Several TPMs may share one CA. `serial`: goes into the certificates' subject.
absl::Status Manufacture(const std::string& state_folder, const std::string& ca_folder,
                         const std::string& serial, int rsa_bits = 2048);

// PEM files of the CA after Manufacture.
std::string RootCertificatePath(const std::string& ca_folder);
std::string IssuerCertificatePath(const std::string& ca_folder);

struct RunningTpm {
  pid_t pid = 0;
  std::string socket;  // and `socket`.ctrl
  std::string tcti() const { return "swtpm:path=" + socket; }
};

// Starts the TPM (resetCount moves on, registers are fresh). It answers at once: the sockets are
// there before the process is. `socket`: an absolute path of at most 100 characters.
absl::StatusOr<RunningTpm> StartTpm(const std::string& state_folder, const std::string& socket,
                                    Lifetime lifetime);

// An orderly reboot of the running TPM: TPM2_Shutdown(CLEAR), power cycle, TPM2_Startup(CLEAR).
absl::Status RestartTpm(const RunningTpm& tpm);

absl::Status StopTpm(const RunningTpm& tpm);

}  // namespace bootgate::desk
