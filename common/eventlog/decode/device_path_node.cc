#include "common/eventlog/decode/device_path_node.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/bytes/reader.h"
#include "common/eventlog/decode/guid.h"
#include "common/eventlog/decode/uefi_text.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kShownBytes = 64;  // of a body without a text form

std::string Number(uint64_t number) {
  return absl::StrCat("0x", absl::AsciiStrToUpper(absl::StrCat(absl::Hex(number))));
}

std::string HexUpTo(ByteView bytes) {
  const bool cut = bytes.size() > kShownBytes;
  return absl::StrCat(ToHex(bytes.first(std::min(bytes.size(), kShownBytes))), cut ? "..." : "");
}

// Reads a node's fields one after the other. Any that is missing leaves the whole without a form.
class Fields {
 public:
  explicit Fields(ByteView body) : in_(body) {}

  uint8_t U8() {
    return Get<uint8_t>([this](uint8_t* v) { return in_.TryU8(v); });
  }
  uint16_t U16() {
    return Get<uint16_t>([this](uint16_t* v) { return in_.TryU16Le(v); });
  }
  uint32_t U32() {
    return Get<uint32_t>([this](uint32_t* v) { return in_.TryU32Le(v); });
  }
  uint64_t U64() {
    return Get<uint64_t>([this](uint64_t* v) { return in_.TryU64Le(v); });
  }
  ByteView Take(size_t size) {
    ByteView bytes;
    complete_ = in_.TryTake(size, &bytes) && complete_;
    return bytes;
  }
  ByteView Rest() const { return in_.rest(); }
  bool complete() const { return complete_; }

 private:
  template <typename T, typename Read>
  T Get(Read read) {
    T value = 0;
    complete_ = read(&value) && complete_;
    return value;
  }
  bytes::Reader in_;
  bool complete_ = true;
};

// A form: the text of a node's fields. What it makes of missing ones is not used.
using Form = std::string (*)(Fields&);

std::string GuidAndData(absl::string_view name, Fields& in) {
  const std::string guid = GuidText(in.Take(kGuidBytes));
  const ByteView data = in.Rest();
  return absl::StrCat(name, "(", guid, data.empty() ? "" : ",", HexUpTo(data), ")");
}

std::string Pci(Fields& in) {
  const uint8_t function = in.U8();
  return absl::StrCat("Pci(", Number(in.U8()), ",", Number(function), ")");
}
std::string PcCard(Fields& in) { return absl::StrCat("PcCard(", Number(in.U8()), ")"); }
std::string MemoryMapped(Fields& in) {
  const uint32_t type = in.U32();
  const uint64_t start = in.U64();
  return absl::StrCat("MemoryMapped(", Number(type), ",", Number(start), ",", Number(in.U64()),
                      ")");
}
std::string VenHw(Fields& in) { return GuidAndData("VenHw", in); }
std::string Ctrl(Fields& in) { return absl::StrCat("Ctrl(", Number(in.U32()), ")"); }
std::string Bmc(Fields& in) {
  const uint8_t type = in.U8();
  return absl::StrCat("BMC(", Number(type), ",", Number(in.U64()), ")");
}

// A compressed EISA id: three letters of five bits each, then four digits.
std::string EisaId(uint32_t id) {
  const uint32_t letters = id & 0xffff;
  std::string text;
  for (const int shift : {10, 5, 0}) {
    text.push_back(static_cast<char>('@' + (letters >> shift & 0x1f)));
  }
  return absl::AsciiStrToUpper(absl::StrCat(text, absl::Hex(id >> 16, absl::kZeroPad4)));
}

std::string Acpi(Fields& in) {
  const std::string id = EisaId(in.U32());
  const std::string unit = Number(in.U32());
  if (id == "PNP0A03") return absl::StrCat("PciRoot(", unit, ")");
  if (id == "PNP0A08") return absl::StrCat("PcieRoot(", unit, ")");
  if (id == "PNP0604") return absl::StrCat("Floppy(", unit, ")");
  if (id == "PNP0301") return absl::StrCat("Keyboard(", unit, ")");
  if (id == "PNP0501") return absl::StrCat("Serial(", unit, ")");
  if (id == "PNP0401") return absl::StrCat("ParallelPort(", unit, ")");
  return absl::StrCat("Acpi(", id, ",", unit, ")");
}
std::string AcpiAdr(Fields& in) { return absl::StrCat("AcpiAdr(", Number(in.U32()), ")"); }

