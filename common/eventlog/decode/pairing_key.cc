// What an event is about, to pair events of two boots (describe.h).
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/decode/describe.h"
#include "common/eventlog/decode/event_tag.h"
#include "common/eventlog/decode/firmware_blob.h"
#include "common/eventlog/decode/image_load.h"
#include "common/eventlog/decode/ipl_text.h"
#include "common/eventlog/decode/variable.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/ipl.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kMaxKeyText = 160;  // bytes

std::string IplKey(const Event& event) {
  const IplParts parts = SplitIpl(event.data);
  const std::string text = IplText(parts, event.data);
  if (parts.label.empty()) return absl::StrCat("ipl:", Printable(text, kMaxKeyText));
  if (parts.label != "grub_cmd") return absl::StrCat("ipl:", parts.label);
  return absl::StrCat("ipl:grub_cmd:", Printable(text.substr(0, text.find(' ')), kMaxKeyText));
}

std::string ImageKey(const Event& event) {
  const std::optional<ImageLoad> load = DecodeImageLoad(event.data);
  if (!load.has_value() || (load->file_path.empty() && load->location.empty())) return "";
  const std::string& where = load->file_path.empty() ? load->location : load->file_path;
  return absl::StrCat("image:", Printable(where, kMaxKeyText));
}

std::string VariableKey(const Event& event) {
  const std::optional<UefiVariable> variable = DecodeUefiVariable(event);
  if (!variable.has_value()) return "";
  const bool authority = event.untrusted_type == kEvEfiVariableAuthority;
  return absl::StrCat(authority ? "authority:" : "var:", Printable(variable->name, kMaxKeyText));
}

std::string TagKey(const Event& event) {
  const std::optional<TaggedEvent> tag = DecodeTaggedEvent(event.data);
  return tag.has_value() ? absl::StrCat("tag:", absl::Hex(tag->id, absl::kZeroPad8)) : "";
}

// By the firmware's own words; an address alone pairs nothing, it moves with every update.
std::string BlobKey(const Event& event) {
  const std::optional<FirmwareBlob> blob = DecodeFirmwareBlob(event.data);
  if (!blob.has_value() || blob->description.empty()) return "";
  return absl::StrCat("blob:", Printable(blob->description, kMaxKeyText));
}

}  // namespace

std::string PairingKey(const Event& event) {
  const uint32_t type = event.untrusted_type;
  if (IsUefiVariable(type)) return VariableKey(event);
  if (IsImageLoad(type)) return ImageKey(event);
  switch (type) {
    case kEvIpl:
      return IplKey(event);
    case kEvEventTag:
      return TagKey(event);
    case kEvSeparator:
      return "separator";
    case kEvSCrtmVersion:
      return "crtm-version";
    case kEvEfiGptEvent:
    case kEvEfiGptEvent2:
      return "gpt";
    case kEvEfiPlatformFirmwareBlob2:
      return BlobKey(event);
    case kEvAction:
    case kEvEfiAction:
      return absl::StrCat("action:", Printable(AsText(event.data), kMaxKeyText));
    default:
      return "";
  }
}

}  // namespace bootgate::eventlog
