// What is wrong with entries by themselves, whatever a reference lists: violations, listed hashes
// that are not those of the content, templates that cannot be read or say too little, files that
// are sent as records of the kernel.
#pragma once

#include <functional>

#include "absl/strings/string_view.h"
#include "common/ima/list.h"
#include "gatekeeper/appraisal/notes.h"

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
  const ima::Entries& entries;
  size_t count = 0;          // of them, vouched for by the quote
  uint64_t first_entry = 0;  // entries of this boot that came before them
  const Tolerance& tolerance;
  bool legacy_reported = false;
};

void CheckEntries(const EntryChecksInput& input, Notes& notes);

}  // namespace bootgate::gatekeeper::appraisal::ima_list
