// What a boot log says about the boot, in terms that a person or a policy asks for.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 3.3.4 (what each PCR holds); UEFI 2.10,
// 32 (Secure Boot variables); shim's, GRUB's, systemd's and the Linux EFI stub's use of PCR 4-14.
//
// Each fact says whether it is verified: its event's data hashes to the event's digest, and the
// event's register was proven by a quote. What is not verified is for people only, never a claim.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/crypto/hash.h"
#include "common/eventlog/log.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

template <typename T>
struct Fact {
  T value{};
  bool verified = false;
  uint32_t event = 0;           // number in the log
  uint32_t register_index = 0;  // of the event
};

// One entry of PK, KEK, db or MokList.
struct KeyEntry {
  std::string list;         // "PK", "KEK", "db", "MokList"
  std::string owner;        // the signature owner's GUID, upper case
  std::string fingerprint;  // SHA-256 of the certificate, or the listed digest; hex
  bool certificate = true;  // false: a digest of an image, and nothing below is set
  std::string subject;
  std::string issuer;
  std::string not_before, not_after;  // "2011-06-27"; empty when the certificate cannot be read
  std::string known;                  // whose it is, when we know; empty: unknown
  bool test_key = false;              // a published test key: anybody can sign with it
};

// dbx, summed up.
struct Revocations {
  uint64_t entries = 0;
  std::string
      newest_entry;  // when the newest published entry in it was published: "2023-05"; or empty
};

// Code that the firmware or a boot loader started. The digest is bound by the register, and that is
// what `verified` means here; where the image came from is the firmware's word.
struct Image {
  std::string digest;  // hex: Authenticode, or of the file
  std::string path;    // "\EFI\debian\shimx64.efi"; escaped
  uint64_t size = 0;   // bytes; 0 when not told
};

// One certificate or digest that allowed an image to run (EV_EFI_VARIABLE_AUTHORITY).
struct Authority {
  std::string list;         // "db", "MokList", "Shim", ...
  std::string subject;      // empty: not a certificate
  std::string fingerprint;  // SHA-256 of the entry; hex
  std::string known;
};

// What an option of the kernel's command line does to the host's defences.
enum class Effect { kWeakens, kStrengthens, kNeutral };

struct KernelOption {
  std::string text;     // as on the command line: "lockdown=integrity"; escaped
  std::string meaning;  // one line
  Effect effect = Effect::kNeutral;
};

struct BootFacts {
  std::optional<Fact<bool>> secure_boot;
  std::vector<Fact<KeyEntry>> keys;
  bool all_keys_listed = true;  // false: there are more than `keys` holds
  std::optional<Fact<Revocations>> dbx;
  std::optional<Fact<int64_t>> sbat_level;  // date as shim writes it: 2023012900
  std::vector<Fact<Authority>> authorities;
  // What PCR 4 says was started, in order: EFI applications, and whatever may be one.
  std::vector<Fact<Image>> loaders;
  // Files that a boot loader measured. That one is the kernel only its uncovered name tells.
  std::vector<Fact<Image>> kernels;
  std::vector<Fact<Image>> initrds;
  // Of the kernel; UTF-8, not escaped. Whoever rules the running system can extend PCR 8-15 and
  // tell more of them (attack A37): none is verified unless it is of PCR 8 or 12, and every event
  // of both registers is proven, covered, and surely no command line in disguise.
  std::vector<Fact<std::string>> command_lines;
  std::vector<Fact<KernelOption>> kernel_options;
  std::vector<Fact<std::string>> actions;  // "UEFI Debug Mode", "DMA Protection Disabled"; escaped
};

// `proven_registers`: bit n, register n of this bank follows from the log and was quoted. Total: a
// log that says nothing gives no facts.
BootFacts ReadBootFacts(const eventlog::Log& log, crypto::HashAlg bank, uint32_t proven_registers);

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
