// Entries of an IMA list against what a reference lists, its sets and its rules.
//
// Which answer counts: rules that let an entry pass without a look-up (excludes of the reference
// and of its sets, unverified) first, then the best of the reference's own files and of all sets,
// then a signature. Entries are looked up in batches, so that the waiting for memory overlaps.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/ima/list.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/reference/file_signature.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/reference.h"

namespace bootgate::gatekeeper::reference {

// Signatures that are checked for one verdict at most; past it there is one finding IMA_LIMIT.
inline constexpr size_t kMaxSignatureChecks = 100'000;

// What sets say beside digests, of all sets together. A set's keys count where the reference's
// rules ask for signatures: KeysThatCount.
struct RulesOfSets {
  std::vector<const Excludes*> excludes;  // borrow the sets
  std::set<std::string> ignored_keyrings;
  std::vector<crypto::PemKey> keys;
  std::vector<std::string> unusable;  // a sentence for each pattern or key that is none
};
RulesOfSets RulesThatComeWith(const std::vector<std::shared_ptr<const ImaSet>>& sets);

struct JudgeEntriesInput {
  const ImaReference& reference;
  const std::vector<std::shared_ptr<const ImaSet>>& sets;  // those that the rules name
  const SigningKeys& keys;
  absl::Time at;                         // for windows
  Severity unlisted = Severity::kFail;   // what a file counts that nobody lists
  uint64_t first_entry = 0;              // entries that came before the list's first
  const RulesOfSets* of_sets = nullptr;  // nullptr: digests alone count
};

struct JudgedEntries {
  std::vector<Finding> findings;
  uint64_t looked_up = 0, excluded = 0, unverified = 0, signatures = 0;
  uint64_t ignored_keys = 0;                       // loaded into keyrings that sets leave out
  absl::Time good_until = absl::InfiniteFuture();  // when the first window closes that counted
};

JudgedEntries JudgeEntries(const JudgeEntriesInput& input, const ima::List& list, size_t entries);

// The keys that count: those of the rules and of the sets, and the certificates that the kernel has
// measured into a trusted keyring, unless that keyring has a list and they are not in it.
SigningKeys KeysThatCount(const ImaRules& rules, const std::vector<MeasuredKey>& measured,
                          const RulesOfSets& of_sets = {});

}  // namespace bootgate::gatekeeper::reference
