#include "gatekeeper/rollout/versions.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"

namespace bootgate::gatekeeper::rollout {
namespace {

constexpr char kFallback[] = "policy";  // for a file whose name has nothing that a name may have

bool IsNameChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
}

absl::Status NoRef(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", Printable(text, 128), "' is not of the form NAME or NAME@VERSION"));
}

}  // namespace

bool IsPolicyName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxPolicyName && text.front() != '-' &&
         text.front() != '_' && std::ranges::all_of(text, IsNameChar);
}

std::string NameOfFile(absl::string_view path) {
  std::string name = std::filesystem::path(std::string(path)).stem().string();
  std::ranges::replace_if(
      name, [](char c) { return !IsNameChar(c); }, '-');
  const size_t first = name.find_first_not_of("-_");
  if (first == std::string::npos) return kFallback;
  return name.substr(first, kMaxPolicyName);
}

bool IsPath(absl::string_view argument) {
  return argument.find_first_of("/.") != absl::string_view::npos;
}

absl::StatusOr<VersionRef> ReadVersionRef(absl::string_view text) {
  const size_t at = text.find('@');
  VersionRef ref;
  ref.name = std::string(text.substr(0, at));
  if (!IsPolicyName(ref.name)) return NoRef(text);
  if (at == absl::string_view::npos) return ref;
  int64_t version = 0;
  if (!absl::SimpleAtoi(text.substr(at + 1), &version) || version < 1) return NoRef(text);
  ref.version = version;
  return ref;
}

std::string VersionText(const std::string& name, int64_t version) {
  return name.empty() ? "-" : absl::StrCat(name, "@", version);
}

absl::StatusOr<store::VersionRow> FindVersion(const std::vector<store::VersionRow>& versions,
                                              const VersionRef& ref) {
  for (const store::VersionRow& row : versions) {
    if (row.name == ref.name && (!ref.version.has_value() || row.version == *ref.version))
      return row;
  }
  return absl::NotFoundError(
      ref.version.has_value()
          ? absl::StrCat("there is no policy ", VersionText(ref.name, *ref.version))
          : absl::StrCat("there is no policy of the name ", ref.name));
}

absl::StatusOr<NextVersion> VersionFor(const std::vector<store::VersionRow>& versions,
                                       const std::string& name, const std::string& document_id,
                                       const std::string& signer, bool forced) {
  NextVersion next;
  for (const store::VersionRow& row : versions) {
    if (row.name != name) continue;
    const bool newest = next.number == 1;
    if (newest) next.number = row.version + 1;
    if (row.document_id != document_id) continue;
    if (newest) {
      if (row.signer == signer) next.same = row;
      return next;
    }
    if (forced) return next;
    return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kPolicyRollback,
                  absl::StrCat("this text is ", VersionText(name, row.version), ", and ",
                               VersionText(name, next.number - 1), " is newer"));
  }
  return next;
}

}  // namespace bootgate::gatekeeper::rollout
