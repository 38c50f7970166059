// One node of a device path as text.
//
// Implements: UEFI 2.10, 10.3 (nodes), 10.6.1.6 (text form of each).
#pragma once

#include <cstdint>
#include <string>

#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

inline constexpr uint8_t kNodeHardware = 0x01;
inline constexpr uint8_t kNodeAcpi = 0x02;
inline constexpr uint8_t kNodeMessaging = 0x03;
inline constexpr uint8_t kNodeMedia = 0x04;
inline constexpr uint8_t kNodeBios = 0x05;
inline constexpr uint8_t kNodeEnd = 0x7f;
inline constexpr uint8_t kMediaHardDrive = 0x01;
inline constexpr uint8_t kMediaFilePath = 0x04;

struct PathNode {
  uint8_t type = 0;
  uint8_t subtype = 0;
  ByteView body;  // without the four bytes of type, subtype and length; borrowed
};

// "Pci(0x1D,0x0)"; "Path(type,subtype,hex)" for a node without a form of its own or with a body
// that does not fit its type. Long bodies are cut. Not escaped.
std::string NodeText(const PathNode& node);

// The GUID of the GPT partition of a hard drive node, upper case; "" for any other node.
std::string PartitionOf(const PathNode& node);

}  // namespace bootgate::eventlog