std::string Ata(Fields& in) {
  const bool secondary = in.U8() != 0;
  const bool slave = in.U8() != 0;
  return absl::StrCat("Ata(", secondary ? "Secondary" : "Primary", ",", slave ? "Slave" : "Master",
                      ",", Number(in.U16()), ")");
}
std::string Scsi(Fields& in) {
  const uint16_t target = in.U16();
  return absl::StrCat("Scsi(", Number(target), ",", Number(in.U16()), ")");
}
std::string Fibre(Fields& in) {
  in.U32();  // reserved
  const uint64_t name = in.U64();
  return absl::StrCat("Fibre(", Number(name), ",", Number(in.U64()), ")");
}
std::string Usb(Fields& in) {
  const uint8_t port = in.U8();
  return absl::StrCat("USB(", Number(port), ",", Number(in.U8()), ")");
}
std::string UsbClass(Fields& in) {
  const uint16_t vendor = in.U16();
  const uint16_t product = in.U16();
  const uint8_t device_class = in.U8(), subclass = in.U8();
  return absl::StrCat("UsbClass(", Number(vendor), ",", Number(product), ",", Number(device_class),
                      ",", Number(subclass), ",", Number(in.U8()), ")");
}
std::string UsbWwid(Fields& in) {
  const uint16_t interface = in.U16(), vendor = in.U16(), product = in.U16();
  const std::string serial = Utf8FromTerminatedUtf16(in.Rest()).value_or("(not UTF-16)");
  return absl::StrCat("UsbWwid(", Number(vendor), ",", Number(product), ",", Number(interface),
                      ",\"", serial, "\")");
}
std::string VenMsg(Fields& in) { return GuidAndData("VenMsg", in); }
std::string Mac(Fields& in) {
  constexpr size_t kAddressField = 32, kEthernet = 6;  // bytes
  const ByteView address = in.Take(kAddressField);
  const uint8_t type = in.U8();
  if (!in.complete()) return "";
  return absl::StrCat("MAC(", ToHex(address.first(type <= 1 ? kEthernet : kAddressField)), ",",
                      Number(type), ")");
}
std::string Ipv4Address(ByteView b) {
  return b.size() == 4 ? absl::StrCat(b[0], ".", b[1], ".", b[2], ".", b[3]) : "";
}
std::string Ipv4(Fields& in) {
  const std::string local = Ipv4Address(in.Take(4));
  const std::string remote = Ipv4Address(in.Take(4));
  in.U32();  // two ports
  const uint16_t protocol = in.U16();
  const bool fixed = in.U8() != 0;
  return absl::StrCat("IPv4(", remote, ",", Number(protocol), ",", fixed ? "Static" : "DHCP", ",",
                      local, ")");
}
std::string Ipv6Address(ByteView b) {
  std::string text;
  for (size_t i = 0; i + 1 < b.size(); i += 2) {
    absl::StrAppend(&text, i == 0 ? "" : ":", absl::Hex(b[i] << 8 | b[i + 1]));
  }
  return text;
}
std::string Ipv6(Fields& in) {
  const std::string local = Ipv6Address(in.Take(16));
  const std::string remote = Ipv6Address(in.Take(16));
  in.U32();  // two ports
  const uint16_t protocol = in.U16();
  const uint8_t origin = in.U8();
  const absl::string_view how = origin == 0 ? "Static" : origin == 1 ? "Stateless" : "Stateful";
  return absl::StrCat("IPv6(", remote, ",", Number(protocol), ",", how, ",", local, ")");
}
std::string Uart(Fields& in) {
  in.U32();  // reserved
  const uint64_t baud = in.U64();
  const uint8_t bits = in.U8(), parity = in.U8();
  return absl::StrCat("Uart(", baud, ",", bits, ",", parity, ",", in.U8(), ")");
}
std::string Unit(Fields& in) { return absl::StrCat("Unit(", Number(in.U8()), ")"); }
std::string Sata(Fields& in) {
  const uint16_t port = in.U16(), multiplier = in.U16();
  return absl::StrCat("Sata(", Number(port), ",", Number(multiplier), ",", Number(in.U16()), ")");
}
std::string Iscsi(Fields& in) {
  const uint16_t protocol = in.U16();
  in.U16();  // login options
  const uint64_t unit = in.U64();
  const uint16_t portal = in.U16();
  return absl::StrCat("iSCSI(",
                      AsText(in.Rest().first(std::min(in.Rest().size(), kShownBytes * 4))), ",",
                      Number(portal), ",", Number(unit), ",", Number(protocol), ")");
}
std::string Vlan(Fields& in) { return absl::StrCat("Vlan(", in.U16(), ")"); }
std::string Nvme(Fields& in) {
  const uint32_t name_space = in.U32();
  const ByteView id = in.Take(8);
  std::string text;
  for (size_t i = id.size(); i > 0; --i) {
    absl::StrAppend(&text, text.empty() ? "" : "-",
                    absl::AsciiStrToUpper(ToHex(id.subspan(i - 1, 1))));
  }
  return absl::StrCat("NVMe(", Number(name_space), ",", text, ")");
}
std::string Uri(Fields& in) {
  const ByteView uri = in.Rest();
  return absl::StrCat("Uri(", AsText(uri.first(std::min(uri.size(), size_t{2048}))), ")");
}
std::string Ufs(Fields& in) {
  const uint8_t target = in.U8();
  return absl::StrCat("UFS(", Number(target), ",", Number(in.U8()), ")");
}
std::string Sd(Fields& in) { return absl::StrCat("SD(", Number(in.U8()), ")"); }
std::string Emmc(Fields& in) { return absl::StrCat("eMMC(", Number(in.U8()), ")"); }
std::string Bluetooth(Fields& in) { return absl::StrCat("Bluetooth(", ToHex(in.Take(6)), ")"); }
std::string WiFi(Fields& in) {
  const absl::string_view name = AsText(in.Take(32));
  return absl::StrCat("Wi-Fi(", name.substr(0, name.find('\0')), ")");
}
std::string Nvdimm(Fields& in) { return absl::StrCat("NVDIMM(", GuidText(in.Take(16)), ")"); }

