// Real captured data for tests: what the project carries, and the wider corpus where it is there.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::testing {

// A file or folder of the source tree: "docs/policies.md".
std::string SourcePath(absl::string_view relative);

// "boots/good/eventlog.bin" under tests/corpus. Ends the program when the file is missing.
std::string CorpusPath(absl::string_view relative);
Bytes CorpusFile(absl::string_view relative);
std::string CorpusText(absl::string_view relative);

// The folder of the wider corpus ($BOOTGATE_CORPUS, or ../shared/corpus beside the source tree);
// nullopt when it is not there: such tests skip and say so.
std::optional<std::string> WiderCorpus();

}  // namespace bootgate::testing
