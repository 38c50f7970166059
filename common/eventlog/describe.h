// What an event's data says, for people and for claims, and whether a digest covers it.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.4 (event types); UEFI 2.10, 32.4
// (signature lists); shim's and GRUB's use of EV_IPL.
#pragma once

#include <optional>
#include <string>

#include "common/eventlog/log.h"

namespace bootgate::eventlog {

// "EV_EFI_VARIABLE_DRIVER_CONFIG"; "UNKNOWN(0x........)" for a number without a name.
std::string TypeName(uint32_t type);

// Whether the event's data is what its digest was made from, in some bank of the log.
//   kCovered      the digest is the hash of the data (of the part of it that the type defines)
//   kNotCovered   by the event's type the digest is of something else: the data is a description
//   kMismatch     the type demands a hash of the data, and the digest is not that
enum class Coverage { kCovered, kNotCovered, kMismatch };
Coverage CoverageOf(const Log& log, const Event& event, crypto::HashAlg alg);

// A UEFI variable event's parts (UEFI_VARIABLE_DATA).
struct UefiVariable {
  std::string guid;  // upper case: "8BE4DF61-93CA-11D2-AA0D-00E098032B8C"
  std::string name;  // UTF-8
  ByteView data;     // borrowed from the log
};
std::optional<UefiVariable> DecodeUefiVariable(const Event& event);

// Secure Boot as the log's covered SecureBoot variable in PCR 7 says; nullopt when it does not,
// when there are several, or when no digest covers it.
std::optional<bool> SecureBootState(const Log& log, crypto::HashAlg alg);

// One line for an operator: "SecureBoot = 00 (off)", "kernel command line: /vmlinuz ...",
// "image load, 913408 bytes, \EFI\debian\shimx64.efi". Escaped; says "(not covered by the digest)"
// where so.
std::string Describe(const Log& log, const Event& event, crypto::HashAlg alg);

// A short stable key of what the event is about, to pair events of two boots: "var:SecureBoot",
// "ipl:kernel_cmdline", "image:...". Empty: pair by position.
std::string PairingKey(const Event& event);

}  // namespace bootgate::eventlog
