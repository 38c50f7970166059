#include "common/ima/mixed_list.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/bytes/writer.h"
#include "common/ima/known_digests.h"

namespace bootgate::ima {
namespace {

enum Kind : uint8_t { kNamed = 0, kInFull = 1 };

void Append(ByteView bytes, Bytes* out) { out->insert(out->end(), bytes.begin(), bytes.end()); }

}  // namespace

void AppendNamed(ByteView name, Bytes* mixed) {
  mixed->push_back(kNamed);
  Append(name, mixed);
}

void AppendRecord(ByteView record, Bytes* mixed) {
  bytes::Writer head;
  head.U8(kInFull).U32Le(static_cast<uint32_t>(record.size()));
  Append(head.view(), mixed);
  Append(record, mixed);
}

absl::StatusOr<MixedItem> TakeMixedItem(bytes::Reader& in) {
  const size_t offset = in.offset();
  const auto refuse = [offset](absl::string_view what) {
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat("mixed IMA list, offset ", offset, ": ", what));
  };
  uint8_t kind = 0;
  uint32_t size = KnownDigests::kNameBytes;
  if (!in.TryU8(&kind)) return refuse("an item is missing");
  if (kind != kNamed && kind != kInFull) return refuse("an item of unknown kind");
  if (kind == kInFull && !in.TryU32Le(&size)) return refuse("it ends inside a length");
  if (size == 0) return refuse("an empty record");
  MixedItem item{.named = kind == kNamed, .bytes = {}};
  if (!in.TryTake(size, &item.bytes)) return refuse("it ends inside an item");
  return item;
}

}  // namespace bootgate::ima
