#include "common/evidence/evidence.h"

#include "common/bytes/writer.h"
#include "common/crypto/hash.h"

namespace bootgate::evidence {
namespace {

constexpr absl::string_view kLabel = "bootgate/v1/quote";
constexpr absl::string_view kLabelWithStatement = "bootgate/v1/quote+statement";
constexpr absl::string_view kLabelWithBoot = "bootgate/v1/quote+boot";

crypto::Digest Sha256(ByteView bytes) { return crypto::Hash(crypto::HashAlg::kSha256, bytes); }

Bytes Integer(uint64_t value) { return bytes::Writer().U64Be(value).Finish(); }

// A digest; no bytes for a part that is not there.
void AppendPart(ByteView part, bytes::Writer& out) {
  if (part.empty()) {
    out.Sized32Be({});
  } else {
    out.Sized32Be(Sha256(part).view());
  }
}

absl::string_view LabelFor(const Statement& statement) {
  if (!statement.kernel_boot_id.empty()) return kLabelWithBoot;
  return statement.empty() ? kLabel : kLabelWithStatement;
}

void AppendStatement(const Statement& statement, bytes::Writer& out) {
  if (statement.empty()) return;
  if (!statement.kernel_boot_id.empty()) out.Sized32Be(AsBytes(statement.kernel_boot_id));
  AppendPart(AsBytes(statement.request_key), out);
  AppendPart(statement.rp_data, out);
  AppendPart(CustomClaimsBytes(statement), out);
}

}  // namespace

Bytes QualifyingData(const QuoteBinding& binding) {
  static const Statement kSaysNothing;
  const Statement& statement = binding.statement == nullptr ? kSaysNothing : *binding.statement;
  bytes::Writer out;
  out.Sized32Be(AsBytes(LabelFor(statement)));
  out.Sized32Be(binding.nonce);
  out.Sized32Be(AsBytes(binding.host_id));
  out.Sized32Be(binding.ak_name);
  out.Sized32Be(AsBytes(binding.cluster_id));
  out.Sized32Be(Sha256(binding.boot_log).view());
  out.Sized32Be(Sha256(binding.user_log).view());
  out.Sized32Be(Integer(binding.ima_first_entry));
  out.Sized32Be(Integer(binding.ima_count));
  out.Sized32Be(Sha256(binding.ima_before_quote).view());
  AppendStatement(statement, out);
  return ToBytes(Sha256(out.view()).view());
}

Bytes CustomClaimsBytes(const Statement& statement) {
  bytes::Writer out;
  for (const CustomClaim& claim : statement.custom_claims) {
    out.Sized32Be(AsBytes(claim.name));
    out.Sized32Be(AsBytes(claim.value));
    out.Sized32Be(AsBytes(claim.value_type));
  }
  return out.Finish();
}

}  // namespace bootgate::evidence
