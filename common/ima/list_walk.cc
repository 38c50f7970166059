#include "common/ima/list_walk.h"

#include "absl/strings/str_cat.h"
#include "common/ima/fields.h"
#include "common/ima/plain_file.h"
#include "common/ima/usual_record.h"
#include "common/registers/bank.h"

namespace bootgate::ima {

ListWalk::Step ListWalk::Next(bytes::Reader& in, Entry& entry) {
  const Step step = Take(in, entry);
  if (step != Step::kEntry) return step;
  entry.number = entries_;
  Check(entry);
  ++entries_;
  return step;
}

ListWalk::Step ListWalk::Pass(bytes::Reader& in) {
  Record record;
  const Step step = Take(in, record);
  if (step != Step::kEntry) return step;
  PlainFile file;
  if (TakePlainFile(record, file)) {
    CheckRegister(record);
  } else {
    Entry entry;
    static_cast<Record&>(entry) = record;
    Check(entry);
  }
  ++entries_;
  return step;
}

ListWalk::Step ListWalk::Take(bytes::Reader& in, Record& record) {
  if (entries_ >= limits_.entries) {
    Note(Reason::kImaLimit, in.offset(), absl::StrCat("more than ", limits_.entries, " entries"));
    return Step::kEnd;
  }
  const size_t offset = in.offset();
  if (TakeUsualRecord(in.rest(), offset, format_, limits_.template_data, record)) {
    ByteView taken;
    in.TryTake(record.bytes.size(), &taken);
    return Step::kEntry;
  }
  if (TakeRecord(in, format_, limits_.template_data, record, fault_)) return Step::kEntry;
  if (fault_.reason == Reason::kImaTruncated) return Step::kCut;
  Note(fault_.reason, offset, TextOf(fault_));
  return Step::kEnd;
}

void ListWalk::Check(Entry& entry) {
  if (!ReadFields(entry)) {
    Note(Reason::kImaTemplate, entry.offset, "its template's fields are not well-formed");
  }
  CheckRegister(entry);
}

void ListWalk::CheckRegister(const Record& record) {
  if (record.register_index >= registers::kCount) {
    Note(Reason::kImaTemplate, record.offset, absl::StrCat("register ", record.register_index));
  }
}

void ListWalk::NoteCut(size_t offset) { Note(fault_.reason, offset, TextOf(fault_)); }

void ListWalk::NoteListBytes(size_t offset, size_t bytes) {
  Note(Reason::kImaLimit, offset, absl::StrCat("list of ", bytes, " bytes"));
}

void ListWalk::Note(Reason reason, size_t offset, absl::string_view text) {
  if (defects_.size() >= kMaxDefects) return;
  const bool last = defects_.size() + 1 == kMaxDefects;
  defects_.push_back({.reason = reason,
                      .offset = offset,
                      .entry = entries_,
                      .text = absl::StrCat("entry ", entries_, " at offset ", offset, ": ", text,
                                           last ? "; further defects are not listed" : "")});
}

}  // namespace bootgate::ima
