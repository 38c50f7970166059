#include "common/ima/replay.h"

#include <algorithm>

#include "common/crypto/hash_chain.h"

namespace bootgate::ima {
namespace {

using crypto::Digest;
using crypto::HashAlg;
using crypto::HashChain;

constexpr uint32_t kAggregatedByAll = 8;     // PCR 0-7
constexpr uint32_t kAggregatedBeyond1 = 10;  // PCR 0-9, by SHA-256 and longer

// Is what the bank is extended with the hash of the template data, without more ado?
bool IsHashedAsItLies(const Record& record) { return !record.violation && !record.IsLegacy(); }

class ReplayWalk {
 public:
  ReplayWalk(const Entries& entries, const MatchQuery& query, ExtendRule rule)
      : entries_(entries),
        register_index_(query.register_index),
        alg_(query.start.alg()),
        rule_(rule),
        at_hand_(alg_ == DigestsAt::kAlg && rule == ExtendRule::kBankHash ? query.at_hand : nullptr,
                 entries.format()) {}

  // In order.
  void Extend(size_t i, HashChain& chain) {
    const Record record = entries_.RecordAt(i);
    const ByteView at_hand = at_hand_.Of(record);
    if (record.register_index != register_index_) return;
    if (!at_hand.empty()) {
      chain.Extend(at_hand);
    } else if (rule_ == ExtendRule::kBankHash && IsHashedAsItLies(record)) {
      chain.ExtendWithHashOf(record.template_data);
    } else {
      chain.Extend(ExtendDigest(record, alg_, rule_).view());
    }
  }

 private:
  const Entries& entries_;
  const uint32_t register_index_;
  const HashAlg alg_;
  const ExtendRule rule_;
  DigestsAt::Walk at_hand_;
};

std::optional<Match> FindByRule(const List& list, const MatchQuery& query, ExtendRule rule) {
  const size_t size = list.entries().size();
  ReplayWalk walk(list.entries(), query, rule);
  HashChain chain(query.start);
  for (size_t position = std::min(query.first, size);; ++position) {
    if (position >= query.at_least && chain.Is(query.quoted)) {
      return Match{.entries = position, .rule = rule, .value = chain.value()};
    }
    if (position == size) return std::nullopt;
    walk.Extend(position, chain);
  }
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

// The rules one after the other; for SHA-1 they are one.
std::optional<Match> FindMatch(const List& list, const MatchQuery& query) {
  if (query.start.alg() != query.quoted.alg()) return std::nullopt;
  for (const ExtendRule rule :
       {ExtendRule::kBankHash, ExtendRule::kPaddedSha1, ExtendRule::kPaddedAll}) {
    const std::optional<Match> match = FindByRule(list, query, rule);
    if (match.has_value() || query.start.alg() == HashAlg::kSha1) return match;
  }
  return std::nullopt;
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
  for (size_t i = 0; i < list.entries().size(); ++i) walk.Extend(i, chain);
  return chain.value();
}

std::optional<Digest> Replay(const KnownDigests& known, std::span<const KnownDigests::Place> places,
                             const Digest& start, uint32_t register_index) {
  const KnownDigests::Bank bank = known.BankOf(start.alg());
  if (!bank) return std::nullopt;
  HashChain chain(start);
  for (const KnownDigests::Place place : places) {
    if (place == KnownDigests::kNone) return std::nullopt;
    if (known.RegisterIndex(place) != register_index) continue;
    chain.Extend(known.TemplateDigestView(place, bank));
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
