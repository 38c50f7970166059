// What the registers must be if the user-space log is true.
//
// Implements: TPM 2.0 Part 1, 17.2 (PCR extend); Part 3, TPM2_NV_Extend.
#pragma once

#include <map>
#include <vector>

#include "common/cel/log.h"
#include "common/registers/bank.h"

namespace bootgate::cel {

struct Replay {
  registers::RegisterBank bank;  // the start values and, on top of them, the log
  uint32_t extended = 0;         // bit n: the log has records for PCR n
  std::vector<Defect> defects;   // CEL_DIGESTS for records about PCRs without this bank's digest
};

// Continues from `start`, which is what the boot log's replay gave; a PCR without a start value
// begins at zeros. A record without a digest of the bank extends nothing and is a defect.
Replay ReplayBank(const Log& log, const registers::RegisterBank& start);

// What an NvPCR holds before its first record in the log.
enum class NvStart {
  kUnwritten,    // TPM2_NV_Extend takes an index never written as zeros
  kInitialised,  // systemd's own first write, which is in no record: zeros extended with zeros
};
crypto::Digest NvStartValue(crypto::HashAlg alg, NvStart start);

struct NvRegister {
  crypto::Digest value;
  size_t extends = 0;
  std::string untrusted_name;  // as its first record says
};

// By NV index. An NV index has one algorithm: records without a digest of `alg` are about others.
// Nothing here is proven by a quote; TPM2_NV_Certify would.
std::map<uint32_t, NvRegister> ReplayNv(const Log& log, crypto::HashAlg alg, NvStart start);

}  // namespace bootgate::cel
