// Test only: a captured boot (the form of tests/corpus/boots) as a machine in software has it.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/registers/bank.h"

namespace bootgate::gate {

struct CapturedCase {
  Bytes boot_log;
  Bytes user_log;          // none of the captured boots has one
  Bytes ima;               // the entries that `registers` covers
  size_t ima_entries = 0;  // how many they are
  std::vector<registers::RegisterBank> registers;
};

// A case of tests/corpus/boots by its folder's name: "good", "secure-boot-off", ... Ends the
// program when it is not there or its list does not lead to its registers.
CapturedCase LoadCase(absl::string_view name);

}  // namespace bootgate::gate
