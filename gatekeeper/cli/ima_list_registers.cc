#include "gatekeeper/cli/ima_list_registers.h"

#include <algorithm>
#include <utility>

namespace bootgate::gatekeeper::cli {
namespace {

// Places in ImaListRegisters::kRules. Until a violation the last two give the same.
constexpr size_t kOwn = 0, kPadded = 1, kPaddedAll = 2;

}  // namespace

using crypto::Digest;
using crypto::HashAlg;
using ima::ExtendRule;

ImaListRegisters::ImaListRegisters() {
  for (auto& banks : values_) {
    for (size_t bank = 0; bank < kBanks.size(); ++bank) banks[bank].fill(Digest(kBanks[bank]));
  }
}

void ImaListRegisters::Extend(const ima::Record& record) {
  const uint32_t index = record.register_index;
  if (index >= registers::kCount) return;
  extended_.set(index);
  if (record.violation && !std::exchange(violated_, true)) values_[kPaddedAll] = values_[kPadded];
  const Digest sha1 = ima::TemplateDigest(record, HashAlg::kSha1);
  for (size_t rule = 0; rule < (violated_ ? kRules.size() : kPaddedAll); ++rule) {
    const bool pads = rule != kOwn && !record.violation;
    for (size_t bank = rule == kOwn ? 0 : 1; bank < kBanks.size(); ++bank) {
      const Digest digest = pads ? ima::Padded(sha1, kBanks[bank])
                                 : ima::ExtendDigest(record, kBanks[bank], kRules[rule]);
      Digest& value = values_[rule][bank][index];
      value = registers::Extended(value, digest);
    }
  }
}

ImaListRegisters::Values ImaListRegisters::Of(ExtendRule rule) const {
  const auto place = static_cast<size_t>(std::ranges::find(kRules, rule) - kRules.begin());
  const size_t by = violated_ ? place : std::min(place, kPadded);
  Values out;
  for (uint32_t index = 0; index < registers::kCount; ++index) {
    if (!extended_.test(index)) continue;
    for (size_t bank = by == kOwn ? 0 : 1; bank < kBanks.size(); ++bank) {
      out[index][std::string(crypto::Name(kBanks[bank]))] = values_[by][bank][index].hex();
    }
  }
  return out;
}

ImaMatchSearch::ImaMatchSearch(const Digest& quoted, uint32_t register_index)
    : quoted_(quoted), register_index_(register_index) {
  values_.fill(Digest(quoted.alg()));
}

bool ImaMatchSearch::Extend(const ima::Record& record) {
  if (met_ || record.register_index != register_index_) return met_;
  for (size_t rule = 0; rule < kRules.size(); ++rule) {
    const Digest digest = ima::ExtendDigest(record, quoted_.alg(), kRules[rule]);
    values_[rule] = registers::Extended(values_[rule], digest);
    met_ |= values_[rule] == quoted_;
  }
  return met_;
}

}  // namespace bootgate::gatekeeper::cli
