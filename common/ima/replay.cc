#include "common/ima/replay.h"

#include <algorithm>
#include <array>

namespace bootgate::ima {
namespace {

using crypto::Digest;
using crypto::HashAlg;

constexpr uint32_t kAggregatedByAll = 8;     // PCR 0-7
constexpr uint32_t kAggregatedBeyond1 = 10;  // PCR 0-9, by SHA-256 and longer
constexpr size_t kBatch = 16;                // records read, and looked up, at once

// What a known entry extends a bank with; violations are never known.
std::optional<Digest> KnownDigest(const KnownDigests& known, KnownDigests::Place place, HashAlg alg,
                                  ExtendRule rule) {
  if (rule == ExtendRule::kBankHash) return known.TemplateDigest(place, alg);
  const std::optional<Digest> sha1 = known.TemplateDigest(place, HashAlg::kSha1);
  if (!sha1.has_value()) return std::nullopt;
  return Padded(*sha1, alg);
}

// Reads the digests of known entries ahead of their extending, so that they wait for memory
// together.
class KnownWalk {
 public:
  KnownWalk(std::span<const KnownDigests::Place> places, const MatchQuery& query, ExtendRule rule)
      : places_(places),
        known_(*query.known),
        register_index_(query.register_index),
        alg_(query.start.alg()),
        kept_(rule == ExtendRule::kBankHash ? alg_ : HashAlg::kSha1),
        rule_(rule) {}

  // Places [first, first + result); the result is 0 at the end and at a place that is kNone.
  size_t Read(size_t first) {
    const size_t most = std::min(kBatch, places_.size() - first);
    const size_t ahead = std::min(kBatch, places_.size() - first - most);
    for (const KnownDigests::Place place : places_.subspan(first + most, ahead)) {
      if (place != KnownDigests::kNone) known_.Prefetch(place);
    }
    size_t count = 0;
    for (; count < most && places_[first + count] != KnownDigests::kNone; ++count) {
      const KnownDigests::Place place = places_[first + count];
      extends_[count] = known_.RegisterIndex(place) == register_index_;
      if (extends_[count]) ReadDigest(place, digests_[count]);
    }
    return count;
  }

  void Extend(size_t i, Digest& value) const {
    if (extends_[i]) value = registers::Extended(value, digests_[i]);
  }

 private:
  // Computed when its bank is not among the kept ones.
  void ReadDigest(KnownDigests::Place place, Digest& digest) const {
    const ByteView kept = known_.TemplateDigestView(place, kept_);
    if (kept.empty()) {
      const List alone = List::Parse(known_.RecordBytes(place));
      digest = ExtendDigest(alone.entries().RecordAt(0), alg_, rule_);
      return;
    }
    if (digest.alg() != alg_) digest = Digest(alg_);
    std::ranges::copy(kept, digest.mutable_view().begin());  // past a shorter one: zeros, as made
  }

  const std::span<const KnownDigests::Place> places_;
  const KnownDigests& known_;
  const uint32_t register_index_;
  const HashAlg alg_;
  const HashAlg kept_;
  const ExtendRule rule_;
  std::array<Digest, kBatch> digests_;
  std::array<bool, kBatch> extends_{};
};

// Reads records ahead of their extending, so that look-ups wait for memory together.
class ReplayWalk {
 public:
  ReplayWalk(const Entries& entries, uint32_t register_index, const KnownDigests* known)
      : entries_(entries), register_index_(register_index), known_(known) {}

  // Records [first, first + result), the result is 0 at the end alone.
  size_t Read(size_t first) {
    const size_t count = std::min(kBatch, entries_.size() - first);
    for (size_t i = 0; i < count; ++i) records_[i] = entries_.RecordAt(first + i);
    if (known_ != nullptr) {
      std::array<ByteView, kBatch> bytes;
      for (size_t i = 0; i < count; ++i) bytes[i] = records_[i].bytes;
      known_->FindAll(std::span(bytes).first(count), std::span(places_).first(count));
    }
    return count;
  }

  void Extend(size_t i, ExtendRule rule, Digest& value) const {
    if (records_[i].register_index != register_index_) return;
    value = registers::Extended(value, DigestOf(i, value.alg(), rule));
  }

 private:
  Digest DigestOf(size_t i, HashAlg alg, ExtendRule rule) const {
    if (places_[i] != KnownDigests::kNone) {
      const std::optional<Digest> digest = KnownDigest(*known_, places_[i], alg, rule);
      if (digest.has_value()) return *digest;
    }
    return ExtendDigest(records_[i], alg, rule);
  }

