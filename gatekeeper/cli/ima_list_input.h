// IMA lists as the `ima` verbs read them: from a file or standard input (`-`), piece by piece.
//
// No more than a piece and one unfinished entry is kept, whatever the length of the list. Bounded
// by ima::Limits; total: any bytes give a reading, and what is wrong with them are its defects.
#pragma once

#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/base/exit_code.h"
#include "common/ima/list_stream.h"

namespace bootgate::gatekeeper::cli {

// How a list was read.
struct ImaReading {
  std::string name;  // of the file, escaped
  size_t bytes = 0;
  size_t entries = 0;
  size_t recognised = 0;   // of them, with a template that we know
  bool text_form = false;  // the kernel's ascii list: nothing of it was read
  std::vector<ima::Defect> defects;

  // Not read to its end: what follows is in no entry.
  bool BreaksOff() const;
};

// Hands every entry to `each`, in order. What an entry's views show stays until `after_piece` was
// called next: after some hundreds of entries.
// Errors: kNotFound, kPermissionDenied, kInvalidArgument (a folder), kUnavailable.
absl::StatusOr<ImaReading> ReadImaList(
    const std::string& file, std::istream& in, ima::ListStream::Each each,
    absl::FunctionRef<void()> after_piece = [] {});

// Whether nothing in the file could be read as an IMA list; then `err` says so, and what to give.
bool SayIfNoImaList(const ImaReading& reading, std::ostream& err);

// The defects as warnings.
void SayDefects(const ImaReading& reading, std::ostream& err);

// Says `status` with the way out, and gives the exit code.
ExitCode FailImaInput(std::ostream& err, const absl::Status& status);

}  // namespace bootgate::gatekeeper::cli
