#include "agent/evidence_builder/ima_slice.h"

#include "common/ima/list.h"

namespace bootgate::agent::evidence_builder {
namespace {

// Every template's data is the last part of its entry.
size_t EndOf(const ima::Entry& entry, ByteView list) {
  return static_cast<size_t>(entry.template_data.data() - list.data()) + entry.template_data.size();
}

}  // namespace

ImaSlice EntriesFrom(ByteView list, uint64_t first) {
  const ima::List parsed = ima::List::Parse(list);
  const auto& entries = parsed.entries();
  if (entries.empty()) return {};
  const size_t start = first <= entries.size() ? static_cast<size_t>(first) : 0;
  const size_t end = EndOf(entries.back(), list);
  const size_t begin = start == entries.size() ? end : entries[start].offset;
  return {start, entries.size() - start, list.subspan(begin, end - begin)};
}

}  // namespace bootgate::agent::evidence_builder
