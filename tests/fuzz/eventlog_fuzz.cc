// Any bytes as a boot log: records lie inside the input and move forward, everything is bounded,
// every question about an event has an answer, a replay is the last step of its trace and always
// the same, quirks are rows of their table, and the pieces of several logs are the input again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "common/eventlog/coverage.h"
#include "common/eventlog/decode/describe.h"
#include "common/eventlog/decode/secure_boot.h"
#include "common/eventlog/log.h"
#include "common/eventlog/quirks.h"
#include "common/eventlog/replay.h"
#include "tests/fuzz/require.h"

namespace {

using bootgate::ByteView;
using bootgate::crypto::HashAlg;
using bootgate::eventlog::Coverage;
using bootgate::eventlog::Event;
using bootgate::eventlog::Format;
using bootgate::eventlog::Log;
using bootgate::eventlog::QuirkAt;
using bootgate::eventlog::QuirkCount;
using bootgate::eventlog::UsedQuirk;
using bootgate::fuzz::Require;

bool LiesInside(ByteView part, ByteView whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void CheckForm(const Log& log, ByteView input) {
  Require(log.events().size() <= bootgate::eventlog::kMaxEvents);
  Require(log.defects().size() <= bootgate::eventlog::kMaxDefects);
  Require(log.banks().size() <= bootgate::eventlog::kMaxBanks);
  Require(!log.next_log().has_value() || *log.next_log() < input.size());
  Require(!log.dynamic_launch().has_value() || *log.dynamic_launch() < log.events().size());
  Require(!log.fewer_digests_from().has_value() || *log.fewer_digests_from() < log.events().size());
  Require(log.format() != Format::kEmpty || log.events().empty());
  size_t end = 0;
  for (size_t i = 0; i < log.events().size(); ++i) {
    const Event& event = log.events()[i];
    Require(event.number == i);
    Require(event.offset < input.size());
    Require(event.offset >= end);
    end = event.offset + event.digest_bytes.size() + event.data.size() + 1;
    Require(end <= input.size());
    Require(LiesInside(event.data, input) && LiesInside(event.digest_bytes, input));
    Require(event.data.size() <= bootgate::eventlog::kMaxEventData);
  }
}

// No host text reaches a terminal as it is.
bool IsOneLine(const std::string& text) {
  return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

void AskEverything(const Log& log, HashAlg alg) {
  SecureBootState(log, alg);
  for (const Event& event : log.events()) {
    const auto digest = log.DigestOf(event, alg);
    const Coverage coverage = CoverageOf(log, event, alg);
    Require(digest.has_value() || coverage == Coverage::kNotCovered);
    Require(!digest.has_value() || digest->size() == bootgate::crypto::DigestSize(alg));
    Require(IsOneLine(Describe(log, event, alg)) && IsOneLine(PairingKey(event)));
  }
}

void CheckReplay(const Log& log, HashAlg alg) {
  const bootgate::eventlog::Replay replay = ReplayBank(log, alg);
  Require(replay.bank == ReplayBank(log, alg).bank);
  Require(log.HasBank(alg) || log.format() != Format::kLegacySha1 || replay.bank.mask() == 0);
  for (uint32_t index = 0; index < bootgate::registers::kCount; ++index) {
    const auto value = replay.bank.Get(index);
    if (!value.has_value()) continue;
    Require(Trace(log, alg, index).back() == *value);
  }
}

// Each row at most once and in the table's order, its first event one that there is.
void CheckQuirks(const Log& log) {
  size_t row = 0;
  for (const UsedQuirk& used : UsedQuirks(log)) {
    while (row < QuirkCount() && &QuirkAt(row) != used.quirk) ++row;
    Require(row++ < QuirkCount());
    Require(used.events != 0 && used.first_event + used.events <= log.events().size());
  }
}

void CheckPieces(ByteView input) {
  size_t total = 0;
  for (const ByteView log : bootgate::eventlog::SplitLogs(input)) {
    Require(!log.empty() && log.data() == input.data() + total);
    total += log.size();
  }
  Require(total == input.size());
}

// A log cut after some event is that log's beginning.
void CheckPrefix(const Log& log, ByteView input) {
  if (log.events().size() < 3) return;
  const size_t half = log.events().size() / 2;
  const Log prefix = Log::Parse(input.first(log.events()[half].offset));
  Require(prefix.events().size() <= half);
  for (size_t i = 0; i < prefix.events().size(); ++i) {
    Require(prefix.events()[i].offset == log.events()[i].offset);
    Require(prefix.events()[i].untrusted_type == log.events()[i].untrusted_type);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  const Log log = Log::Parse(input);
  CheckForm(log, input);
  CheckPrefix(log, input);
  CheckQuirks(log);
  CheckPieces(input);
  for (const HashAlg alg : {HashAlg::kSha1, HashAlg::kSha256, HashAlg::kSm3_256}) {
    AskEverything(log, alg);
    CheckReplay(log, alg);
  }
  return 0;
}
