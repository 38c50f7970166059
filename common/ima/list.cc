#include "common/ima/list.h"

#include <algorithm>

#include "common/ima/fields.h"
#include "common/ima/list_walk.h"
#include "common/ima/usual_record.h"

namespace bootgate::ima {
namespace {

constexpr size_t kTypicalEntryBytes = 112;  // for the first reservation only

// A record that was read before.
void Read(ByteView list, size_t offset, const Format& format, Record& record) {
  const ByteView from = list.subspan(offset);
  if (TakeUsualRecord(from, offset, format, list.size(), record)) return;
  bytes::Reader in(from, offset);
  RecordFault fault;
  TakeRecord(in, format, list.size(), record, fault);
}

}  // namespace

List List::Parse(ByteView bytes, const Limits& limits) {
  List list;
  list.entries_.bytes_ = bytes;
  list.entries_.format_ = Format::Of(bytes);
  ListWalk walk(list.entries_.format_, limits);
  if (bytes.size() > std::min<size_t>(limits.list_bytes, UINT32_MAX)) {
    walk.NoteListBytes(0, bytes.size());
    list.defects_ = std::move(walk.defects());
    return list;
  }
  std::vector<uint32_t>& offsets = list.entries_.offsets_;
  offsets.reserve(std::min(limits.entries, bytes.size() / kTypicalEntryBytes + 1));
  bytes::Reader in(bytes);
  while (!in.empty()) {
    const size_t offset = in.offset();
    const ListWalk::Step step = walk.Pass(in);
    if (step == ListWalk::Step::kCut) walk.NoteCut(offset);
    if (step != ListWalk::Step::kEntry) break;
    offsets.push_back(static_cast<uint32_t>(offset));
  }
  list.defects_ = std::move(walk.defects());
  return list;
}

Record Entries::RecordAt(size_t number) const {
  Record record;
  Read(bytes_, offsets_[number], format_, record);
  return record;
}

Entry Entries::operator[](size_t number) const {
  Entry entry;
  Read(bytes_, offsets_[number], format_, entry);
  entry.number = static_cast<uint32_t>(number);
  ReadFields(entry);
  return entry;
}

}  // namespace bootgate::ima
