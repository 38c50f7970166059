#include "gatekeeper/reference/sources/packed_files.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/reference/imaset/ima_set.h"

namespace bootgate::gatekeeper::reference {
namespace {

// One content under all its names. In cpio it follows the last of them, in tar the first.
struct PackedFile {
  std::vector<std::string> paths;
  Bytes sha256;  // empty: not seen yet
  bool executable = false;
};

class PackedFiles {
 public:
  absl::Status Read(ArchiveReader& archive) {
    ArchiveMember member;
    while (true) {
      BG_ASSIGN_OR_RETURN(const bool more, archive.Next(&member));
      if (!more) return absl::OkStatus();
      if (member.regular) BG_RETURN_IF_ERROR(Take(archive, member));
    }
  }

  void AddTo(SetDraft* draft, WhichFiles which, const Package& package) const {
    const crypto::Digest empty = crypto::Hash(crypto::HashAlg::kSha256, ByteView());
    for (const auto& [name, file] : files_) {
      if (which == WhichFiles::kExecutables && !file.executable) continue;
      const Bytes sha256 = file.sha256.empty() ? ToBytes(empty.view()) : file.sha256;
      for (const std::string& path : file.paths) AddPackaged(path, sha256, package, draft);
    }
  }

 private:
  absl::Status Take(ArchiveReader& archive, const ArchiveMember& member) {
    const std::optional<std::string> path = AbsolutePath(member.path);
    if (!path.has_value() || path->size() > kMaxSetPath) {
      return absl::InvalidArgumentError(
          absl::StrCat("the package has a file at '", Printable(member.path), "'"));
    }
    if (++count_ > kMaxSetItems)
      return absl::ResourceExhaustedError("the package has too many files");
    PackedFile& file = files_[member.hardlink.empty() ? member.path : member.hardlink];
    file.paths.push_back(*path);
    file.executable = file.executable || member.executable;
    if (member.size > 0) {
      BG_ASSIGN_OR_RETURN(file.sha256, archive.Hash());
    }
    return absl::OkStatus();
  }

  std::map<std::string, PackedFile> files_;  // by the first name of each
  size_t count_ = 0;
};

}  // namespace

absl::Status AddPackedFiles(ArchiveReader& archive, WhichFiles which, const Package& package,
                            SetDraft* draft) {
  PackedFiles files;
  BG_RETURN_IF_ERROR(files.Read(archive));
  files.AddTo(draft, which, package);
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::reference
