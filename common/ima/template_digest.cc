#include "common/ima/template_digest.h"

#include <algorithm>

namespace bootgate::ima {
namespace {

using crypto::Digest;
using crypto::HashAlg;

constexpr size_t kHashedLegacyName = 256;  // bytes: IMA_EVENT_NAME_LEN_MAX and a NUL
constexpr size_t kLegacyDigest = 20;       // bytes
constexpr size_t kLegacyHeader = kLegacyDigest + 4;

// The oldest template is hashed with the name filled up with NULs, whatever its length.
Digest LegacyTemplateDigest(ByteView data, HashAlg alg) {
  static constexpr uint8_t kNuls[kHashedLegacyName] = {};
  if (data.size() < kLegacyHeader) return crypto::Hash(alg, data);
  const ByteView name = data.subspan(kLegacyHeader);
  const size_t padding = kHashedLegacyName - std::min(name.size(), kHashedLegacyName);
  return crypto::Hash(alg, {data.first(kLegacyDigest), name, ByteView(kNuls, padding)});
}

}  // namespace

Digest TemplateDigest(const Record& record, HashAlg alg) {
  if (record.IsLegacy()) return LegacyTemplateDigest(record.template_data, alg);
  return crypto::Hash(alg, record.template_data);
}

Digest Padded(const Digest& sha1, HashAlg alg) {
  Digest padded(alg);
  std::ranges::copy(sha1.view(), padded.mutable_view().begin());
  return padded;
}

Digest ExtendDigest(const Record& record, HashAlg alg, ExtendRule rule) {
  switch (rule) {
    case ExtendRule::kBankHash:
      return record.violation ? Digest::Ones(alg) : TemplateDigest(record, alg);
    case ExtendRule::kPaddedSha1:
      if (record.violation) return Digest::Ones(alg);
      return Padded(TemplateDigest(record, HashAlg::kSha1), alg);
    case ExtendRule::kPaddedAll:
      if (record.violation) return Padded(Digest::Ones(HashAlg::kSha1), alg);
      return Padded(TemplateDigest(record, HashAlg::kSha1), alg);
  }
  __builtin_unreachable();
}

bool ListedDigestHolds(const Record& record) {
  if (record.violation) return true;
  return std::ranges::any_of(crypto::kAllHashAlgs, [&](HashAlg alg) {
    return crypto::DigestSize(alg) == record.listed_digest.size() &&
           SameBytes(TemplateDigest(record, alg).view(), record.listed_digest);
  });
}

}  // namespace bootgate::ima
