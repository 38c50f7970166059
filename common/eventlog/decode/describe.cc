#include "common/eventlog/decode/describe.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/eventlog/coverage.h"
#include "common/eventlog/decode/boot_chain.h"
#include "common/eventlog/decode/drtm.h"
#include "common/eventlog/decode/event_tag.h"
#include "common/eventlog/decode/firmware_blob.h"
#include "common/eventlog/decode/gpt.h"
#include "common/eventlog/decode/image_load.h"
#include "common/eventlog/decode/ipl_text.h"
#include "common/eventlog/decode/no_action.h"
#include "common/eventlog/decode/separator.h"
#include "common/eventlog/decode/spdm.h"
#include "common/eventlog/decode/tables.h"
#include "common/eventlog/decode/variable_words.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/ipl.h"
#include "common/eventlog/spec_id.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kShownBytes = 16;  // of data without a text form
constexpr size_t kMaxWords = 4096;  // bytes; a kernel command line is at most 2048

std::string Hex(ByteView bytes) {
  if (bytes.size() <= kShownBytes) return ToHex(bytes);
  return absl::StrCat(ToHex(bytes.first(kShownBytes)), "... (", bytes.size(), " bytes)");
}

// A text that ends at its first NUL.
std::string Shown(ByteView text) {
  const absl::string_view all = AsText(text);
  return Printable(all.substr(0, all.find('\0')));
}

std::string DescribeIpl(const Event& event) {
  const IplParts parts = SplitIpl(event.data);
  const std::string text = Printable(IplText(parts, event.data), kMaxWords);
  if (parts.label == "kernel_cmdline") return absl::StrCat("kernel command line: ", text);
  if (parts.label == "module_cmdline") return absl::StrCat("module command line: ", text);
  if (parts.label == "grub_cmd") return absl::StrCat("GRUB command: ", text);
  const std::optional<BootPart> part = DecodeBootPart(event);
  if (!part.has_value() || part->role == BootRole::kOther) {
    return absl::StrCat("boot loader: ", text);
  }
  if (part->role == BootRole::kCommandLine) {
    return absl::StrCat("kernel command line: ", Printable(part->text, kMaxWords));
  }
  const absl::string_view stack = part->stack == BootStack::kGrub ? "GRUB" : Name(part->stack);
  return absl::StrCat(stack, " ", Name(part->role), ": ", Printable(part->text, kMaxWords));
}

std::string DescribeImage(const Event& event) {
  const std::optional<ImageLoad> load = DecodeImageLoad(event.data);
  if (!load.has_value()) return "image load that cannot be read";
  const std::string& where = load->file_path.empty() ? load->location : load->file_path;
  return absl::StrCat("image load, ", load->size, " bytes",
                      where.empty() ? "" : absl::StrCat(", ", Printable(where)));
}

std::string DescribeTag(const Event& event) {
  const std::optional<TaggedEvent> tag = DecodeTaggedEvent(event.data);
  if (!tag.has_value()) {  // some write their text without a tag
    const std::string text = FirmwareText(event.data);
    return text.empty() ? absl::StrCat("tagged event that cannot be read: ", Hex(event.data))
                        : absl::StrCat("tag: ", Printable(text));
  }
  if (!tag->name.empty()) return std::string(tag->name);
  if (DecodeNote(event.data).kind == NoteKind::kWindowsBoot) {
    return absl::StrCat("Windows boot records, ", tag->data.size(), " bytes");
  }
  const bool text = !tag->data.empty() && tag->data[0] >= ' ' && tag->data[0] < 0x7f;
  return absl::StrCat("tag 0x", absl::Hex(tag->id, absl::kZeroPad8), ": ",
                      text ? Shown(tag->data) : Hex(tag->data));
}

std::string DescribePlatformId(const Note& note) {
  return absl::StrCat("platform id, reference manifest ", note.manifest_guid,
                      note.platform_model.empty()
                          ? ""
                          : absl::StrCat(", ", Printable(note.platform_manufacturer), " ",
                                         Printable(note.platform_model)));
}

std::string DescribeNoAction(const Event& event) {
  const Note note = DecodeNote(event.data);
  switch (note.kind) {
    case NoteKind::kSpecId03:
      return absl::StrCat("Spec ID event, ", ReadSpecId03(event.data).count, " banks");
    case NoteKind::kStartupLocality:
      return absl::StrCat("startup locality ", note.locality);
    case NoteKind::kPlatformId:
    case NoteKind::kPlatformId2:
    case NoteKind::kPlatformId3:
      return DescribePlatformId(note);
    case NoteKind::kSpecId00:
    case NoteKind::kSpecId02:
    case NoteKind::kHcrtmComponent:
    case NoteKind::kWindowsBoot:
      return std::string(Name(note.kind));
    case NoteKind::kOther:
      break;
  }
  return absl::StrCat("note: ", Shown(event.data.first(std::min(event.data.size(), kShownBytes))));
}

