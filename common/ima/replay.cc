#include "common/ima/replay.h"

#include <algorithm>
#include <array>

#include "common/crypto/hash_chain.h"

namespace bootgate::ima {
namespace {

using crypto::Digest;
using crypto::HashAlg;
using crypto::HashChain;

constexpr uint32_t kAggregatedByAll = 8;     // PCR 0-7
constexpr uint32_t kAggregatedBeyond1 = 10;  // PCR 0-9, by SHA-256 and longer
constexpr size_t kBatch = 16;                // records read, and looked up, at once

// Is what the bank is extended with the hash of the template data, without more ado?
bool IsHashedAsItLies(const Record& record) { return !record.violation && !record.IsLegacy(); }

// Reads the digests of known entries ahead of their extending, so that they wait for memory
// together.
class KnownWalk {
 public:
  KnownWalk(std::span<const KnownDigests::Place> places, const MatchQuery& query, ExtendRule rule)
      : places_(places),
        known_(*query.known),
        register_index_(query.register_index),
        alg_(query.start.alg()),
        bank_(known_.BankOf(rule == ExtendRule::kBankHash ? alg_ : HashAlg::kSha1)),
        rule_(rule) {}

  size_t size() const { return places_.size(); }

  // Places [first, first + result); the result is 0 at the end and at a place that is kNone.
  size_t Read(size_t first) {
    const size_t most = std::min(kBatch, places_.size() - first);
    const size_t ahead = std::min(kBatch, places_.size() - first - most);
    for (const KnownDigests::Place place : places_.subspan(first + most, ahead)) {
      if (place != KnownDigests::kNone) known_.Prefetch(place);
    }
    first_ = first;
    const auto batch = places_.subspan(first, most);
    return static_cast<size_t>(std::ranges::find(batch, KnownDigests::kNone) - batch.begin());
  }

  // Violations are never known. Computed when the digest's bank is not among the kept ones.
  void Extend(size_t i, HashChain& chain) const {
    const KnownDigests::Place place = places_[first_ + i];
    if (known_.RegisterIndex(place) != register_index_) return;
    if (bank_) {
      chain.Extend(known_.TemplateDigestView(place, bank_));  // of SHA-1: filled up with zeros
      return;
    }
    const List alone = List::Parse(known_.RecordBytes(place));
    chain.Extend(ExtendDigest(alone.entries().RecordAt(0), alg_, rule_).view());
  }

 private:
  const std::span<const KnownDigests::Place> places_;
  const KnownDigests& known_;
  const uint32_t register_index_;
  const HashAlg alg_;
  const KnownDigests::Bank bank_;
  const ExtendRule rule_;
  size_t first_ = 0;
};

// Reads records ahead of their extending, so that look-ups wait for memory together.
class ReplayWalk {
 public:
  ReplayWalk(const Entries& entries, const MatchQuery& query, ExtendRule rule)
      : entries_(entries),
        register_index_(query.register_index),
        known_(query.known),
        alg_(query.start.alg()),
        rule_(rule),
        at_hand_(alg_ == DigestsAt::kAlg && rule == ExtendRule::kBankHash ? query.at_hand : nullptr,
                 entries.format()) {
    if (known_ != nullptr)
      bank_ = known_->BankOf(rule == ExtendRule::kBankHash ? alg_ : HashAlg::kSha1);
  }

  size_t size() const { return entries_.size(); }

  // Records [first, first + result), the result is 0 at the end alone.
  size_t Read(size_t first) {
    const size_t count = std::min(kBatch, entries_.size() - first);
    for (size_t i = 0; i < count; ++i) records_[i] = entries_.RecordAt(first + i);
    if (bank_) {
      std::array<ByteView, kBatch> bytes;
      for (size_t i = 0; i < count; ++i) bytes[i] = records_[i].bytes;
      known_->FindAll(std::span(bytes).first(count), std::span(places_).first(count));
      for (size_t i = 0; i < count; ++i) {
        if (!IsReadAsAlone(records_[i])) places_[i] = KnownDigests::kNone;
      }
    }
    return count;
  }

  void Extend(size_t i, HashChain& chain) {
    const ByteView at_hand = at_hand_.Of(records_[i]);
    if (records_[i].register_index != register_index_) return;
    if (!at_hand.empty()) {
      chain.Extend(at_hand);
    } else if (places_[i] != KnownDigests::kNone) {
      chain.Extend(known_->TemplateDigestView(places_[i], bank_));
    } else if (rule_ == ExtendRule::kBankHash && IsHashedAsItLies(records_[i])) {
      chain.ExtendWithHashOf(records_[i].template_data);
    } else {
      chain.Extend(ExtendDigest(records_[i], alg_, rule_).view());
    }
  }

 private:
  // A list's first record says how all are read: what is known of these bytes is known of them
  // alone.
  bool IsReadAsAlone(const Record& record) const {
    return Format::Of(record.bytes) == entries_.format();
  }

  const Entries& entries_;
  const uint32_t register_index_;
  const KnownDigests* const known_;
  const HashAlg alg_;
  const ExtendRule rule_;
  DigestsAt::Walk at_hand_;
  KnownDigests::Bank bank_;
  std::array<Record, kBatch> records_;
  std::array<KnownDigests::Place, kBatch> places_{};
};

template <typename Walk>
std::optional<Match> FindOn(Walk walk, const MatchQuery& query, ExtendRule rule) {
  HashChain chain(query.start);
  size_t position = std::min(query.first, walk.size());
  const auto met = [&] { return position >= query.at_least && chain.Is(query.quoted); };
  const auto match = [&] {
    return Match{.entries = position, .rule = rule, .value = chain.value()};
  };
  if (met()) return match();
  while (const size_t count = walk.Read(position)) {
    for (size_t i = 0; i < count; ++i) {
      walk.Extend(i, chain);
      ++position;
      if (met()) return match();
    }
  }
  return std::nullopt;
}

std::optional<Match> FindByRule(const List& list, const MatchQuery& query, ExtendRule rule) {
  return FindOn(ReplayWalk(list.entries(), query, rule), query, rule);
}

std::optional<Match> FindByRule(std::span<const KnownDigests::Place> places,
                                const MatchQuery& query, ExtendRule rule) {
  return FindOn(KnownWalk(places, query, rule), query, rule);
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
  MatchQuery from;
  from.start = start;
  from.register_index = register_index;
  ReplayWalk walk(list.entries(), from, rule);
  HashChain chain(start);
  size_t position = 0;
  while (const size_t count = walk.Read(position)) {
    for (size_t i = 0; i < count; ++i) walk.Extend(i, chain);
    position += count;
  }
  return chain.value();
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
