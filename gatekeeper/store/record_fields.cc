#include "gatekeeper/store/record_fields.h"

#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::store::record {
namespace {

constexpr uint8_t kNo = 0, kYes = 1;

}  // namespace

void PutText(bytes::Writer& out, absl::string_view text) { out.Sized32Be(AsBytes(text)); }

void PutFlag(bytes::Writer& out, bool flag) { out.U8(flag ? kYes : kNo); }

void PutTime(bytes::Writer& out, absl::Time time) {
  out.U64Be(static_cast<uint64_t>(absl::ToUnixNanos(time)));
}

absl::Status Corrupt(absl::string_view what) {
  return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt, what);
}

absl::StatusOr<Bytes> TakeBytes(bytes::Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint32_t size, in.U32Be());
  BG_ASSIGN_OR_RETURN(const ByteView bytes, in.Take(size));
  return ToBytes(bytes);
}

absl::StatusOr<std::string> TakeText(bytes::Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint32_t size, in.U32Be());
  BG_ASSIGN_OR_RETURN(const ByteView bytes, in.Take(size));
  return std::string(AsText(bytes));
}

absl::StatusOr<bool> TakeFlag(bytes::Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint8_t flag, in.U8());
  if (flag != kNo && flag != kYes) return Corrupt("a flag is neither yes nor no");
  return flag == kYes;
}

absl::StatusOr<absl::Time> TakeTime(bytes::Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint64_t nanos, in.U64Be());
  return absl::FromUnixNanos(static_cast<int64_t>(nanos));
}

absl::StatusOr<uint32_t> TakeCount(bytes::Reader& in, size_t smallest_item) {
  BG_ASSIGN_OR_RETURN(const uint32_t count, in.U32Be());
  if (count > in.remaining() / smallest_item) return Corrupt("more items than bytes");
  return count;
}

}  // namespace bootgate::gatekeeper::store::record
