#include "common/eventlog/decode/image_load.h"

#include <utility>

#include "common/bytes/reader.h"
#include "common/eventlog/decode/device_path.h"

namespace bootgate::eventlog {

std::optional<ImageLoad> DecodeImageLoad(ByteView event_data) {
  bytes::Reader in(event_data);
  ImageLoad load;
  uint64_t path_size = 0;
  if (!in.TryU64Le(&load.address) || !in.TryU64Le(&load.size) ||
      !in.TryU64Le(&load.link_time_address) || !in.TryU64Le(&path_size) ||
      path_size > in.remaining() ||
      !in.TryTake(static_cast<size_t>(path_size), &load.device_path)) {
    return std::nullopt;
  }
  DevicePath path = DecodeDevicePath(load.device_path);
  load.file_path = std::move(path.file_path);
  load.location = std::move(path.text);
  load.partition = std::move(path.partition);
  return load;
}

}  // namespace bootgate::eventlog
