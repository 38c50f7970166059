// Entries of an IMA list against what a reference lists, its sets and its rules: for the gatekeeper
// and for `ima verify` alike.
//
// Which answer counts: rules that let an entry pass without a look-up (excludes of the reference
// and of its sets, unverified) first, then the best of the reference's own files and of all sets,
// then a signature. Entries are looked up in batches, so that the waiting for memory overlaps.
// Memory does not grow with the list: findings are bounded, whatever is in it.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/ima/list.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/reference/entry_findings.h"
#include "gatekeeper/reference/file_signature.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/reference.h"
#include "gatekeeper/reference/rules_of_sets.h"

namespace bootgate::gatekeeper::reference {

// Signatures that are checked for one verdict at most; past it there is one finding IMA_LIMIT.
inline constexpr size_t kMaxSignatureChecks = 100'000;

// Records of the kernel (keys, command lines, critical data) that nobody lists: judged like a file,
// or counted only, where they are told in another way.
enum class UnlistedRecords { kJudge, kCount };

struct JudgeEntriesInput {
  const ImaReference& reference;
  const std::vector<std::shared_ptr<const ImaSet>>& sets;  // those that the rules name
  const SigningKeys& keys;
  absl::Time at;                        // for windows
  Severity unlisted = Severity::kFail;  // what an entry counts that nobody lists
  UnlistedRecords records = UnlistedRecords::kJudge;
  uint64_t first_entry = 0;              // entries that came before the list's first
  const RulesOfSets* of_sets = nullptr;  // nullptr: digests alone count
};

struct JudgedEntries {
  std::vector<Finding> findings;
  uint64_t looked_up = 0, excluded = 0, unverified = 0;
  uint64_t listed = 0;                             // of those that were looked up
  uint64_t signed_files = 0;                       // good by their signature alone
  uint64_t signatures = 0;                         // that were checked
  uint64_t ignored_keys = 0;                       // loaded into keyrings that sets leave out
  uint64_t unlisted_records = 0;                   // with UnlistedRecords::kCount
  absl::Time good_until = absl::InfiniteFuture();  // when the first window closes that counted
};

// Entry by entry; for a list that comes in pieces. What the input refers to must outlive it.
class EntryJudge {
 public:
  explicit EntryJudge(const JudgeEntriesInput& input);
  EntryJudge(const EntryJudge&) = delete;
  EntryJudge& operator=(const EntryJudge&) = delete;

  // In order. The bytes of the entry must stay until the next Flush.
  void Add(const ima::Entry& entry);
  void Add(const ima::Record& record, uint32_t number);  // the same: its fields are read as needed
  void Flush();
  JudgedEntries Finish();  // once

 private:
  static constexpr size_t kBatch = 64;  // entries looked up together

  // What waits in the batch. An entry's fields are read again where something is to be said of it:
  // nearly all are listed.
  struct Asked {
    ima::Record record;
    uint32_t number = 0;
    SetFound found;
    const ImaSet* set = nullptr;
  };

  bool IsExcluded(absl::string_view path) const;
  bool IsIgnoredKeyring(const ima::Entry& entry) const;
  bool PassesAsRecord(const ima::Entry& entry, const std::optional<DigestAlg>& alg);
  bool HasAllowedDigest(const ima::Entry& entry, const std::optional<DigestAlg>& alg);
  const std::set<std::string>* ListedDigests(const ima::Entry& entry) const;
  void Ask(const ima::Record& record, uint32_t number, const SetQuery& query);
  void AskSet(const ImaSet& set);
  void Judge(size_t i);
  bool IsListed(LookedUp& looked, const SetQuery& query);
  bool IsListedByReference(LookedUp& looked) const;
  void CountListed(const SetFound& found, const ImaSet& set);
  SignatureAnswer Check(const ima::Entry& entry);
  bool PassesBySignature(const ima::Entry& entry);
  void CheckRequiredSignature(const ima::Entry& entry);
  void Report(const LookedUp& looked, SetAnswer answer);
  void ReportUnlisted(const ima::Entry& entry);

  const JudgeEntriesInput input_;
  const ImaRules& rules_;
  std::array<bool, kDigestAlgs> allowed_{};  // by number of the algorithm
  bool sets_decide_ = false;                 // a listing in a set is all that an entry needs
  std::array<Asked, kBatch> batch_;
  std::array<SetQuery, kBatch> queries_;
  std::array<SetFound, kBatch> found_;
  size_t waiting_ = 0;  // in the batch
  EntryFindings findings_;
  JudgedEntries out_;
};

// The first `entries` of a list at hand.
JudgedEntries JudgeEntries(const JudgeEntriesInput& input, const ima::List& list, size_t entries);

}  // namespace bootgate::gatekeeper::reference
