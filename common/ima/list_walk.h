// One walk through a list: entry after entry with what is wrong with each. List and ListStream are
// made of it, so that both find the same.
#pragma once

#include <vector>

#include "common/ima/list.h"

namespace bootgate::ima {

class ListWalk {
 public:
  ListWalk(const Format& format, const Limits& limits) : format_(format), limits_(limits) {}

  //   kEntry  an entry was read
  //   kCut    the bytes end inside one; `cut` says where. More bytes may complete it.
  //   kEnd    a limit was met, which is noted as a defect: nothing more is read
  enum class Step { kEntry, kCut, kEnd };
  // `entry` comes as new.
  Step Next(bytes::Reader& in, Entry& entry);
  // The same for who keeps no fields: they are checked.
  Step Pass(bytes::Reader& in);

  void NoteCut(size_t offset);  // nothing follows the bytes that ended inside an entry
  void NoteListBytes(size_t offset, size_t bytes);

  uint32_t entries() const { return entries_; }
  std::vector<Defect>& defects() { return defects_; }
  const std::vector<Defect>& defects() const { return defects_; }

 private:
  Step Take(bytes::Reader& in, Record& record);
  void Check(Entry& entry);
  void CheckRegister(const Record& record);
  void Note(Reason reason, size_t offset, absl::string_view text);

  Format format_;
  Limits limits_;
  uint32_t entries_ = 0;  // read so far
  RecordFault fault_;
  std::vector<Defect> defects_;
};

}  // namespace bootgate::ima
