#include "gatekeeper/store/audit_chain.h"

#include "absl/strings/str_cat.h"
#include "common/bytes/writer.h"
#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::store {
namespace {

constexpr size_t kChainSize = 32;  // bytes, SHA-256

}  // namespace

Bytes ChainStart() { return Bytes(kChainSize, 0); }

Bytes ChainValue(ByteView previous, const AuditRow& row) {
  bytes::Writer fields;
  fields.Sized32Be(previous)
      .U64Be(static_cast<uint64_t>(row.sequence))
      .U64Be(static_cast<uint64_t>(absl::ToUnixNanos(row.at)))
      .Sized32Be(AsBytes(row.actor))
      .Sized32Be(AsBytes(row.action))
      .Sized32Be(AsBytes(row.subject))
      .Sized32Be(AsBytes(row.detail_json));
  return ToBytes(crypto::Hash(crypto::HashAlg::kSha256, fields.view()).view());
}

absl::Status CheckFollows(const AuditHead& before, const AuditRow& row) {
  if (row.sequence != before.sequence + 1) {
    return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt,
                  absl::StrCat("audit row ", before.sequence + 1, " is missing: row ", row.sequence,
                               " follows row ", before.sequence));
  }
  if (!SameBytes(row.chain, ChainValue(before.chain, row))) {
    return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt,
                  absl::StrCat("audit row ", row.sequence, " was changed, or the row before it"));
  }
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::store
