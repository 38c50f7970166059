#include "common/eventlog/log.h"

#include <algorithm>

#include "common/bytes/reader.h"

namespace bootgate::eventlog {

bool Log::HasBank(crypto::HashAlg alg) const {
  return std::ranges::find(banks_, alg) != banks_.end();
}

// The first record of a crypto-agile log has the old form too: one SHA-1 digest, no algorithm.
std::optional<ByteView> Log::DigestOf(const Event& event, crypto::HashAlg alg) const {
  if (format_ != Format::kCryptoAgile || event.number == 0) {
    if (alg != crypto::HashAlg::kSha1) return std::nullopt;
    return event.digest_bytes;
  }
  bytes::Reader in(event.digest_bytes);
  uint16_t tpm_alg = 0;
  ByteView digest;
  while (in.TryU16Le(&tpm_alg)) {
    if (!in.TryTake(SizeOf(tpm_alg), &digest)) return std::nullopt;
    if (tpm_alg == static_cast<uint16_t>(alg)) return digest;
  }
  return std::nullopt;
}

size_t Log::SizeOf(uint16_t tpm_alg) const {
  for (const DigestSize& row : sizes_) {
    if (row.tpm_alg == tpm_alg) return row.size;
  }
  const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromTpm(tpm_alg);
  return alg.has_value() ? crypto::DigestSize(*alg) : 0;
}

std::vector<ByteView> SplitLogs(ByteView bytes) {
  std::vector<ByteView> logs;
  while (!bytes.empty()) {
    const size_t size = logs.size() + 1 < kMaxLogs
                            ? Log::Parse(bytes).next_log().value_or(bytes.size())
                            : bytes.size();
    logs.push_back(bytes.first(size));
    bytes = bytes.subspan(size);
  }
  return logs;
}

}  // namespace bootgate::eventlog
