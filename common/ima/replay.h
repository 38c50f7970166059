// Replay of an IMA list against a quoted register.
//
// Kernels since 5.8 extend each bank with that bank's own hash of the template data; older ones,
// and banks whose hash the kernel lacks at IMA's start, get the SHA-1 template digest padded with
// zeros.
#pragma once

#include "common/ima/list.h"
#include "common/registers/bank.h"

namespace bootgate::ima {

enum class ExtendRule { kBankHash, kPaddedSha1 };

// Where the replay met the quoted value.
struct Match {
  size_t entries = 0;  // how many entries of the list lead there
  ExtendRule rule = ExtendRule::kBankHash;
};

// Looks for the first position at or after `at_least` entries at which register `register_index`
// (10) has `quoted`, starting from `start`. Both rules are tried. nullopt when there is none.
std::optional<Match> FindMatch(const List& list, const crypto::Digest& start,
                               const crypto::Digest& quoted, size_t at_least,
                               uint32_t register_index = 10);

// The digest an entry extends a bank with.
crypto::Digest ExtendDigest(const Entry& entry, crypto::HashAlg alg, ExtendRule rule);

// False when the listed SHA-1 digest is not the hash of the template data (violations excepted).
bool ListedDigestHolds(const Entry& entry);

// boot_aggregate over quoted registers: PCR 0-9 for SHA-256 and longer, 0-7 for SHA-1. The kernel
// hashes in the algorithm of ima_hash over the registers of the bank of that algorithm.
// nullopt when a register is missing.
std::optional<crypto::Digest> BootAggregate(const registers::RegisterBank& bank);

}  // namespace bootgate::ima
