// What is wrong with entries by themselves, whatever a reference lists: violations, listed hashes
// that are not those of the content, templates that cannot be read or say too little, files that
// are sent as records of the kernel.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "common/ima/entry.h"
#include "gatekeeper/appraisal/notes.h"
#include "gatekeeper/claims/bounded_findings.h"

namespace bootgate::gatekeeper::appraisal::ima_list {

// What the operator's rules put up with. Each is then a warning, or nothing.
struct Tolerance {
  // Paths that may have a violation. The path in a violation is nobody's word: whoever can cause
  // one can give it any path.
  std::function<bool(absl::string_view)> violation;
  bool legacy_template = false;
  bool kexec = false;
};

struct EntryChecksInput {
  uint64_t first_entry = 0;  // entries of this boot that came before the first one
  const Tolerance& tolerance;
  bool legacy_reported = false;
};

// Entry by entry, in a fixed amount of memory; `input.tolerance` and `notes` must outlive it. For
// the gatekeeper, which gives those that the quote vouches for, and for `ima verify` alike.
class EntryChecks {
 public:
  EntryChecks(const EntryChecksInput& input, Notes& notes) : input_(input), notes_(notes) {}

  void Check(const ima::Entry& entry);
  void Finish();  // once, at the end

  uint64_t violations() const { return violations_; }

 private:
  uint64_t NumberOf(const ima::Entry& entry) const { return input_.first_entry + entry.number; }
  Finding* Add(Reason code, Severity severity, const ima::Entry& entry, std::string text);
  void ReportViolation(const ima::Entry& entry);
  void ReportListedDigest(const ima::Entry& entry);
  void ReportLegacy(const ima::Entry& entry);
  void ReportUnknownTemplate(const ima::Entry& entry);
  void ReportNoRecord(const ima::Entry& entry);

  const EntryChecksInput input_;
  Notes& notes_;
  std::map<Severity, BoundedFindings> bounds_;
  bool legacy_reported_ = false;
  uint64_t violations_ = 0;
  uint64_t foreign_ = 0;  // entries of other registers
};

}  // namespace bootgate::gatekeeper::appraisal::ima_list
