#include "gatekeeper/admission/set_shelf.h"

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::admission {
namespace {

constexpr mode_t kFolderMode = 0700, kFileMode = 0600;
// Sets that nobody names any more are let go when there are this many.
constexpr size_t kKeptSets = 128;

}  // namespace

std::string SetFile(const std::string& folder, const std::string& id) {
  return absl::StrCat(folder, "/", id, ".imaset");
}

std::vector<SetPtr> SetShelf::Find(const std::vector<std::string>& ids) {
  const std::lock_guard lock(mutex_);
  if (open_.size() > kKeptSets) open_.clear();
  std::vector<SetPtr> out;
  for (const std::string& id : ids) {
    if (const auto found = open_.find(id); found != open_.end()) {
      out.push_back(found->second);
      continue;
    }
    absl::StatusOr<SetPtr> set = reference::ImaSet::Open(SetFile(folder_, id));
    if (!set.ok() || (*set)->id() != id) {
      const std::string why =
          set.ok() ? "its content has another id" : std::string(set.status().message());
      Log(LogLevel::kWarning, "reference set cannot be used", {{"set", id}, {"why", why}});
      continue;
    }
    open_[id] = *set;
    out.push_back(*std::move(set));
  }
  return out;
}

absl::StatusOr<std::string> StoreSet(const std::string& folder, const reference::ImaSet& set) {
  BG_RETURN_IF_ERROR(MakeFolder(folder, kFolderMode));
  std::string file = SetFile(folder, set.id());
  BG_RETURN_IF_ERROR(WriteFileAtomically(file, set.file(), kFileMode));
  return file;
}

}  // namespace bootgate::gatekeeper::admission