std::string DescribeSeparator(const Event& event) {
  const bool error = DecodeSeparator(event.data) == SeparatorKind::kError;
  return absl::StrCat("separator ", Hex(event.data),
                      error ? " (the firmware reports an error)" : "");
}

std::string DescribePartitions(const Event& event) {
  const std::optional<PartitionTable> table = DecodePartitionTable(event.data);
  if (!table.has_value()) {
    return absl::StrCat("partition table that cannot be read, ", event.data.size(), " bytes");
  }
  return absl::StrCat("partition table of disk ", table->disk, ", ", table->partitions.size(),
                      table->partitions.size() == 1 ? " partition" : " partitions");
}

std::string DescribeVersion(const Event& event) {
  const std::string text = FirmwareVersion(event.data);
  return absl::StrCat("firmware version ", text.empty() ? Hex(event.data) : Printable(text));
}

// A text, a named piece or an address range; else the bytes.
std::string DescribeFirmware(const Event& event) {
  const std::string name = TypeName(event.untrusted_type);
  const std::optional<FirmwareBlob> blob = DecodeFirmwareBlob(event.data);
  if (blob.has_value()) {
    return absl::StrCat("firmware ",
                        blob->description.empty() ? "" : Printable(blob->description) + ", ",
                        blob->size, " bytes at 0x", absl::Hex(blob->base));
  }
  const std::string text = FirmwareText(event.data);
  return absl::StrCat(name, " ", text.empty() ? Hex(event.data) : Printable(text));
}

std::string DescribeTables(const Event& event) {
  const std::optional<HandoffTables> found = DecodeHandoffTables(event.untrusted_type, event.data);
  if (!found.has_value()) return absl::StrCat("tables that cannot be read: ", Hex(event.data));
  constexpr size_t kNamed = 8;
  std::vector<std::string> names;
  for (const HandoffTable& table : found->tables) {
    if (names.size() == kNamed) break;
    names.push_back(table.name.empty() ? table.guid : std::string(table.name));
  }
  return absl::StrCat("tables for the system: ", absl::StrJoin(names, ", "),
                      found->tables.size() > kNamed ? ", ..." : "");
}

std::string DescribeDevice(const Event& event) {
  const std::optional<DeviceMeasurement> device = DecodeDeviceMeasurement(event.data);
  if (!device.has_value()) {
    return absl::StrCat(TypeName(event.untrusted_type), " ", Hex(event.data));
  }
  return absl::StrCat("device measurement", device->device_path.empty() ? "" : ", ",
                      Printable(device->device_path));
}

// What has no case of its own.
std::string DescribeOther(const Event& event) {
  const DynamicLaunchType* const launch = FindDynamicLaunchType(event.untrusted_type);
  if (launch != nullptr) return absl::StrCat("dynamic launch, ", launch->meaning);
  const std::string name = TypeName(event.untrusted_type);
  const std::string text = FirmwareText(event.data);
  if (!text.empty()) return absl::StrCat(name, " ", Printable(text));
  const std::string leading = LeadingText(event.data);
  if (leading.empty()) return absl::StrCat(name, " ", Hex(event.data));
  return absl::StrCat(name, " ", leading, ", ", event.data.size(), " bytes");
}

std::string DescribeData(const Event& event) {
  const uint32_t type = event.untrusted_type;
  if (IsUefiVariable(type)) return VariableWords(event);
  if (IsImageLoad(type)) return DescribeImage(event);
  switch (type) {
    case kEvNoAction:
      return DescribeNoAction(event);
    case kEvIpl:
      return DescribeIpl(event);
    case kEvEventTag:
      return DescribeTag(event);
    case kEvAction:
    case kEvEfiAction:
      return Shown(event.data);
    case kEvSeparator:
      return DescribeSeparator(event);
    case kEvSCrtmVersion:
      return DescribeVersion(event);
    case kEvEfiGptEvent:
    case kEvEfiGptEvent2:
      return DescribePartitions(event);
    case kEvPostCode:
    case kEvPostCode2:
    case kEvSCrtmContents:
    case kEvEfiPlatformFirmwareBlob:
    case kEvEfiPlatformFirmwareBlob2:
      return DescribeFirmware(event);
    case kEvEfiHandoffTables:
    case kEvEfiHandoffTables2:
      return DescribeTables(event);
    case kEvEfiSpdmFirmwareBlob:
    case kEvEfiSpdmFirmwareConfig:
      return DescribeDevice(event);
    default:
      return DescribeOther(event);
  }
}

absl::string_view CoverageRemark(Coverage coverage) {
  switch (coverage) {
    case Coverage::kCovered:
      return "";
    case Coverage::kNotCovered:
      return " (not covered by the digest)";
    case Coverage::kMismatch:
      return " (contradicted by the digest)";
  }
  __builtin_unreachable();
}

}  // namespace

std::string Describe(const Log& log, const Event& event, crypto::HashAlg alg) {
  const std::string text = DescribeData(event);
  if (event.untrusted_type == kEvNoAction) return text;
  return absl::StrCat(text, CoverageRemark(CoverageOf(log, event, alg)));
}

}  // namespace bootgate::eventlog
