#include "gatekeeper/reference/sources/rpm.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/reference/imaset/file_bytes.h"
#include "gatekeeper/reference/sources/archive_reader.h"
#include "gatekeeper/reference/sources/packed_files.h"
#include "gatekeeper/reference/sources/rpm_header.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr size_t kMaxRpmBytes = size_t{8} << 30;

absl::Status InFile(const std::string& file, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(Printable(file), ": ", status.message()));
}

}  // namespace

absl::Status AddRpm(const std::string& file, WhichFiles which, SetDraft* draft) {
  BG_ASSIGN_OR_RETURN(const FileBytes bytes, FileBytes::Map(file, kMaxRpmBytes));
  const absl::StatusOr<RpmHead> head =
      ReadRpmHead(bytes.view().first(std::min(bytes.view().size(), kMaxRpmHead)));
  if (!head.ok()) return InFile(file, head.status());
  if (head->source) {
    return InFile(file,
                  absl::FailedPreconditionError("a source package: nothing of it is installed"));
  }
  ByteView rest = bytes.view().subspan(head->bytes);
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<ArchiveReader> archive,
                      ArchiveReader::Open(
                          [&rest]() -> absl::StatusOr<ByteView> {
                            const ByteView all = rest;
                            rest = {};
                            return all;
                          },
                          file));
  return AddPackedFiles(*archive, which, head->package, draft);
}

}  // namespace bootgate::gatekeeper::reference
