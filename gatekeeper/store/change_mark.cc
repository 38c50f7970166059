#include "gatekeeper/store/change_mark.h"

#include "absl/strings/str_cat.h"
#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::store {

std::string ChangeMark(const ChangeRow& change) {
  constexpr size_t kDigits = 8;
  const std::string row =
      absl::StrCat(absl::ToUnixNanos(change.at), "\n", change.kind, "\n", change.host_id, "\n",
                   change.after, "\n", change.incident_id, "\n", change.verdict_id);
  return crypto::Hash(crypto::HashAlg::kSha256, AsBytes(row)).hex().substr(0, kDigits);
}

}  // namespace bootgate::gatekeeper::store
