#include "common/eventlog/several_logs.h"

#include "common/eventlog/replay.h"

namespace bootgate::eventlog {

LogFit FitOf(const Log& log, const registers::RegisterBank& quoted) {
  const registers::RegisterBank told = ReplayBank(log, quoted.alg()).bank;
  LogFit fit;
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    if (!quoted.Has(i) || !told.Has(i)) continue;
    (told.Get(i) == quoted.Get(i) ? fit.matched : fit.differing) |= 1u << i;
  }
  return fit;
}

std::optional<size_t> FindExplaining(std::span<const Log> logs,
                                     const registers::RegisterBank& quoted) {
  for (size_t i = logs.size(); i > 0; --i) {
    if (FitOf(logs[i - 1], quoted).Explains()) return i - 1;
  }
  return std::nullopt;
}

}  // namespace bootgate::eventlog
