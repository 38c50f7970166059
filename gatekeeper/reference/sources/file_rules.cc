#include "gatekeeper/reference/sources/file_rules.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr absl::string_view kMergedFolders[] = {"/bin/",   "/sbin/",  "/lib/",
                                                "/lib32/", "/lib64/", "/libx32/"};

void Add(std::string path, const Bytes& sha256, const Package& package, SetDraft* draft) {
  SetItem item;
  item.path = std::move(path);
  item.digest = sha256;
  item.package = package;
  draft->items.push_back(std::move(item));
}

}  // namespace

std::optional<std::string> AbsolutePath(absl::string_view member) {
  std::string out;
  for (const absl::string_view part : absl::StrSplit(member, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::nullopt;
    absl::StrAppend(&out, "/", part);
  }
  if (out.empty()) return std::nullopt;
  return out;
}

std::string MergedUsrPath(absl::string_view path) {
  for (const absl::string_view folder : kMergedFolders) {
    if (absl::StartsWith(path, folder)) return absl::StrCat("/usr", path);
  }
  return "";
}

void AddPackaged(const std::string& path, const Bytes& sha256, const Package& package,
                 SetDraft* draft) {
  Add(path, sha256, package, draft);
  if (std::string merged = MergedUsrPath(path); !merged.empty()) {
    Add(std::move(merged), sha256, package, draft);
  }
}

}  // namespace bootgate::gatekeeper::reference
