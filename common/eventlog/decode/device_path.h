// UEFI device paths as text.
//
// Implements: UEFI 2.10, 10.3 (nodes) and 10.6 (text form).
#pragma once

#include <string>

#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

inline constexpr size_t kMaxPathNodes = 64;   // more than any real path has
inline constexpr size_t kMaxPathText = 4096;  // bytes

struct DevicePath {
  // "PciRoot(0x0)/Pci(0x1D,0x0)/NVMe(0x1,...)/HD(1,GPT,...)/\EFI\debian\shimx64.efi". Nodes without
  // a form of their own are "Path(type,subtype,hex)"; instances are parted by ",". Not escaped.
  std::string text;
  std::string file_path;  // the file path nodes joined, empty when there are none
  std::string partition;  // the GUID of a GPT partition the path goes through, upper case; or empty
  bool complete = false;  // it ended with its end node, nothing was malformed or left out
};

// Never fails: what cannot be read ends the path and is not `complete`.
DevicePath DecodeDevicePath(ByteView bytes);

}  // namespace bootgate::eventlog
