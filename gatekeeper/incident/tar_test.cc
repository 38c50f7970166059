#include "gatekeeper/incident/tar.h"

#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::incident {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;

constexpr size_t kBlock = 512;

MATCHER_P(IsNoArchive, says, "") {
  const absl::Status& status = ::bootgate::testing::StatusOf(arg);
  *result_listener << status.ToString();
  return ReasonOf(status) == Reason::kArchive &&
         std::string(status.message()).find(says) != std::string::npos;
}

Members Sample() {
  return {{"MANIFEST.json", Bytes{'{', '}'}},
          {"a/b", Bytes(kBlock, 7)},
          {"a/c", {}},
          {"z", Bytes(kBlock + 1, 9)}};
}

TEST(Tar, ComesBackAsItWas) {
  BG_ASSERT_OK_AND_ASSIGN(const Bytes archive, WriteTar(Sample()));
  EXPECT_EQ(archive.size() % kBlock, 0u);
  BG_ASSERT_OK_AND_ASSIGN(const Members members, ReadTar(archive));
  EXPECT_EQ(members, Sample());
  EXPECT_EQ(WriteTar(members).value(), archive);
}

TEST(Tar, AnEmptyArchiveIsOne) { EXPECT_EQ(ReadTar(WriteTar({}).value()).value(), Members()); }

TEST(Tar, NamesThatLeadAnywhereAreRefused) {
  for (const char* name : {"", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", "a b", "a\\b",
                           "a\nb", "caf\xc3\xa9"}) {
    EXPECT_FALSE(IsMemberName(name)) << name;
    EXPECT_THAT(WriteTar({{name, {}}}), HasCode(absl::StatusCode::kInvalidArgument)) << name;
  }
  EXPECT_FALSE(IsMemberName(std::string(kMaxMemberName + 1, 'a')));
  EXPECT_TRUE(IsMemberName(std::string(kMaxMemberName, 'a')));
}

// The checksum of a header, as any tar would write it.
void Seal(Bytes* archive, size_t header) {
  for (size_t i = 0; i < 8; ++i) (*archive)[header + 148 + i] = ' ';
  uint32_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) sum += (*archive)[header + i];
  char text[8];
  snprintf(text, sizeof(text), "%06o", sum);
  std::copy(text, text + 7, archive->begin() + static_cast<std::ptrdiff_t>(header + 148));
  (*archive)[header + 155] = ' ';
}

struct Spoilt {
  const char* name;
  void (*spoil)(Bytes&);
  const char* says;
};
void PrintTo(const Spoilt& row, std::ostream* os) { *os << row.name; }
class TarRefuses : public ::testing::TestWithParam<Spoilt> {};

TEST_P(TarRefuses, WhatTheWriterNeverWrites) {
  Bytes archive = WriteTar({{"first", Bytes(10, 1)}, {"second", Bytes(10, 2)}}).value();
  GetParam().spoil(archive);
  EXPECT_THAT(ReadTar(archive), IsNoArchive(GetParam().says));
}

// The second member's header lies at 1024.
INSTANTIATE_TEST_SUITE_P(
    Archives, TarRefuses,
    ::testing::ValuesIn(std::vector<Spoilt>{
        {"Cut", [](Bytes& a) { a.resize(a.size() - 100); }, "multiple of 512"},
        {"CutAtABlock", [](Bytes& a) { a.resize(a.size() - kBlock); }, "does not end"},
        {"CutInAMember", [](Bytes& a) { a.resize(2 * kBlock + kBlock); }, "more than there are"},
        {"Trailing", [](Bytes& a) { a.resize(a.size() + kBlock); }, "does not end"},
        {"HiddenBehindAMember", [](Bytes& a) { a[kBlock + 10] = 1; }, "hidden"},
        {"SymbolicLink",
         [](Bytes& a) {
           a[156] = '2';
           Seal(&a, 0);
         },
         "symbolic link"},
        {"HardLink",
         [](Bytes& a) {
           a[156] = '1';
           Seal(&a, 0);
         },
         "hard link"},
        {"Folder",
         [](Bytes& a) {
           a[156] = '5';
           Seal(&a, 0);
         },
         "folder"},
        {"ExtendedHeader",
         [](Bytes& a) {
           a[156] = 'x';
           Seal(&a, 0);
         },
         "no plain file"},
        {"Traversal",
         [](Bytes& a) {
           const std::string name = "../../etc/cron.d/x";
           std::copy(name.begin(), name.end(), a.begin());
           Seal(&a, 0);
         },
         "not allowed"},
        {"HugeSize",
         [](Bytes& a) {
           const std::string size = "77777777777";
           std::copy(size.begin(), size.end(), a.begin() + 124);
           Seal(&a, 0);
         },
         "more than there are"},
        {"SizeInBase256",
         [](Bytes& a) {
           a[124] = 0x80;
           Seal(&a, 0);
         },
         "bad size"},
        {"Checksum", [](Bytes& a) { a[148] ^= 1; }, "damaged"},
        {"Owner",
         [](Bytes& a) {
           a[114] = '1';
           Seal(&a, 0);
         },
         "damaged"},
        {"Twice",
         [](Bytes& a) {
           const Bytes again(a.begin(), a.begin() + 2 * kBlock);
           a.insert(a.begin(), again.begin(), again.end());
         },
         "twice"},
        {"OutOfOrder",
         [](Bytes& a) {
           std::rotate(a.begin(), a.begin() + 2 * kBlock, a.begin() + 4 * kBlock);
         },
         "out of order"}}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace bootgate::gatekeeper::incident
