#include "common/testing/corpus.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"

namespace bootgate::testing {

std::string SourcePath(absl::string_view relative) {
  return absl::StrCat(BOOTGATE_SOURCE_DIR "/", relative);
}

std::string CorpusPath(absl::string_view relative) {
  return SourcePath(absl::StrCat("tests/corpus/", relative));
}

Bytes CorpusFile(absl::string_view relative) {
  absl::StatusOr<Bytes> bytes = ReadFile(CorpusPath(relative), size_t{64} << 20);
  if (!bytes.ok()) {
    std::fprintf(stderr, "%s\n", bytes.status().ToString().c_str());
    std::abort();
  }
  return *std::move(bytes);
}

std::string CorpusText(absl::string_view relative) {
  const Bytes bytes = CorpusFile(relative);
  return std::string(bytes.begin(), bytes.end());
}

std::optional<std::string> WiderCorpus() {
  const char* const named = std::getenv("BOOTGATE_CORPUS");
  const std::string folder = named != nullptr ? named : SourcePath("../shared/corpus");
  if (!std::filesystem::is_directory(folder)) return std::nullopt;
  return folder;
}

}  // namespace bootgate::testing
