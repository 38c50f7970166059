// Replay of an IMA list against a quoted register.
#pragma once

#include <span>

#include "common/ima/digests_at.h"
#include "common/ima/known_digests.h"
#include "common/ima/list.h"
#include "common/ima/template_digest.h"
#include "common/registers/bank.h"

namespace bootgate::ima {

// Where the replay met the quoted value.
struct Match {
  size_t entries = 0;  // how many entries of the list lead there
  ExtendRule rule = ExtendRule::kBankHash;
  crypto::Digest value;  // the register there: where the next replay of this boot starts
};

struct MatchQuery {
  crypto::Digest start;          // the register's value before entry `first`
  crypto::Digest quoted;         // of the same algorithm, or there is no match
  size_t first = 0;              // entries before it went into `start`
  size_t at_least = 0;           // positions before it are no match; counted from the list's start
  uint32_t register_index = 10;  // entries of other registers are passed over
  const DigestsAt* at_hand = nullptr;  // when there, digests in it are not computed again
};

// Looks for the first position at or after `at_least` at which the register has the quoted value.
// The rules are tried one after the other, never mixed. nullopt when there is none.
std::optional<Match> FindMatch(const List& list, const MatchQuery& query);
std::optional<Match> FindMatch(const List& list, const crypto::Digest& start,
                               const crypto::Digest& quoted, size_t at_least,
                               uint32_t register_index = 10);

// The register after the whole list, from `start`.
crypto::Digest Replay(const List& list, const crypto::Digest& start, ExtendRule rule,
                      uint32_t register_index = 10);

// The register after these entries of `known`, from `start`: for a list that is followed piece by
// piece, each while it is still at hand. nullopt when a place is kNone, and for banks that are not
// kept.
std::optional<crypto::Digest> Replay(const KnownDigests& known,
                                     std::span<const KnownDigests::Place> places,
                                     const crypto::Digest& start, uint32_t register_index = 10);

// boot_aggregate over quoted registers: PCR 0-9 for SHA-256 and longer, 0-7 for SHA-1. The kernel
// hashes in the algorithm of ima_hash over the registers of the bank of that algorithm.
// nullopt when a register is missing.
std::optional<crypto::Digest> BootAggregate(const registers::RegisterBank& bank);

// Every value that some kernel would have computed, the present one first: until 5.8, which added
// PCR 8 and 9 (the boot loader's measurements), and in older stable kernels that took the choice of
// the algorithm but not those registers, every algorithm was over PCR 0-7.
struct BootAggregateValue {
  crypto::Digest digest;
  uint32_t registers = 0;  // how many, from PCR 0
};
std::vector<BootAggregateValue> BootAggregates(const registers::RegisterBank& bank);

}  // namespace bootgate::ima
