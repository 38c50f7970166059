#include "common/eventlog/decode/image_load.h"

#include "absl/strings/str_cat.h"
#include "common/bytes/reader.h"
#include "common/eventlog/decode/uefi_text.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kNodeHeader = 4;  // bytes: type, subtype, length
constexpr size_t kMaxNodes = 64;   // more than any real path has
constexpr uint8_t kMedia = 0x04;
constexpr uint8_t kMediaFilePath = 0x04;
constexpr uint8_t kMediaFvFile = 0x06;
constexpr uint8_t kMediaFv = 0x07;
constexpr uint8_t kEnd = 0x7f;

struct Node {
  uint8_t type = 0;
  uint8_t subtype = 0;
  ByteView body;
};

bool TryNode(bytes::Reader& in, Node* node) {
  ByteView kind;
  uint16_t size = 0;
  if (!in.TryTake(2, &kind) || !in.TryU16Le(&size) || size < kNodeHeader) return false;
  node->type = kind[0];
  node->subtype = kind[1];
  return in.TryTake(size - kNodeHeader, &node->body);
}

void AddLocation(ImageLoad& load, std::string text) {
  absl::StrAppend(&load.location, load.location.empty() ? "" : "/", text);
}

void AddNode(const Node& node, ImageLoad& load) {
  if (node.type == kMedia && node.subtype == kMediaFilePath) {
    load.file_path += Utf8FromTerminatedUtf16(node.body).value_or("(not UTF-16)");
  } else if (node.type == kMedia && node.subtype == kMediaFvFile) {
    AddLocation(load, absl::StrCat("FvFile(", GuidText(node.body), ")"));
  } else if (node.type == kMedia && node.subtype == kMediaFv) {
    AddLocation(load, absl::StrCat("Fv(", GuidText(node.body), ")"));
  } else {
    AddLocation(load, absl::StrCat("Node(", node.type, ",", node.subtype, ")"));
  }
}

uint64_t Join(uint32_t low, uint32_t high) { return uint64_t{high} << 32 | low; }

bool TryU64Le(bytes::Reader& in, uint64_t* value) {
  uint32_t low = 0;
  uint32_t high = 0;
  if (!in.TryU32Le(&low) || !in.TryU32Le(&high)) return false;
  *value = Join(low, high);
  return true;
}

}  // namespace

std::optional<ImageLoad> DecodeImageLoad(ByteView event_data) {
  bytes::Reader in(event_data);
  ImageLoad load;
  uint64_t location = 0;
  uint64_t link_time_address = 0;
  uint64_t path_size = 0;
  ByteView path;
  if (!TryU64Le(in, &location) || !TryU64Le(in, &load.size) || !TryU64Le(in, &link_time_address) ||
      !TryU64Le(in, &path_size) || path_size > in.remaining() ||
      !in.TryTake(static_cast<size_t>(path_size), &path)) {
    return std::nullopt;
  }
  bytes::Reader nodes(path);
  Node node;
  for (size_t i = 0; i < kMaxNodes && TryNode(nodes, &node) && node.type != kEnd; ++i) {
    AddNode(node, load);
  }
  return load;
}

}  // namespace bootgate::eventlog
