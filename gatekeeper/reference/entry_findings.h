// What is said of IMA entries that a reference does not let pass: a sentence each, and bounded.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/ima/entry.h"
#include "gatekeeper/claims/bounded_findings.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/reference/file_signature.h"
#include "gatekeeper/reference/imaset/ima_set.h"

namespace bootgate::gatekeeper::reference {

// An entry and what was found when it was looked up. Borrows the list, the sets, the reference.
struct LookedUp {
  ima::Entry entry;
  SetFound found;
  const ImaSet* set = nullptr;                      // whose answer `found` is
  const std::set<std::string>* expected = nullptr;  // of the reference's own files
};

class EntryFindings {
 public:
  explicit EntryFindings(uint64_t first_entry) : first_entry_(first_entry) {}

  void AddUnlisted(const ima::Entry& entry, Severity severity);
  void AddOtherDigest(const LookedUp& looked);
  void AddNotYetValid(const LookedUp& looked);
  void AddOutdated(const LookedUp& looked, Severity severity);
  void AddAlgorithm(const ima::Entry& entry);
  void AddUnknownRecord(const ima::Entry& entry);
  void AddKeyring(const ima::Entry& entry, std::string certificate);
  void AddSignature(const ima::Entry& entry, SignatureAnswer answer);
  void AddTooManySignatures(size_t most);  // said once

  // In the order of the entries; then how many of each kind there are beyond the first ones.
  std::vector<Finding> Finish();

 private:
  // nullptr: there were enough of this kind.
  Finding* Add(Reason code, Severity severity, const ima::Entry& entry);
  void AddDigest(const LookedUp& looked, absl::string_view what);

  const uint64_t first_entry_;
  std::vector<Finding> findings_;
  std::map<Severity, BoundedFindings> bounds_;
  bool limit_said_ = false;
};

}  // namespace bootgate::gatekeeper::reference
