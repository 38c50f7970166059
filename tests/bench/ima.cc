// An IMA list from its bytes to a verdict: parsed, template digests, replay to the quoted PCR 10,
// every entry looked up in the allow list.
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/ima/allow_list.h"
#include "common/ima/list.h"
#include "common/ima/replay.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {
namespace {

constexpr crypto::HashAlg kBank = crypto::HashAlg::kSha256;

absl::StatusOr<ima::AllowList> ReadAllowList(absl::string_view path) {
  BG_ASSIGN_OR_RETURN(const Bytes text, Load(path));
  return ima::AllowList::FromSha256Sums(AsText(text));
}

// boot_aggregate needs no line: it belongs to the host.
absl::Status Check(ByteView bytes, const ima::AllowList& allow, const crypto::Digest& quoted) {
  const ima::List list = ima::List::Parse(bytes);
  if (!list.defects().empty()) return absl::DataLossError(list.defects().front().text);
  const std::optional<ima::Match> match =
      ima::FindMatch(list, crypto::Digest(kBank), quoted, list.entries().size());
  if (!match.has_value()) return absl::DataLossError("PCR 10 is not met");
  std::vector<ima::Listing> listings(list.entries().size());
  allow.FindAll(list.entries(), listings);
  for (size_t i = 0; i < match->entries; ++i) {
    if (listings[i] != ima::Listing::kListed && list.entries()[i].path != "boot_aggregate") {
      return absl::DataLossError(absl::StrCat("entry ", i, " is not listed"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunIma(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const Bytes list, Load(arguments[0]));
  BG_ASSIGN_OR_RETURN(const ima::AllowList allow, ReadAllowList(arguments[1]));
  BG_ASSIGN_OR_RETURN(const Bytes pcr10, FromHex(arguments[2]));
  BG_ASSIGN_OR_RETURN(const crypto::Digest quoted, crypto::Digest::From(kBank, pcr10));
  return Repeat("ima", arguments[3], [&] { return Check(list, allow, quoted); });
}

}  // namespace bootgate::bench
