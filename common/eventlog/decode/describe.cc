#include "common/eventlog/decode/describe.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/bytes/reader.h"
#include "common/eventlog/coverage.h"
#include "common/eventlog/decode/image_load.h"
#include "common/eventlog/decode/ipl_text.h"
#include "common/eventlog/decode/uefi_text.h"
#include "common/eventlog/decode/variable.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/ipl.h"
#include "common/eventlog/spec_id.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kShownBytes = 16;   // of data without a text form
constexpr size_t kMaxKeyText = 160;  // bytes
constexpr absl::string_view kSwitches[] = {"SecureBoot",   "SetupMode",  "AuditMode",
                                           "DeployedMode", "MokSBState", "MokIgnoreDB"};

std::string Hex(ByteView bytes) {
  if (bytes.size() <= kShownBytes) return ToHex(bytes);
  return absl::StrCat(ToHex(bytes.first(kShownBytes)), "... (", bytes.size(), " bytes)");
}

std::string Shown(ByteView text) {
  const absl::string_view all = AsText(text);
  return Printable(all.substr(0, all.find('\0')));
}

// UTF-16 where it can be read as such, else the bytes as text.
std::string ShownUtf16(ByteView bytes) {
  const std::optional<std::string> text = Utf8FromTerminatedUtf16(bytes);
  return text.has_value() ? Printable(*text) : Hex(bytes);
}

// A switch is told in words.
std::string SwitchWord(const UefiVariable& variable) {
  if (variable.data.size() != 1 || variable.data[0] > 1) return "";
  for (const absl::string_view name : kSwitches) {
    if (variable.name == name) return variable.data[0] == 1 ? " (on)" : " (off)";
  }
  return "";
}

std::string DescribeVariable(const Event& event) {
  const std::optional<UefiVariable> variable = DecodeUefiVariable(event);
  if (!variable.has_value()) return "UEFI variable that cannot be read";
  const std::string name = Printable(variable->name);
  if (variable->data.empty()) return absl::StrCat(name, " is empty");
  return absl::StrCat(name, " = ", Hex(variable->data), SwitchWord(*variable));
}

std::string DescribeIpl(const Event& event) {
  const IplParts parts = SplitIpl(event.data);
  const std::string text = Printable(IplText(parts, event.data));
  if (parts.label == "kernel_cmdline") return absl::StrCat("kernel command line: ", text);
  if (parts.label == "module_cmdline") return absl::StrCat("module command line: ", text);
  if (parts.label == "grub_cmd") return absl::StrCat("GRUB command: ", text);
  return absl::StrCat("boot loader: ", text);
}

std::string DescribeImage(const Event& event) {
  const std::optional<ImageLoad> load = DecodeImageLoad(event.data);
  if (!load.has_value()) return "image load that cannot be read";
  const std::string& where = load->file_path.empty() ? load->location : load->file_path;
  return absl::StrCat("image load, ", load->size, " bytes",
                      where.empty() ? "" : absl::StrCat(", ", Printable(where)));
}

std::string DescribeTag(const Event& event) {
  bytes::Reader in(event.data);
  uint32_t id = 0;
  uint32_t size = 0;
  ByteView data;
  if (!in.TryU32Le(&id) || !in.TryU32Le(&size) || !in.TryTake(size, &data)) {
    return absl::StrCat("tagged event that cannot be read: ", Hex(event.data));
  }
  const bool text = !data.empty() && data[0] >= ' ' && data[0] < 0x7f;
  return absl::StrCat("tag 0x", absl::Hex(id, absl::kZeroPad8), ": ",
                      text ? Shown(data) : Hex(data));
}

std::string DescribeNoAction(const Event& event) {
  if (IsSpecId03(event.data)) {
    return absl::StrCat("Spec ID event, ", ReadSpecId03(event.data).count, " banks");
  }
  if (absl::StartsWith(AsText(event.data), "StartupLocality") && !event.data.empty()) {
    return absl::StrCat("startup locality ", event.data.back());
  }
  return absl::StrCat("note: ", Shown(event.data.first(std::min(event.data.size(), kShownBytes))));
}

std::string DescribeData(const Event& event) {
  const uint32_t type = event.untrusted_type;
  if (IsUefiVariable(type)) return DescribeVariable(event);
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
      return absl::StrCat("separator ", Hex(event.data));
    case kEvSCrtmVersion:
      return absl::StrCat("firmware version ", ShownUtf16(event.data));
    case kEvEfiGptEvent:
      return absl::StrCat("partition table, ", event.data.size(), " bytes");
    default:
      return absl::StrCat(TypeName(type), " ", Hex(event.data));
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

}  // namespace

std::string Describe(const Log& log, const Event& event, crypto::HashAlg alg) {
  const std::string text = DescribeData(event);
  if (event.untrusted_type == kEvNoAction) return text;
  return absl::StrCat(text, CoverageRemark(CoverageOf(log, event, alg)));
}

std::string PairingKey(const Event& event) {
  const uint32_t type = event.untrusted_type;
  if (IsUefiVariable(type)) return VariableKey(event);
  if (IsImageLoad(type)) return ImageKey(event);
  switch (type) {
    case kEvIpl:
      return IplKey(event);
    case kEvSeparator:
      return "separator";
    case kEvSCrtmVersion:
      return "crtm-version";
    case kEvEfiGptEvent:
      return "gpt";
    case kEvAction:
    case kEvEfiAction:
      return absl::StrCat("action:", Printable(AsText(event.data), kMaxKeyText));
    default:
      return "";
  }
}

}  // namespace bootgate::eventlog