  const Entries& entries_;
  const uint32_t register_index_;
  const KnownDigests* const known_;
  std::array<Record, kBatch> records_;
  std::array<KnownDigests::Place, kBatch> places_{};
};

std::optional<Match> FindByRule(const List& list, const MatchQuery& query, ExtendRule rule) {
  ReplayWalk walk(list.entries(), query.register_index, query.known);
  Digest value = query.start;
  size_t position = std::min(query.first, list.entries().size());
  const auto met = [&] { return position >= query.at_least && value == query.quoted; };
  const auto match = [&] { return Match{.entries = position, .rule = rule, .value = value}; };
  if (met()) return match();
  while (const size_t count = walk.Read(position)) {
    for (size_t i = 0; i < count; ++i) {
      walk.Extend(i, rule, value);
      ++position;
      if (met()) return match();
    }
  }
  return std::nullopt;
}

std::optional<Match> FindByRule(std::span<const KnownDigests::Place> places,
                                const MatchQuery& query, ExtendRule rule) {
  KnownWalk walk(places, query, rule);
  Digest value = query.start;
  size_t position = std::min(query.first, places.size());
  const auto met = [&] { return position >= query.at_least && value == query.quoted; };
  const auto match = [&] { return Match{.entries = position, .rule = rule, .value = value}; };
  if (met()) return match();
  while (const size_t count = walk.Read(position)) {
    for (size_t i = 0; i < count; ++i) {
      walk.Extend(i, value);
      ++position;
      if (met()) return match();
    }
  }
  return std::nullopt;
}

// The rules one after the other; for SHA-1 they are one.
template <typename Entries>
std::optional<Match> FindByAnyRule(const Entries& entries, const MatchQuery& query) {
  if (query.start.alg() != query.quoted.alg()) return std::nullopt;
  for (const ExtendRule rule :
       {ExtendRule::kBankHash, ExtendRule::kPaddedSha1, ExtendRule::kPaddedAll}) {
    const std::optional<Match> match = FindByRule(entries, query, rule);
    if (match.has_value() || query.start.alg() == HashAlg::kSha1) return match;
  }
  return std::nullopt;
}

std::optional<Digest> AggregateOver(const registers::RegisterBank& bank, uint32_t count) {
  Bytes values;
  for (uint32_t index = 0; index < count; ++index) {
    const std::optional<Digest> value = bank.Get(index);
    if (!value.has_value()) return std::nullopt;
    values.insert(values.end(), value->view().begin(), value->view().end());
  }
  return crypto::Hash(bank.alg(), values);
}

}  // namespace

std::optional<Match> FindMatch(const List& list, const MatchQuery& query) {
  return FindByAnyRule(list, query);
}

std::optional<Match> FindMatch(std::span<const KnownDigests::Place> places,
                               const MatchQuery& query) {
  return FindByAnyRule(places, query);
}

std::optional<Match> FindMatch(const List& list, const Digest& start, const Digest& quoted,
                               size_t at_least, uint32_t register_index) {
  return FindMatch(
      list,
      {.start = start, .quoted = quoted, .at_least = at_least, .register_index = register_index});
}

Digest Replay(const List& list, const Digest& start, ExtendRule rule, uint32_t register_index) {
  ReplayWalk walk(list.entries(), register_index, nullptr);
  Digest value = start;
  size_t position = 0;
  while (const size_t count = walk.Read(position)) {
    for (size_t i = 0; i < count; ++i) walk.Extend(i, rule, value);
    position += count;
  }
  return value;
}

std::optional<Digest> BootAggregate(const registers::RegisterBank& bank) {
  const bool sha1 = bank.alg() == HashAlg::kSha1;
  return AggregateOver(bank, sha1 ? kAggregatedByAll : kAggregatedBeyond1);
}

std::vector<BootAggregateValue> BootAggregates(const registers::RegisterBank& bank) {
  std::vector<BootAggregateValue> values;
  for (const uint32_t count : {kAggregatedBeyond1, kAggregatedByAll}) {
    if (bank.alg() == HashAlg::kSha1 && count == kAggregatedBeyond1) continue;
    const std::optional<Digest> digest = AggregateOver(bank, count);
    if (digest.has_value()) values.push_back({*digest, count});
  }
  return values;
}

}  // namespace bootgate::ima
