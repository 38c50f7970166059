// The small decoders on what firmware really writes, and on bytes that only look like it.
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/decode/action.h"
#include "common/eventlog/decode/device_path.h"
#include "common/eventlog/decode/drtm.h"
#include "common/eventlog/decode/event_tag.h"
#include "common/eventlog/decode/firmware_blob.h"
#include "common/eventlog/decode/gpt.h"
#include "common/eventlog/decode/load_option.h"
#include "common/eventlog/decode/no_action.h"
#include "common/eventlog/decode/separator.h"
#include "common/eventlog/decode/shim.h"
#include "common/eventlog/decode/spdm.h"
#include "common/eventlog/decode/tables.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using testing::Text;
using testing::Utf16;

// --- Device paths

struct PathRow {
  const char* name;
  const char* hex;
  const char* text;
};
void PrintTo(const PathRow& row, std::ostream* os) { *os << row.name; }
class DevicePathText : public ::testing::TestWithParam<PathRow> {};

TEST_P(DevicePathText, IsThatOfTheSpecification) {
  const Bytes bytes = *FromHex(absl::StrCat(GetParam().hex, "7fff0400"));
  const DevicePath path = DecodeDevicePath(bytes);
  EXPECT_EQ(path.text, GetParam().text);
  EXPECT_TRUE(path.complete);
}

