#include "common/ima/replay.h"

#include <algorithm>

namespace bootgate::ima {
namespace {

constexpr size_t kHashedLegacyName = 256;  // bytes: IMA_EVENT_NAME_LEN_MAX and a NUL
constexpr size_t kLegacyDigest = 20;       // bytes
constexpr size_t kLegacyHeader = kLegacyDigest + 4;
constexpr uint32_t kAggregatedByAll = 8;     // PCR 0-7
constexpr uint32_t kAggregatedBeyond1 = 10;  // PCR 0-9, by SHA-256 and longer

// The oldest template is hashed with the name filled up with NULs, whatever its length.
crypto::Digest LegacyTemplateDigest(ByteView data, crypto::HashAlg alg) {
  static constexpr uint8_t kNuls[kHashedLegacyName] = {};
  if (data.size() < kLegacyHeader) return crypto::Hash(alg, data);
  const ByteView name = data.subspan(kLegacyHeader);
  const size_t padding = kHashedLegacyName - std::min(name.size(), kHashedLegacyName);
  return crypto::Hash(alg, {data.first(kLegacyDigest), name, ByteView(kNuls, padding)});
}

crypto::Digest TemplateDigest(const Entry& entry, crypto::HashAlg alg) {
  if (entry.template_kind == Template::kIma) return LegacyTemplateDigest(entry.template_data, alg);
  return crypto::Hash(alg, entry.template_data);
}

crypto::Digest PaddedSha1(const Entry& entry, crypto::HashAlg alg) {
  const crypto::Digest sha1 = TemplateDigest(entry, crypto::HashAlg::kSha1);
  crypto::Digest padded(alg);
  std::ranges::copy(sha1.view(), padded.mutable_view().begin());
  return padded;
}

std::optional<Match> FindByRule(const List& list, crypto::Digest value,
                                const crypto::Digest& quoted, size_t at_least,
                                uint32_t register_index, ExtendRule rule) {
  if (at_least == 0 && value == quoted) return Match{.entries = 0, .rule = rule};
  size_t position = 0;
  for (const Entry& entry : list.entries()) {
    ++position;
    if (entry.register_index == register_index) {
      value = registers::Extended(value, ExtendDigest(entry, value.alg(), rule));
    }
    if (position >= at_least && value == quoted) return Match{.entries = position, .rule = rule};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Match> FindMatch(const List& list, const crypto::Digest& start,
                               const crypto::Digest& quoted, size_t at_least,
                               uint32_t register_index) {
  if (start.alg() != quoted.alg()) return std::nullopt;
  const std::optional<Match> match =
      FindByRule(list, start, quoted, at_least, register_index, ExtendRule::kBankHash);
  if (match.has_value() || start.alg() == crypto::HashAlg::kSha1) return match;
  return FindByRule(list, start, quoted, at_least, register_index, ExtendRule::kPaddedSha1);
}

crypto::Digest ExtendDigest(const Entry& entry, crypto::HashAlg alg, ExtendRule rule) {
  if (entry.violation) return crypto::Digest::Ones(alg);
  switch (rule) {
    case ExtendRule::kBankHash:
      return TemplateDigest(entry, alg);
    case ExtendRule::kPaddedSha1:
      return PaddedSha1(entry, alg);
  }
  __builtin_unreachable();
}

bool ListedDigestHolds(const Entry& entry) {
  if (entry.violation) return true;
  return SameBytes(TemplateDigest(entry, crypto::HashAlg::kSha1).view(), entry.listed_digest);
}

std::optional<crypto::Digest> BootAggregate(const registers::RegisterBank& bank) {
  const bool sha1 = bank.alg() == crypto::HashAlg::kSha1;
  const uint32_t count = sha1 ? kAggregatedByAll : kAggregatedBeyond1;
  Bytes values;
  for (uint32_t index = 0; index < count; ++index) {
    const std::optional<crypto::Digest> value = bank.Get(index);
    if (!value.has_value()) return std::nullopt;
    values.insert(values.end(), value->view().begin(), value->view().end());
  }
  return crypto::Hash(bank.alg(), values);
}

}  // namespace bootgate::ima
