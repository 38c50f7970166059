// Any bytes as systemd's measurement log: records lie in order and name registers that exist,
// everything is bounded, and a replay of the first records and then of the rest is that of all.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "common/cel/coverage.h"
#include "common/cel/log.h"
#include "common/cel/replay.h"
#include "tests/fuzz/require.h"

namespace {

using bootgate::ByteView;
using bootgate::cel::Log;
using bootgate::cel::Record;
using bootgate::crypto::HashAlg;
using bootgate::fuzz::Require;
using bootgate::registers::RegisterBank;

void CheckForm(const Log& log, ByteView input) {
  Require(log.records().size() <= bootgate::cel::kMaxRecords);
  Require(log.defects().size() <= bootgate::cel::kMaxDefects);
  for (size_t i = 0; i < log.records().size(); ++i) {
    const Record& record = log.records()[i];
    Require(record.number == i);
    Require(input[record.offset] == 0x1e);
    Require(i == 0 || record.offset > log.records()[i - 1].offset);
    Require(record.pcr.has_value() != record.nv_index.has_value());
    Require(record.pcr.value_or(0) < bootgate::registers::kCount);
    Require(!record.digests.empty() && record.digests.size() <= bootgate::cel::kMaxDigests);
    // What is unescaped is never longer than what was written.
    Require(record.untrusted_text.value_or("").size() <= input.size());
    CoverageOf(record, HashAlg::kSha256);
  }
}

void CheckParts(const Log& log, ByteView input) {
  if (log.records().size() < 2) return;
  const size_t cut = log.records()[log.records().size() / 2].offset;
  const Log first = Log::Parse(input.first(cut)), rest = Log::Parse(input.subspan(cut));
  Require(first.records().size() + rest.records().size() == log.records().size());
  const RegisterBank start(HashAlg::kSha256);
  Require(ReplayBank(rest, ReplayBank(first, start).bank).bank == ReplayBank(log, start).bank);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  const Log log = Log::Parse(input);
  CheckForm(log, input);
  CheckParts(log, input);
  ReplayNv(log, HashAlg::kSha256, bootgate::cel::NvStart::kUnwritten);
  FactsOf(log, HashAlg::kSha256, 0xffffff);
  return 0;
}
