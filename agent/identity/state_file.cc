#include "agent/identity/state_file.h"

#include "absl/strings/str_cat.h"
#include "agent/identity/own_file.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::identity {

absl::Status Corrupt(absl::string_view what) {
  return Refuse(absl::StatusCode::kDataLoss, Reason::kStateCorrupt, what);
}

absl::StatusOr<std::string> ReadStateFile(const std::string& path) {
  return ReadOwnFile(path, kMaxStateFile, Others::kNothing);
}

absl::Status WriteStateFile(const std::string& folder, const std::string& name,
                            const std::string& text) {
  absl::Status written = MakeFolder(folder, 0700);
  if (written.ok()) {
    written = WriteFileAtomically(absl::StrCat(folder, "/", name), AsBytes(text), 0600);
  }
  return WithReason(written, Reason::kStateUnwritable);
}

}  // namespace bootgate::agent::identity
