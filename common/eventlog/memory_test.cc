// How much memory a log takes, measured: every allocation of this program is counted.
#include <malloc.h>

#include <cstdlib>
#include <new>

#include "common/eventlog/coverage.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "common/eventlog/replay.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace {

struct Usage {
  size_t live = 0;         // bytes
  size_t peak = 0;         // bytes
  size_t allocations = 0;  // count
};
Usage usage;

}  // namespace

void* operator new(size_t size) {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  usage.live += malloc_usable_size(memory);
  usage.peak = std::max(usage.peak, usage.live);
  ++usage.allocations;
  return memory;
}
void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  usage.live -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept { operator delete(memory); }

namespace bootgate::eventlog {
namespace {

using crypto::HashAlg;
using testing::LogBuilder;
using testing::Text;

constexpr size_t kTimesTheInput = 8;
constexpr size_t kForDefects = size_t{96} << 10;  // bytes; at most kMaxDefects lines of text

// What the call took beyond what was there before it.
template <typename Call>
Usage Measure(const Call& call) {
  const size_t before = usage.live;
  usage.peak = usage.live;
  usage.allocations = 0;
  call();
  return {
      .live = usage.live - before, .peak = usage.peak - before, .allocations = usage.allocations};
}

struct Row {
  const char* name;
  Bytes (*make)();
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.name; }

// As many records as fit, of the smallest size there is, behind `before` bytes of one big record.
Bytes SmallestRecords(size_t before) {
  bytes::Writer record;
  record.U32Le(1).U32Le(kEvEfiAction).U32Le(0).U32Le(0);
  LogBuilder builder = LogBuilder::CryptoAgile({HashAlg::kSha256});
  if (before != 0) builder.Event(1, kEvEfiAction, Bytes(before, 7));
  for (size_t i = 0; i < 40000; ++i) builder.Raw(record.view());
  return builder.Finish();
}

Bytes ManyBanks() {
  bytes::Writer spec = testing::SpecIdHead();
  spec.U32Le(kMaxBanks);
  for (uint16_t i = 0; i < kMaxBanks; ++i) spec.U16Le(static_cast<uint16_t>(0x100 + i)).U16Le(1);
  spec.U8(0);
  return LogBuilder().Legacy(0, kEvNoAction, spec.view(), crypto::Digest(HashAlg::kSha1)).Finish();
}

Bytes LegacyRecords() {
  LogBuilder builder;
  for (size_t i = 0; i < 5000; ++i) {
    builder.Legacy(1, kEvEfiAction, {}, crypto::Hash(HashAlg::kSha1, {}));
  }
  return builder.Finish();
}

const Row kRows[] = {
    {"SmallestRecords", [] { return SmallestRecords(0); }},
    {"SmallestRecordsBehindABigOne", [] { return SmallestRecords(600000); }},
    {"LegacyRecords", LegacyRecords},
    {"ManyBanks", ManyBanks},
    {"Padding", [] { return Bytes(size_t{4} << 20, 0xff); }},
    {"ZerosAndOneOddByte",
     [] {
       Bytes bytes(size_t{2} << 20, 0);
       bytes.push_back(1);
       return bytes;
     }},
    {"RealLog", [] { return testing::CorpusFile("boots/good/eventlog.bin"); }},
};

class LogMemory : public ::testing::TestWithParam<Row> {};

TEST_P(LogMemory, IsAtMostEightTimesTheInput) {
  const Bytes bytes = GetParam().make();
  const Usage used = Measure([&] { Log::Parse(bytes); });
  EXPECT_LE(used.peak, kTimesTheInput * bytes.size() + kForDefects);
  EXPECT_EQ(used.live, 0u);
}

INSTANTIATE_TEST_SUITE_P(Attack, LogMemory, ::testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string("A44_") + row.param.name; });

// Ten times the events, the same allocations but for the list's growth.
TEST(LogMemory, NoAllocationPerEvent) {
  const auto allocations = [](size_t events) {
    LogBuilder builder = LogBuilder::CryptoAgile({HashAlg::kSha1, HashAlg::kSha256});
    for (size_t i = 0; i < events; ++i) builder.Event(4, kEvEfiAction, Text("Calling EFI"));
    const Bytes bytes = builder.Finish();
    return Measure([&] {
             const Log log = Log::Parse(bytes);
             for (const Event& event : log.events()) {
               EXPECT_EQ(CoverageOf(log, event, HashAlg::kSha256) == Coverage::kCovered,
                         event.Extends());
             }
             EXPECT_TRUE(ReplayBank(log, HashAlg::kSha256).bank.Has(4));
           })
        .allocations;
  };
  EXPECT_LE(allocations(2000), allocations(200) + 6);
  EXPECT_LE(allocations(200), 12u);
}

}  // namespace
}  // namespace bootgate::eventlog
