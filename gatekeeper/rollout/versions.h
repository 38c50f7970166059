// Names and numbers of policies. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::rollout {

inline constexpr size_t kMaxPolicyName = 64;

// Letters, digits, '-' and '_', a letter or digit first: never to be mistaken for a file's path.
bool IsPolicyName(absl::string_view text);
// A file's name without folder and ending, and '-' for what a name cannot have.
std::string NameOfFile(absl::string_view path);
// A path has a '/' or a '.'.
bool IsPath(absl::string_view argument);

// "baseline" (the newest version) or "baseline@3".
struct VersionRef {
  std::string name;
  std::optional<int64_t> version;
};
absl::StatusOr<VersionRef> ReadVersionRef(absl::string_view text);
std::string VersionText(const std::string& name, int64_t version);  // "baseline@3"

// `versions`: as Store::ListVersions gives them. kNotFound.
absl::StatusOr<store::VersionRow> FindVersion(const std::vector<store::VersionRow>& versions,
                                              const VersionRef& ref);

// What a push comes to: the newest version if that is the same text by the same signer, else the
// number to give. POLICY_ROLLBACK: the text is an older version of this very name; `forced` makes
// it a new one all the same.
struct NextVersion {
  std::optional<store::VersionRow> same;
  int64_t number = 1;
};
absl::StatusOr<NextVersion> VersionFor(const std::vector<store::VersionRow>& versions,
                                       const std::string& name, const std::string& document_id,
                                       const std::string& signer, bool forced);

}  // namespace bootgate::gatekeeper::rollout
