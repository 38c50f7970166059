// A list of defects that hostile input cannot make grow without bound.
#pragma once

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/eventlog/log.h"

namespace bootgate::eventlog {

// Appends unless the list is full; the last place says that there were more.
inline void AddDefect(std::vector<Defect>& defects, Defect defect) {
  if (defects.size() + 1 < kMaxDefects) {
    defects.push_back(std::move(defect));
  } else if (defects.size() < kMaxDefects) {
    defect.text = absl::StrCat(defect.text, "; further defects are not listed");
    defects.push_back(std::move(defect));
  }
}

}  // namespace bootgate::eventlog
