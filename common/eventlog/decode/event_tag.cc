#include "common/eventlog/decode/event_tag.h"

#include <algorithm>

#include "common/bytes/reader.h"

namespace bootgate::eventlog {
namespace {

struct TagRow {
  uint32_t id;
  absl::string_view name;
};

constexpr TagRow kTags[] = {
    {kTagLinuxInitrd, "Linux initrd"},
    {kTagLinuxLoadOptions, "Linux load options"},
    {kTagSystemdLoaderConf, "systemd-boot loader.conf"},
    {kTagSystemdDeviceTree, "systemd-stub device tree add-on"},
    {kTagSystemdInitrd, "systemd-stub initrd add-on"},
    {kTagSystemdUcode, "systemd-stub microcode add-on"},
};

}  // namespace

std::optional<TaggedEvent> DecodeTaggedEvent(ByteView event_data) {
  bytes::Reader in(event_data);
  TaggedEvent tag;
  uint32_t size = 0;
  if (!in.TryU32Le(&tag.id) || !in.TryU32Le(&size) || !in.TryTake(size, &tag.data)) {
    return std::nullopt;
  }
  tag.exact = in.empty();
  const auto row = std::ranges::find(kTags, tag.id, &TagRow::id);
  if (row != std::end(kTags)) tag.name = row->name;
  return tag;
}

}  // namespace bootgate::eventlog