constexpr uint8_t kSignatureMbr = 1, kSignatureGuid = 2;

std::string HardDrive(Fields& in) {
  const uint32_t number = in.U32();
  const uint64_t start = in.U64(), size = in.U64();
  const ByteView signature = in.Take(kGuidBytes);
  in.U8();  // format of the table
  const uint8_t kind = in.U8();
  if (!in.complete()) return "";
  std::string id = Number(kind);
  if (kind == kSignatureGuid) id = absl::StrCat("GPT,", GuidText(signature));
  if (kind == kSignatureMbr) {
    bytes::Reader mbr(signature);
    uint32_t serial = 0;
    mbr.TryU32Le(&serial);
    id = absl::StrCat("MBR,", Number(serial));
  }
  return absl::StrCat("HD(", number, ",", id, ",", Number(start), ",", Number(size), ")");
}
std::string CdRom(Fields& in) {
  const uint32_t entry = in.U32();
  const uint64_t start = in.U64();
  return absl::StrCat("CDROM(", Number(entry), ",", Number(start), ",", Number(in.U64()), ")");
}
std::string VenMedia(Fields& in) { return GuidAndData("VenMedia", in); }
std::string FilePath(Fields& in) {
  return Utf8FromTerminatedUtf16(in.Rest()).value_or("(not UTF-16)");
}
std::string Media(Fields& in) { return absl::StrCat("Media(", GuidText(in.Take(16)), ")"); }
std::string FvFile(Fields& in) { return absl::StrCat("FvFile(", GuidText(in.Take(16)), ")"); }
std::string Fv(Fields& in) { return absl::StrCat("Fv(", GuidText(in.Take(16)), ")"); }
std::string Offset(Fields& in) {
  constexpr size_t kWithoutReserved = 16;  // bytes; some firmware leaves the reserved ones out
  if (in.Rest().size() != kWithoutReserved) in.U32();
  const uint64_t first = in.U64();
  return absl::StrCat("Offset(", Number(first), ",", Number(in.U64()), ")");
}
std::string RamDisk(Fields& in) {
  const uint64_t start = in.U64(), end = in.U64();
  const std::string guid = GuidText(in.Take(kGuidBytes));
  return absl::StrCat("RamDisk(", Number(start), ",", Number(end), ",", in.U16(), ",", guid, ")");
}
std::string Bbs(Fields& in) {
  constexpr absl::string_view kTypes[] = {"", "Floppy", "HD", "CDROM", "PCMCIA", "USB", "Network"};
  const uint16_t type = in.U16();
  const uint16_t flags = in.U16();
  const absl::string_view text = AsText(in.Rest());
  const std::string known =
      type >= 1 && type < std::size(kTypes) ? std::string(kTypes[type]) : Number(type);
  return absl::StrCat("BBS(", known, ",", text.substr(0, text.find('\0')), ",", Number(flags), ")");
}

