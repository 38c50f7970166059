// Any bytes as an IMA list: entries lie inside the input and move forward, everything is bounded,
// and a replay of the first part and then of the rest is the replay of the whole.
#include <cstddef>
#include <cstdint>

#include "common/ima/list.h"
#include "common/ima/replay.h"
#include "tests/fuzz/require.h"

namespace {

using bootgate::AsBytes;
using bootgate::ByteView;
using bootgate::crypto::Digest;
using bootgate::crypto::HashAlg;
using bootgate::fuzz::Require;
using bootgate::ima::Entry;
using bootgate::ima::ExtendRule;
using bootgate::ima::List;

constexpr uint32_t kRegister = 10;

bool LiesInside(ByteView part, ByteView whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void CheckForm(const List& list, ByteView input) {
  Require(list.entries().size() <= bootgate::ima::kMaxEntries);
  Require(list.defects().size() <= bootgate::ima::kMaxDefects);
  for (size_t i = 0; i < list.entries().size(); ++i) {
    const Entry& entry = list.entries()[i];
    Require(entry.number == i);
    Require(i == 0 || entry.offset > list.entries()[i - 1].offset);
    Require(LiesInside(entry.listed_digest, input) && LiesInside(entry.template_data, input));
    Require(LiesInside(entry.file_digest, entry.template_data));
    Require(LiesInside(AsBytes(entry.path), entry.template_data));
    Require(LiesInside(entry.signature, entry.template_data));
    Require(LiesInside(entry.buffer, entry.template_data));
    Require(entry.file_digest.size() <= bootgate::crypto::kMaxDigestSize);
    ListedDigestHolds(entry);
  }
}

Digest ReplayOf(const List& list, Digest value, ExtendRule rule) {
  for (const Entry& entry : list.entries()) {
    if (entry.register_index != kRegister) continue;
    value = bootgate::registers::Extended(value, ExtendDigest(entry, value.alg(), rule));
  }
  return value;
}

void CheckParts(const List& list, ByteView input, ExtendRule rule) {
  if (list.entries().size() < 2) return;
  const size_t half = list.entries().size() / 2;
  const size_t cut = list.entries()[half].offset;
  const List first = List::Parse(input.first(cut));
  const List rest = List::Parse(input.subspan(cut));
  Require(first.entries().size() == half);
  const Digest start(HashAlg::kSha256);
  const Digest whole = ReplayOf(list, start, rule);
  Require(ReplayOf(rest, ReplayOf(first, start, rule), rule) == whole);
  const auto match = FindMatch(list, start, whole, list.entries().size());
  Require(match.has_value() && match->entries == list.entries().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  const List list = List::Parse(input);
  CheckForm(list, input);
  CheckParts(list, input, ExtendRule::kBankHash);
  CheckParts(list, input, ExtendRule::kPaddedSha1);
  return 0;
}
