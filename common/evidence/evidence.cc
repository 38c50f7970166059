#include "common/evidence/evidence.h"

#include "common/bytes/writer.h"
#include "common/crypto/hash.h"

namespace bootgate::evidence {
namespace {

constexpr absl::string_view kLabel = "bootgate/v1/quote";

crypto::Digest Sha256(ByteView bytes) { return crypto::Hash(crypto::HashAlg::kSha256, bytes); }

Bytes Integer(uint64_t value) { return bytes::Writer().U64Be(value).Finish(); }

}  // namespace

Bytes QualifyingData(const QuoteBinding& binding) {
  bytes::Writer out;
  out.Sized32Be(AsBytes(kLabel));
  out.Sized32Be(binding.nonce);
  out.Sized32Be(AsBytes(binding.host_id));
  out.Sized32Be(binding.ak_name);
  out.Sized32Be(AsBytes(binding.cluster_id));
  out.Sized32Be(Sha256(binding.boot_log).view());
  out.Sized32Be(Sha256(binding.user_log).view());
  out.Sized32Be(Integer(binding.ima_first_entry));
  out.Sized32Be(Integer(binding.ima_count));
  out.Sized32Be(Sha256(binding.ima_before_quote).view());
  return ToBytes(Sha256(out.view()).view());
}

}  // namespace bootgate::evidence
