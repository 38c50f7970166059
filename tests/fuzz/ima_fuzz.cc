// Any bytes as an IMA list: entries lie inside the input and move forward, everything is bounded;
// a list in pieces shows what the whole shows; a replay of the first part and then of the rest, or
// with digests known before, is the replay of the whole.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "common/ima/list.h"
#include "common/ima/list_stream.h"
#include "common/ima/replay.h"
#include "tests/fuzz/require.h"

namespace {

using bootgate::AsBytes;
using bootgate::ByteView;
using bootgate::SameBytes;
using bootgate::crypto::Digest;
using bootgate::crypto::HashAlg;
using bootgate::fuzz::Require;
using bootgate::ima::Entry;
using bootgate::ima::ExtendRule;
using bootgate::ima::KnownDigests;
using bootgate::ima::List;
using bootgate::ima::ListStream;

constexpr ExtendRule kRules[] = {ExtendRule::kBankHash, ExtendRule::kPaddedSha1,
                                 ExtendRule::kPaddedAll};

bool LiesInside(ByteView part, ByteView whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void CheckFields(const Entry& entry) {
  for (const ByteView field :
       {entry.file_digest, AsBytes(entry.path), AsBytes(entry.digest_type), entry.signature,
        entry.buffer, entry.appended_digest, entry.appended_signature, entry.evm_signature,
        entry.xattr_names, entry.xattr_lengths, entry.xattr_values}) {
    Require(LiesInside(field, entry.template_data));
  }
  Require(entry.file_digest.size() <= bootgate::crypto::kMaxDigestSize);
  Require(entry.appended_digest.size() <= bootgate::crypto::kMaxDigestSize);
  ListedDigestHolds(entry);
}

void CheckForm(const List& list, ByteView input) {
  Require(list.entries().size() <= bootgate::ima::kMaxEntries);
  Require(list.defects().size() <= bootgate::ima::kMaxDefects);
  size_t end = 0;
  for (const Entry& entry : list.entries()) {
    Require(entry.offset == end);
    end += entry.bytes.size();
    Require(LiesInside(entry.bytes, input) && LiesInside(entry.template_data, entry.bytes));
    CheckFields(entry);
  }
}

// Pieces of a size that the input chooses.
void CheckStream(const List& list, ByteView input) {
  const size_t piece = input.empty() ? 1 : 1 + input[0] + size_t{256} * (input.back() & 3u);
  ListStream stream;
  size_t number = 0;
  const auto same = [&](const Entry& entry) {
    Require(number < list.entries().size());
    const Entry whole = list.entries()[number++];
    Require(entry.number == whole.number && entry.offset == whole.offset);
    Require(SameBytes(entry.bytes, whole.bytes) && entry.path == whole.path);
    Require(SameBytes(entry.file_digest, whole.file_digest) && entry.mode == whole.mode);
  };
  for (size_t at = 0; at < input.size(); at += piece) {
    if (!stream.Add(input.subspan(at, std::min(piece, input.size() - at)), same)) break;
  }
  stream.Finish(same);
  Require(number == list.entries().size());
  Require(stream.defects().size() == list.defects().size());
  for (size_t i = 0; i < list.defects().size(); ++i) {
    Require(stream.defects()[i].text == list.defects()[i].text);
  }
}

void CheckParts(const List& list, ExtendRule rule) {
  const Digest start(HashAlg::kSha256);
  const Digest whole = Replay(list, start, rule);
  Require(Replay(list, start, rule) == whole);
  const size_t half = list.entries().size() / 2;
  Digest middle = start;
  for (size_t i = 0; i < half; ++i) {
    const auto record = list.entries().RecordAt(i);
    if (record.register_index != 10) continue;
    middle = bootgate::registers::Extended(middle, ExtendDigest(record, middle.alg(), rule));
  }
  const auto match = FindMatch(
      list, {.start = middle, .quoted = whole, .first = half, .at_least = list.entries().size()});
  Require(match.has_value() && match->entries == list.entries().size());
  Require(match->value == whole);
}

void CheckKnown(const List& list) {
  KnownDigests known({.max_records = 16});
  for (size_t i = 0; i < list.entries().size(); ++i) {
    const auto record = list.entries().RecordAt(i);
    const bool added = known.Add(record);
    const KnownDigests::Place place = known.Find(record.bytes);
    Require(added == (place != KnownDigests::kNone));
    if (!added) continue;
    Require(known.FindName(bootgate::ima::RecordName(record.bytes).view()) == place);
    Require(known.TemplateDigest(place, HashAlg::kSha256) ==
            bootgate::ima::TemplateDigest(record, HashAlg::kSha256));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView input(data, size);
  const List list = List::Parse(input);
  CheckForm(list, input);
  CheckStream(list, input);
  CheckKnown(list);
  for (const ExtendRule rule : kRules) CheckParts(list, rule);
  return 0;
}
