#include "gatekeeper/reference/align.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

namespace bootgate::gatekeeper::reference {
namespace {

using Events = std::vector<AlignEvent>;

// A stretch of both lists without a common event: [begin, end) of each.
struct Gap {
  size_t reference_begin, reference_end, host_begin, host_end;
};

// Length of the longest common subsequence of every pair of tails, row by row.
class TailTable {
 public:
  TailTable(const Events& reference, const Events& host, const Gap& middle)
      : reference_(reference),
        host_(host),
        middle_(middle),
        rows_(middle.reference_end - middle.reference_begin),
        columns_(middle.host_end - middle.host_begin),
        cells_((rows_ + 1) * (columns_ + 1), 0) {
    for (size_t i = rows_; i-- > 0;) {
      for (size_t j = columns_; j-- > 0;) {
        At(i, j) = Same(i, j) ? At(i + 1, j + 1) + 1 : std::max(At(i + 1, j), At(i, j + 1));
      }
    }
  }

  std::vector<Gap> Gaps() {
    std::vector<Gap> gaps;
    size_t i = 0, j = 0, gap_i = 0, gap_j = 0;
    const auto close = [&](size_t to_i, size_t to_j) {
      if (gap_i == to_i && gap_j == to_j) return;
      gaps.push_back({middle_.reference_begin + gap_i, middle_.reference_begin + to_i,
                      middle_.host_begin + gap_j, middle_.host_begin + to_j});
    };
    while (i < rows_ && j < columns_) {
      if (Same(i, j)) {
        close(i, j);
        gap_i = ++i;
        gap_j = ++j;
      } else if (At(i + 1, j) >= At(i, j + 1)) {
        ++i;
      } else {
        ++j;
      }
    }
    close(rows_, columns_);
    return gaps;
  }

 private:
  bool Same(size_t i, size_t j) const {
    return reference_[middle_.reference_begin + i].digest == host_[middle_.host_begin + j].digest;
  }
  uint32_t& At(size_t i, size_t j) { return cells_[i * (columns_ + 1) + j]; }

  const Events& reference_;
  const Events& host_;
  const Gap middle_;
  const size_t rows_, columns_;
  std::vector<uint32_t> cells_;
};

// What is left once the common beginning and end are taken off.
Gap Middle(const Events& reference, const Events& host) {
  Gap middle{0, reference.size(), 0, host.size()};
  const auto some_left = [&] {
    return middle.reference_begin < middle.reference_end && middle.host_begin < middle.host_end;
  };
  while (some_left() &&
         reference[middle.reference_begin].digest == host[middle.host_begin].digest) {
    ++middle.reference_begin;
    ++middle.host_begin;
  }
  while (some_left() &&
         reference[middle.reference_end - 1].digest == host[middle.host_end - 1].digest) {
    --middle.reference_end;
    --middle.host_end;
  }
  return middle;
}

using What = std::pair<uint32_t, std::string>;
What WhatOf(const AlignEvent& event) { return {event.type, event.key}; }

// Pairs, in order, what is about the same thing; the rest stays in the two lists.
void PairByKey(const Events& reference, const Events& host, bool empty_keys_too,
               std::vector<size_t>* left_reference, std::vector<size_t>* left_host,
               std::vector<Difference>* out) {
  std::map<What, std::deque<size_t>> waiting;
  for (const size_t j : *left_host) {
    if (empty_keys_too || !host[j].key.empty()) waiting[WhatOf(host[j])].push_back(j);
  }
  std::vector<size_t> alone;
  std::vector<bool> taken(host.size(), false);
  for (const size_t i : *left_reference) {
    const auto found = waiting.find(WhatOf(reference[i]));
    if (found == waiting.end() || found->second.empty()) {
      alone.push_back(i);
      continue;
    }
    out->push_back({i, found->second.front()});
    taken[found->second.front()] = true;
    found->second.pop_front();
  }
  *left_reference = std::move(alone);
  left_host->erase(
      std::remove_if(left_host->begin(), left_host->end(), [&](size_t j) { return taken[j]; }),
      left_host->end());
}

std::vector<size_t> Range(size_t begin, size_t end) {
  std::vector<size_t> range;
  for (size_t i = begin; i < end; ++i) range.push_back(i);
  return range;
}

// Gaps that are too many to pair one by one cost a pass over the host's list each.
constexpr size_t kMaxGaps = 1024;

std::vector<Gap> GapsOf(const Events& reference, const Events& host) {
  const Gap middle = Middle(reference, host);
  const size_t rows = middle.reference_end - middle.reference_begin;
  const size_t columns = middle.host_end - middle.host_begin;
  if (rows == 0 && columns == 0) return {};
  if ((rows + 1) > kMaxAlignCells / (columns + 1)) return {middle};
  std::vector<Gap> gaps = TailTable(reference, host, middle).Gaps();
  return gaps.size() > kMaxGaps ? std::vector<Gap>{middle} : gaps;
}

}  // namespace

std::vector<Difference> Align(const Events& reference, const Events& host) {
  std::vector<Difference> out;
  std::vector<size_t> left_reference, left_host;
  for (const Gap& gap : GapsOf(reference, host)) {
    std::vector<size_t> of_reference = Range(gap.reference_begin, gap.reference_end);
    std::vector<size_t> of_host = Range(gap.host_begin, gap.host_end);
    PairByKey(reference, host, true, &of_reference, &of_host, &out);
    left_reference.insert(left_reference.end(), of_reference.begin(), of_reference.end());
    left_host.insert(left_host.end(), of_host.begin(), of_host.end());
  }
  PairByKey(reference, host, false, &left_reference, &left_host, &out);
  for (const size_t i : left_reference) out.push_back({i, std::nullopt});
  for (const size_t j : left_host) out.push_back({std::nullopt, j});
  return out;
}

}  // namespace bootgate::gatekeeper::reference
