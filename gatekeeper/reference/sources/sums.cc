#include "gatekeeper/reference/sources/sums.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/base/sums_path.h"
#include "gatekeeper/reference/imaset/ima_set.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr absl::string_view kKeyring = "%keyring:";

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

std::optional<DigestAlg> AlgOfLength(size_t size) {
  switch (size) {
    case 20:
      return DigestAlg::kSha1;
    case 32:
      return DigestAlg::kSha256;
    case 48:
      return DigestAlg::kSha384;
    case 64:
      return DigestAlg::kSha512;
    default:
      return std::nullopt;
  }
}

absl::Status ReadDigest(absl::string_view text, SetItem* item) {
  const size_t colon = text.find(':');
  const bool named = colon != absl::string_view::npos;
  const absl::StatusOr<Bytes> digest = FromHex(named ? text.substr(colon + 1) : text);
  if (!digest.ok()) return Bad("not a digest, two spaces and a path");
  const std::optional<DigestAlg> alg =
      named ? DigestAlgFromName(text.substr(0, colon)) : AlgOfLength(digest->size());
  if (!alg.has_value() || SizeOf(*alg) != digest->size()) {
    return Bad(absl::StrCat("a digest of ", digest->size(), " bytes is of no such algorithm"));
  }
  item->alg = *alg;
  item->digest = *digest;
  return absl::OkStatus();
}

absl::StatusOr<SetItem> ReadLine(absl::string_view line) {
  const bool escaped = absl::ConsumePrefix(&line, "\\");
  const size_t space = line.find(' ');
  if (space == absl::string_view::npos) return Bad("not a digest, two spaces and a path");
  SetItem item;
  BG_RETURN_IF_ERROR(ReadDigest(line.substr(0, space), &item));
  absl::string_view path = line.substr(space + 1);
  // The second character says how the file was read; Keylime's lists may lack it.
  if (!absl::ConsumePrefix(&path, " ") && !absl::ConsumePrefix(&path, "*") &&
      !absl::StartsWith(path, "/") && !absl::StartsWith(path, kKeyring)) {
    return Bad("not a digest, two spaces and a path");
  }
  item.path = std::string(path);
  if (escaped) {
    BG_ASSIGN_OR_RETURN(item.path, UnescapeSumsPath(path));
  }
  if (absl::StartsWith(item.path, kKeyring)) {
    item.kind = DigestKind::kKeyring;
    item.path.erase(0, kKeyring.size());
  }
  if (item.path.empty() || item.path.size() > kMaxSetPath) {
    return Bad(absl::StrCat("path of ", item.path.size(), " bytes"));
  }
  return item;
}

}  // namespace

absl::Status AddSums(absl::string_view text, SetDraft* draft) {
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    absl::ConsumeSuffix(&line, "\r");
    if (line.empty() || line.front() == '#') continue;
    absl::StatusOr<SetItem> item = ReadLine(line);
    if (!item.ok()) return Bad(absl::StrCat("line ", number, ": ", item.status().message()));
    if (item->path == "boot_aggregate") continue;
    if (draft->items.size() >= kMaxSetItems) {
      return absl::ResourceExhaustedError(absl::StrCat("line ", number, ": the list is too long"));
    }
    draft->items.push_back(*std::move(item));
  }
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::reference