struct FormRow {
  uint8_t type;
  uint8_t subtype;
  Form form;
};

constexpr FormRow kForms[] = {
    {kNodeHardware, 1, Pci},
    {kNodeHardware, 2, PcCard},
    {kNodeHardware, 3, MemoryMapped},
    {kNodeHardware, 4, VenHw},
    {kNodeHardware, 5, Ctrl},
    {kNodeHardware, 6, Bmc},
    {kNodeAcpi, 1, Acpi},
    {kNodeAcpi, 3, AcpiAdr},
    {kNodeMessaging, 1, Ata},
    {kNodeMessaging, 2, Scsi},
    {kNodeMessaging, 3, Fibre},
    {kNodeMessaging, 5, Usb},
    {kNodeMessaging, 10, VenMsg},
    {kNodeMessaging, 11, Mac},
    {kNodeMessaging, 12, Ipv4},
    {kNodeMessaging, 13, Ipv6},
    {kNodeMessaging, 14, Uart},
    {kNodeMessaging, 15, UsbClass},
    {kNodeMessaging, 16, UsbWwid},
    {kNodeMessaging, 17, Unit},
    {kNodeMessaging, 18, Sata},
    {kNodeMessaging, 19, Iscsi},
    {kNodeMessaging, 20, Vlan},
    {kNodeMessaging, 23, Nvme},
    {kNodeMessaging, 24, Uri},
    {kNodeMessaging, 25, Ufs},
    {kNodeMessaging, 26, Sd},
    {kNodeMessaging, 27, Bluetooth},
    {kNodeMessaging, 28, WiFi},
    {kNodeMessaging, 29, Emmc},
    {kNodeMessaging, 32, Nvdimm},
    {kNodeMedia, kMediaHardDrive, HardDrive},
    {kNodeMedia, 2, CdRom},
    {kNodeMedia, 3, VenMedia},
    {kNodeMedia, kMediaFilePath, FilePath},
    {kNodeMedia, 5, Media},
    {kNodeMedia, 6, FvFile},
    {kNodeMedia, 7, Fv},
    {kNodeMedia, 8, Offset},
    {kNodeMedia, 9, RamDisk},
    {kNodeBios, 1, Bbs},
};

}  // namespace

std::string NodeText(const PathNode& node) {
  const auto row = std::ranges::find_if(kForms, [&](const FormRow& form) {
    return form.type == node.type && form.subtype == node.subtype;
  });
  if (row != std::end(kForms)) {
    Fields in(node.body);
    std::string text = row->form(in);
    if (in.complete()) return text;
  }
  return absl::StrCat("Path(", node.type, ",", node.subtype, node.body.empty() ? "" : ",",
                      HexUpTo(node.body), ")");
}

std::string PartitionOf(const PathNode& node) {
  if (node.type != kNodeMedia || node.subtype != kMediaHardDrive) return "";
  Fields in(node.body);
  in.U32();  // number
  in.U64();  // start
  in.U64();  // size
  const ByteView signature = in.Take(kGuidBytes);
  in.U8();  // format
  const uint8_t kind = in.U8();
  return in.complete() && kind == kSignatureGuid ? GuidText(signature) : "";
}

}  // namespace bootgate::eventlog
