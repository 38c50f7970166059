#include "common/eventlog/decode/device_path.h"

#include "absl/strings/str_cat.h"
#include "common/bytes/reader.h"
#include "common/eventlog/decode/device_path_node.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kNodeHeader = 4;  // bytes: type, subtype, length
constexpr uint8_t kEndOfInstance = 0x01;

bool TryNode(bytes::Reader& in, PathNode* node) {
  uint16_t size = 0;
  return in.TryU8(&node->type) && in.TryU8(&node->subtype) && in.TryU16Le(&size) &&
         size >= kNodeHeader && in.TryTake(size - kNodeHeader, &node->body);
}

// False when there is no room for the text.
bool Append(DevicePath& path, absl::string_view separator, absl::string_view text) {
  if (path.text.size() + separator.size() + text.size() > kMaxPathText) return false;
  absl::StrAppend(&path.text, separator, text);
  return true;
}

}  // namespace

DevicePath DecodeDevicePath(ByteView bytes) {
  DevicePath path;
  bytes::Reader in(bytes);
  PathNode node;
  absl::string_view separator;
  for (size_t i = 0; i < kMaxPathNodes && TryNode(in, &node); ++i) {
    if (node.type == kNodeEnd && node.subtype == kEndOfInstance) {
      separator = ",";
      continue;
    }
    if (node.type == kNodeEnd) {
      path.complete = in.empty();
      return path;
    }
    const std::string text = NodeText(node);
    if (!Append(path, separator, text)) return path;
    separator = "/";
    if (node.type == kNodeMedia && node.subtype == kMediaFilePath) path.file_path += text;
    if (path.partition.empty()) path.partition = PartitionOf(node);
  }
  return path;
}

}  // namespace bootgate::eventlog
