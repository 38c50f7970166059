#include "common/eventlog/decode/boot_chain.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/eventlog/decode/authority.h"
#include "common/eventlog/decode/describe.h"
#include "common/eventlog/decode/event_tag.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using testing::Text;
using testing::Utf16;

std::string Told(const Event& event) {
  const auto part = DecodeBootPart(event);
  if (!part.has_value()) return "";
  return absl::StrCat(Name(part->stack), " ", Name(part->role), ": ", part->text);
}

std::vector<std::string> PartsOf(absl::string_view file) {
  const Bytes bytes = testing::CorpusFile(file);
  const Log log = Log::Parse(bytes);
  std::vector<std::string> parts;
  for (const Event& event : log.events()) parts.push_back(Told(event));
  return parts;
}

TEST(BootPart, TellsShimGrubKernelAndInitrdOfARealBoot) {
  const std::vector<std::string> parts = PartsOf("boots/good/eventlog.bin");
  EXPECT_THAT(parts, IsSupersetOf({"firmware loader: \\EFI\\debian\\shimx64.efi",
                                   "firmware loader: \\EFI\\debian\\grubx64.efi",
                                   "shim configuration: MokList",
                                   "grub configuration: (hd0,gpt2)/grub/grub.cfg",
                                   "grub kernel: /vmlinuz-6.1.0-56-cloud-amd64",
                                   "grub initrd: /initrd.img-6.1.0-56-cloud-amd64"}));
  EXPECT_THAT(parts, Contains(HasSubstr("grub command line: /vmlinuz-6.1.0-56-cloud-amd64 root=")));
}

TEST(BootPart, TellsTheCommandLineOfARealOldStub) {
  EXPECT_THAT(PartsOf("eventlogs/systemd-stub-t480s.bin"),
              Contains(HasSubstr("systemd-boot command line: rw quiet acpi_osi=")));
}

struct TextRow {
  const char* name;
  uint32_t register_index;
  Bytes data;
  const char* told;
};
void PrintTo(const TextRow& row, std::ostream* os) { *os << row.name; }
class IplTextTest : public ::testing::TestWithParam<TextRow> {};

TEST_P(IplTextTest, HasARole) {
  Event event;
  event.register_index = GetParam().register_index;
  event.untrusted_type = kEvIpl;
  event.data = GetParam().data;
  EXPECT_EQ(Told(event), GetParam().told);
}

INSTANTIATE_TEST_SUITE_P(
    Stacks, IplTextTest,
    ::testing::ValuesIn(std::vector<TextRow>{
        {"SectionInAConfidentialGuest", 3, Utf16(absl::string_view(".linux\0", 7)),
         "systemd-stub kernel: .linux"},
        {"KernelInAConfidentialGuest", 3, Text("/boot/vmlinuz-6.2"),
         "grub kernel: /boot/vmlinuz-6.2"},
        {"MicrocodeSection", 11, Utf16(".ucode"), "systemd-stub initrd: .ucode"},
        {"KeySection", 11, Utf16(".pcrpkey"), "systemd-stub section: .pcrpkey"},
        {"StubCommandLine", 12, Utf16("root=/dev/sda1 quiet"),
         "systemd-stub command line: root=/dev/sda1 quiet"},
        {"Credentials", 12, Text("Credentials initrd"),
         "systemd-stub extension: Credentials initrd"},
        {"SystemExtension", 13, Text("System extension initrd"),
         "systemd-stub extension: System extension initrd"},
        {"CommandLineOfAnOldStub", 8, Utf16("root=/dev/sda1"),
         "systemd-boot command line: root=/dev/sda1"},
        {"GrubModule", 9, Text("(hd0,gpt2)/grub/x86_64-efi/fs.lst"),
         "grub module: (hd0,gpt2)/grub/x86_64-efi/fs.lst"},
        {"GrubFont", 9, Text("(hd0,gpt2)/grub/fonts/unicode.pf2"),
         "grub other: (hd0,gpt2)/grub/fonts/unicode.pf2"},
        {"OldGrubCommand", 3, Text(absl::string_view("grub_cmd set pager=1\0#", 22)),
         "grub command: set pager=1"},
        {"OldGrubKernel", 3, Text("grub_linuxefi Kernel"), "grub kernel: grub_linuxefi Kernel"},
        {"TwoNulsAfterMokList", 14, Text(absl::string_view("MokList\0\0", 9)),
         "shim configuration: MokList"},
        {"Nothing", 5, {}, "unknown other: "},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(BootPart, LinuxStubTellsThatButNotWhat) {
  bytes::Writer data;
  data.U32Le(kTagLinuxLoadOptions).U32Le(4).Raw(Text("LOAD"));
  Event event;
  event.untrusted_type = kEvEventTag;
  event.data = data.view();
  EXPECT_EQ(Told(event), "linux-stub command line: ");
}

TEST(Authority, IsTheKeyThatLetAnImageRun) {
  const Bytes bytes = testing::CorpusFile("boots/good/eventlog.bin");
  const Log log = Log::Parse(bytes);
  std::vector<std::string> told;
  for (const Event& event : log.events()) {
    if (event.untrusted_type != kEvEfiVariableAuthority) continue;
    const auto authority = DecodeAuthority(event);
    ASSERT_TRUE(authority.has_value());
    told.push_back(absl::StrCat(authority->variable, authority->signature.has_value() ? "+" : ""));
    EXPECT_THAT(Describe(log, event, crypto::HashAlg::kSha256), Not(HasSubstr("bytes")));
  }
  EXPECT_THAT(told, IsSupersetOf({"db+", "SbatLevel", "MokListRT+"}));
}

// Every log there is: each event has its line, and nothing well-formed is called unreadable.
TEST(Describe, ReadsEveryVariableImageAndTableOfTheCorpus) {
  for (const char* const file :
       {"boots/good/eventlog.bin", "eventlogs/legacy-server.bin", "eventlogs/sp800-155.bin",
        "eventlogs/systemd-stub-t480s.bin", "eventlogs/two-digests-of-four.bin",
        "eventlogs/windows-one-digest-of-two.bin"}) {
    const Bytes bytes = testing::CorpusFile(file);
    const Log log = Log::Parse(bytes);
    ASSERT_FALSE(log.banks().empty()) << file;
    for (const Event& event : log.events()) {
      const std::string line = Describe(log, event, log.banks().back());
      EXPECT_THAT(line, Not(HasSubstr("cannot be read"))) << file << " event " << event.number;
      EXPECT_THAT(line, Not(HasSubstr("malformed"))) << file << " event " << event.number;
      EXPECT_LE(line.size(), 8192u);
    }
  }
}

}  // namespace
}  // namespace bootgate::eventlog
