#include "gatekeeper/reference/wording.h"

#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

struct Row {
  const char *name, *was, *is, *said;
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.name; }
class SayChangeTest : public ::testing::TestWithParam<Row> {};

TEST_P(SayChangeTest, InWords) {
  EXPECT_EQ(SayChange(GetParam().was, GetParam().is), GetParam().said);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, SayChangeTest,
    ::testing::Values(
        Row{"Value", "SecureBoot = 01 (on)", "SecureBoot = 00 (off)",
            "SecureBoot was 01 (on), is 00 (off)"},
        Row{"OptionsGained", "kernel command line: /vmlinuz root=LABEL=r rw quiet",
            "kernel command line: /vmlinuz root=LABEL=r rw quiet init=/bin/bash nokaslr",
            "kernel command line gained `init=/bin/bash nokaslr`"},
        Row{"OptionsLost", "kernel command line: /vmlinuz a b lockdown=integrity",
            "kernel command line: /vmlinuz a b", "kernel command line lost `lockdown=integrity`"},
        Row{"OptionGivenTwice", "kernel command line: /vmlinuz a b c",
            "kernel command line: /vmlinuz a b c c", "kernel command line gained `c`"},
        Row{"EscapedLineEnds",
            "GRUB command: menu {\\x0a\\x09linux /vmlinuz root=x\\x0a\\x09initrd /i\\x0a}",
            "GRUB command: menu {\\x0a\\x09linux /vmlinuz root=x nokaslr\\x0a\\x09initrd /i\\x0a}",
            "GRUB command gained `nokaslr`"},
        Row{"AllOther", "GRUB command: search x", "GRUB command: boot y",
            "GRUB command was `search x`, is `boot y`"},
        Row{"SameWords", "image load, 5 bytes", "image load, 5 bytes",
            "image load, 5 bytes has other content"},
        Row{"OtherSubject", "a = 1", "b = 1", "was `a = 1`, is `b = 1`"}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace bootgate::gatekeeper::reference
