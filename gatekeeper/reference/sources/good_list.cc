#include "gatekeeper/reference/sources/good_list.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/ima/list.h"
#include "gatekeeper/reference/imaset/ima_set.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr uint32_t kImaRegister = 10;

DigestKind KindOf(const ima::Entry& entry) {
  if (entry.HoldsBuffer()) return DigestKind::kBuffer;
  return entry.digest_type == "verity" ? DigestKind::kFsVerity : DigestKind::kFile;
}

// False where the entry has no digest that a set can hold.
bool Take(const ima::Entry& entry, SetDraft* draft) {
  const std::optional<DigestAlg> alg = DigestAlgFromName(entry.digest_name);
  if (!alg.has_value() || entry.file_digest.size() != SizeOf(*alg)) return false;
  if (entry.path.empty() || entry.path.size() > kMaxSetPath) return false;
  SetItem item;
  item.path = std::string(entry.path);
  item.kind = KindOf(entry);
  item.alg = *alg;
  item.digest = ToBytes(entry.file_digest);
  draft->items.push_back(std::move(item));
  return true;
}

}  // namespace

absl::Status AddGoodList(ByteView list, SetDraft* draft, GoodListCounts* counts) {
  const ima::List parsed = ima::List::Parse(list);
  if (!parsed.defects().empty()) {
    const ima::Defect& defect = parsed.defects().front();
    return absl::InvalidArgumentError(
        absl::StrCat("the IMA list at ", defect.offset, ": ", defect.text));
  }
  for (const ima::Entry& entry : parsed.entries()) {
    if (entry.register_index != kImaRegister || entry.path == "boot_aggregate") continue;
    if (entry.violation) {
      ++counts->violations;
    } else if (Take(entry, draft)) {
      ++counts->taken;
    } else {
      ++counts->without_digest;
    }
  }
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::reference