INSTANTIATE_TEST_SUITE_P(
    Nodes, DevicePathText,
    ::testing::ValuesIn(std::vector<PathRow>{
        {"Empty", "", ""},
        {"PciRoot", "02010c00d041030a00000000", "PciRoot(0x0)"},
        {"PcieRoot", "02010c00d041080a02000000", "PcieRoot(0x2)"},
        {"OtherAcpi", "02010c00d041ff1f01000000", "Acpi(PNP1FFF,0x1)"},
        {"AcpiAdr", "0203080000010180", "AcpiAdr(0x80010100)"},
        {"Pci", "01010600021d", "Pci(0x1D,0x2)"},
        {"Sata", "03120a000100ffff0000", "Sata(0x1,0xFFFF,0x0)"},
        {"Nvme", "0317100001000000ef7c56344412abcd", "NVMe(0x1,CD-AB-12-44-34-56-7C-EF)"},
        {"Usb", "030506000301", "USB(0x3,0x1)"},
        {"Scsi", "0302080001000200", "Scsi(0x1,0x2)"},
        {"Uri", "0318080068747470", "Uri(http)"},
        {"Vlan", "031406000a00", "Vlan(10)"},
        {"Sd", "031a050001", "SD(0x1)"},
        {"FvFile", "04061400612df09e1f3b0e4bae5e0a51f6a0e501",
         "FvFile(9EF02D61-3B1F-4B0E-AE5E-0A51F6A0E501)"},
        {"Offset", "0408180000000000f0500000000000000ff9010000000000", "Offset(0x50F0,0x1F90F)"},
        {"OffsetWithoutReserved", "0408140000b2000000000000ff53020000000000",
         "Offset(0xB200,0x253FF)"},
        {"Bbs",
         "05010c0002000000"
         "48444400",
         "BBS(HD,HDD,0x0)"},
        {"TwoInstances",
         "01010600021d"
         "7f010400"
         "01010600001f",
         "Pci(0x1D,0x2),Pci(0x1F,0x0)"},
        {"Unknown", "060206000102", "Path(6,2,0102)"},
        {"KnownTypeWithAShortBody", "0101050002", "Path(1,1,02)"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(DevicePath, NamesThePartitionAndTheFile) {
  bytes::Writer path;
  const Bytes name = Utf16(absl::string_view("\\EFI\\x.efi\0", 11));
  path.Raw(*FromHex("04012a00")).U32Le(1).U64Le(0x800).U64Le(0x11000);
  path.Raw(*FromHex("0e6f2a1f0b5d554c9c5e0a51f6a0e501")).U8(2).U8(2);
  path.U8(4).U8(4).U16Le(static_cast<uint16_t>(4 + name.size())).Raw(name);
  path.Raw(*FromHex("7fff0400"));
  const DevicePath decoded = DecodeDevicePath(path.view());
  EXPECT_EQ(decoded.text,
            "HD(1,GPT,1F2A6F0E-5D0B-4C55-9C5E-0A51F6A0E501,0x800,0x11000)/\\EFI\\x.efi");
  EXPECT_EQ(decoded.partition, "1F2A6F0E-5D0B-4C55-9C5E-0A51F6A0E501");
  EXPECT_EQ(decoded.file_path, "\\EFI\\x.efi");
}

TEST(Attack, A44_EndlessDevicePathIsCut) {
  bytes::Writer path;
  for (int i = 0; i < 100000; ++i) path.Raw(*FromHex("01010600021d"));
  const DevicePath decoded = DecodeDevicePath(path.view());
  EXPECT_FALSE(decoded.complete);
  EXPECT_LE(decoded.text.size(), kMaxPathText);
}

TEST(DevicePath, NoEndNodeIsNotComplete) {
  EXPECT_FALSE(DecodeDevicePath({}).complete);
  EXPECT_FALSE(DecodeDevicePath(*FromHex("01010600021d")).complete);
  EXPECT_FALSE(DecodeDevicePath(*FromHex("7fff040000")).complete) << "a byte after the end";
}

// --- Boot entries

Bytes LoadOptionBytes(const Bytes& description, const Bytes& path) {
  bytes::Writer out;
  out.U32Le(1).U16Le(static_cast<uint16_t>(path.size())).Raw(description).Raw(path).U8(0xaa);
  return out.Finish();
}

TEST(LoadOption, ReadsDescriptionPathAndData) {
  const Bytes bytes =
      LoadOptionBytes(Utf16(absl::string_view("debian\0", 7)), *FromHex("01010600021d7fff0400"));
  const auto option = DecodeLoadOption(bytes);
  ASSERT_TRUE(option.has_value());
  EXPECT_TRUE(option->active());
  EXPECT_EQ(option->description, "debian");
  EXPECT_EQ(option->path.text, "Pci(0x1D,0x2)");
  EXPECT_EQ(ToHex(option->optional_data), "aa");
}

TEST(LoadOption, RefusesWhatEndsEarly) {
  const Bytes good =
      LoadOptionBytes(Utf16(absl::string_view("debian\0", 7)), *FromHex("01010600021d7fff0400"));
  for (size_t size = 0; size + 1 < good.size(); ++size) {
    EXPECT_FALSE(DecodeLoadOption(ByteView(good).first(size)).has_value()) << size;
  }
  EXPECT_FALSE(DecodeLoadOption(LoadOptionBytes(*FromHex("00d80000"), {})).has_value())
      << "half a surrogate pair";
}

TEST(LoadOption, KnowsTheNames) {
  for (const char* const name : {"Boot0000", "BootABCD", "Driver0001", "PlatformRecovery0000"}) {
    EXPECT_TRUE(IsLoadOptionName(name)) << name;
  }
  for (const char* const name : {"BootOrder", "Boot000", "Boot00000", "Boot000G", "xBoot0000"}) {
    EXPECT_FALSE(IsLoadOptionName(name)) << name;
  }
}

TEST(BootOrder, IsAListOfNumbers) {
  EXPECT_THAT(*DecodeBootOrder(*FromHex("010000000a00")), ElementsAre(1, 0, 10));
  EXPECT_FALSE(DecodeBootOrder(Bytes(3, 0)).has_value());
  EXPECT_FALSE(DecodeBootOrder(Bytes(4098, 0)).has_value());
}

// --- Firmware

TEST(FirmwareBlob, HasAnAddressAndPerhapsAName) {
  bytes::Writer plain, named;
  plain.U64Le(0x820000).U64Le(917504);
  named.U8(4).Raw(Text("DXE1")).U64Le(1).U64Le(2);
  EXPECT_EQ(DecodeFirmwareBlob(plain.view())->base, 0x820000u);
  EXPECT_EQ(DecodeFirmwareBlob(plain.view())->size, 917504u);
  EXPECT_EQ(DecodeFirmwareBlob(named.view())->description, "DXE1");
  for (const char* const hex : {"", "ff", "0000", "04414243440000000000000000"}) {
    EXPECT_FALSE(DecodeFirmwareBlob(*FromHex(hex)).has_value()) << hex;
  }
}

TEST(FirmwareVersion, IsUtf16AsciiOrAGuid) {
  EXPECT_EQ(FirmwareVersion(Utf16(absl::string_view("N24ET56W\0", 9))), "N24ET56W");
  EXPECT_EQ(FirmwareVersion(Text("1.2.3")), "1.2.3");
  EXPECT_EQ(FirmwareVersion(*FromHex("1efb6b540c1d5540a4ad4ef4bf17b83a")),
            "546BFB1E-1D0C-4055-A4AD-4EF4BF17B83A");
  EXPECT_EQ(FirmwareVersion(Bytes(2, 0)), "");
  EXPECT_EQ(FirmwareVersion({}), "");
  EXPECT_EQ(FirmwareVersion(Bytes{1, 2, 3}), "");
}

TEST(FirmwareText, BeginsWithAName) {
  EXPECT_EQ(LeadingText(Text(absl::string_view("td_hob\0\1\2", 9))), "td_hob");
  EXPECT_EQ(LeadingText(Bytes{1, 2, 3}), "");
  EXPECT_EQ(FirmwareText(Text("ACPI DATA")), "ACPI DATA");
  EXPECT_EQ(FirmwareText(Bytes{0x41, 0x01}), "");
}

TEST(Tables, NamesGuids) {
  bytes::Writer data;
  data.U64Le(1).Raw(*FromHex("312d9deb882dd3119a160090273fc14d")).U64Le(0x1000);
  const auto found = DecodeHandoffTables(kEvEfiHandoffTables, data.view());
  ASSERT_TRUE(found.has_value());
  ASSERT_THAT(found->tables, SizeIs(1));
  EXPECT_EQ(found->tables[0].name, "SMBIOS");
  EXPECT_EQ(found->tables[0].address, 0x1000u);
}

TEST(Attack, A44_CountsThatLieAreNotFollowed) {
  for (const uint64_t count : {uint64_t{1}, uint64_t{256}, uint64_t{1} << 60, ~uint64_t{0}}) {
    bytes::Writer tables;
    tables.U64Le(count);
    EXPECT_FALSE(DecodeHandoffTables(kEvEfiHandoffTables, tables.view()).has_value()) << count;
    bytes::Writer gpt;
    gpt.Raw(Text("EFI PART")).Raw(Bytes(48, 0)).Raw(Bytes(16, 1)).Raw(Bytes(12, 0)).U32Le(128);
    gpt.U32Le(0).U64Le(count);
    EXPECT_FALSE(DecodePartitionTable(gpt.view()).has_value()) << count;
  }
}

// --- Actions and separators

TEST(Attack, A45_ActionsMatchInWholeLength) {
  EXPECT_EQ(FindAction(Text("UEFI Debug Mode")), Action::kDebugMode);
  EXPECT_EQ(FindAction(Text(absl::string_view("UEFI Debug Mode\0", 16))), Action::kDebugMode);
  EXPECT_EQ(FindAction(Text("DMA Protection Disabled")), Action::kDmaProtectionDisabled);
  for (const char* const text : {"", "UEFI Debug Mod", "UEFI Debug Mode ", "uefi debug mode"}) {
    EXPECT_EQ(FindAction(Text(text)), std::nullopt) << text;
  }
  EXPECT_EQ(FindAction(Text(absl::string_view("UEFI Debug Mode\0\0", 17))), std::nullopt);
}

TEST(Separator, HasThreeValuesAndWindowsHasOne) {
  EXPECT_EQ(DecodeSeparator(Bytes(4, 0)), SeparatorKind::kZeros);
  EXPECT_EQ(DecodeSeparator(Bytes(4, 0xff)), SeparatorKind::kOnes);
  EXPECT_EQ(DecodeSeparator(Bytes{1, 0, 0, 0}), SeparatorKind::kError);
  EXPECT_EQ(DecodeSeparator(Text("WBCL")), SeparatorKind::kWindows);
  for (const Bytes& bytes : {Bytes{}, Bytes(3, 0), Bytes(5, 0), Bytes{0, 0, 0, 1}}) {
    EXPECT_EQ(DecodeSeparator(bytes), SeparatorKind::kOther) << ToHex(bytes);
  }
}

// --- Notes, tags, devices

TEST(Note, ReadsThePlatformOfARealCloud) {
  const Bytes bytes = testing::CorpusFile("eventlogs/sp800-155.bin");
  const Log log = Log::Parse(bytes);
  std::set<NoteKind> kinds;
  for (const Event& event : log.events()) {
    if (event.untrusted_type != kEvNoAction) continue;
    const Note note = DecodeNote(event.data);
    EXPECT_TRUE(note.complete);
    kinds.insert(note.kind);
    if (note.kind != NoteKind::kSpecId03 && note.kind != NoteKind::kOther) {
      EXPECT_THAT(note.manifest_guid, SizeIs(36));
    }
  }
  EXPECT_THAT(kinds, Contains(NoteKind::kSpecId03));
  EXPECT_GE(kinds.size(), 2u);
}

TEST(Note, LocalityIsOneByte) {
  const Note note = DecodeNote(Text(absl::string_view("StartupLocality\0\3", 17)));
  EXPECT_EQ(note.kind, NoteKind::kStartupLocality);
  EXPECT_EQ(note.locality, 3);
  EXPECT_TRUE(note.complete);
  EXPECT_FALSE(DecodeNote(Text(absl::string_view("StartupLocality\0", 16))).complete);
  EXPECT_FALSE(DecodeNote(Text(absl::string_view("StartupLocality\0\3\0", 18))).complete);
  EXPECT_EQ(DecodeNote(Text("StartupLocalitx")).kind, NoteKind::kOther);
}

TEST(TaggedEvent, ReadsItsNumberAndData) {
  bytes::Writer out;
  out.U32Le(kTagLinuxInitrd).U32Le(13).Raw(Text(absl::string_view("Linux initrd\0", 13)));
  const auto tag = DecodeTaggedEvent(out.view());
  ASSERT_TRUE(tag.has_value());
  EXPECT_EQ(tag->name, "Linux initrd");
  EXPECT_TRUE(tag->exact);
  EXPECT_FALSE(DecodeTaggedEvent(out.view().first(20)).has_value());
}

TEST(DeviceMeasurement, ReadsBothForms) {
  bytes::Writer first;
  first.Raw(Text(absl::string_view("SPDM Device Sec\0", 16))).U16Le(1).U16Le(0).U32Le(2).U32Le(1);
  first.U8(1).U8(1).U16Le(3).Raw(Bytes{7, 8, 9}).U64Le(10).Raw(*FromHex("01010600021d7fff0400"));
  first.U16Le(0).U16Le(0x10).U16Le(0x8086).U16Le(0x1234);
  const auto one = DecodeDeviceMeasurement(first.view());
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(one->device_path, "Pci(0x1D,0x2)");
  EXPECT_EQ(one->vendor_id, 0x8086);
  EXPECT_EQ(one->device_id, 0x1234);
  EXPECT_THAT(one->measurement, SizeIs(7));
  bytes::Writer second;
  second.Raw(Text("SPDM Device Sec2")).U16Le(2).U8(1).U8(0).U32Le(0).U32Le(1).U32Le(0).U32Le(2);
  second.U64Le(0).U64Le(0).Raw(Bytes{5, 6});
  const auto two = DecodeDeviceMeasurement(second.view());
  ASSERT_TRUE(two.has_value());
  EXPECT_EQ(two->auth_state, 1);
  EXPECT_EQ(ToHex(two->measurement), "0506");
  EXPECT_FALSE(DecodeDeviceMeasurement(first.view().first(40)).has_value());
  EXPECT_FALSE(DecodeDeviceMeasurement(Text("SPDM Device Sec3")).has_value());
}

TEST(DynamicLaunch, KnowsWhatEachTypeHolds) {
  ASSERT_NE(FindDynamicLaunchType(0x404), nullptr);
  EXPECT_EQ(FindDynamicLaunchType(0x404)->meaning, "the measured launch environment");
  EXPECT_EQ(FindDynamicLaunchType(0x80000001), nullptr);
}

// --- shim

TEST(SbatLevel, HasADayAndGenerations) {
  const Bytes text = Text("sbat,1,2025021800\nshim,4\ngrub,5\n");
  const auto level = ReadSbatLevel(text);
  ASSERT_TRUE(level.has_value());
  EXPECT_EQ(level->day, "2025021800");
  ASSERT_THAT(level->rows, SizeIs(3));
  EXPECT_EQ(level->rows[2].component, "grub");
  EXPECT_EQ(level->rows[2].generation, 5u);
  for (const char* const bad : {"", "\n", "shim", "shim,x", ",1", "shim,99999999999", "shim,-1"}) {
    EXPECT_FALSE(ReadSbatLevel(Text(bad)).has_value()) << bad;
  }
}

}  // namespace
}  // namespace bootgate::eventlog
