#include "agent/client/short_list.h"

#include <algorithm>

#include "common/ima/known_digests.h"
#include "common/ima/list.h"
#include "common/ima/mixed_list.h"

namespace bootgate::agent {
namespace {

constexpr size_t kNameBytes = ima::KnownDigests::kNameBytes;

ByteView NameAt(ByteView names, size_t i) { return names.subspan(i * kNameBytes, kNameBytes); }

}  // namespace

Bytes ShortList(GatekeeperClient& client, const std::string& host_id, ByteView ak_name,
                ByteView list) {
  const ima::List parsed = ima::List::Parse(list);
  const ima::Entries& entries = parsed.entries();
  if (entries.size() < kLeastEntriesToShorten) return {};
  Bytes mixed;
  size_t covered = 0;  // bytes of the list
  for (size_t first = 0; first < entries.size(); first += kMaxNamesAsked) {
    const size_t count = std::min(kMaxNamesAsked, entries.size() - first);
    Bytes names;
    for (size_t i = 0; i < count; ++i) {
      const crypto::Digest name = ima::RecordName(entries.RecordAt(first + i).bytes);
      names.insert(names.end(), name.view().begin(), name.view().end());
    }
    const absl::StatusOr<Bytes> known = client.KnownEntries(host_id, ak_name, names);
    if (!known.ok() || known->size() != (count + 7) / 8) return {};
    for (size_t i = 0; i < count; ++i) {
      const ByteView record = entries.RecordAt(first + i).bytes;
      covered += record.size();
      const bool named = ((*known)[i / 8] >> i % 8 & 1) != 0 && record.size() > kNameBytes;
      if (named) {
        ima::AppendNamed(NameAt(names, i), &mixed);
      } else {
        ima::AppendRecord(record, &mixed);
      }
    }
  }
  // What List does not read as entries has no place in the mixed form.
  return covered == list.size() && mixed.size() < list.size() ? mixed : Bytes();
}

}  // namespace bootgate::agent
