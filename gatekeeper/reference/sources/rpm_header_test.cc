#include "gatekeeper/reference/sources/rpm_header.h"

#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/sources/package_builder_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using testing::HasCode;
using ::testing::HasSubstr;
using testing::RpmHeadOf;

constexpr size_t kLead = 96, kCountAt = kLead + 8;

Bytes Head() { return RpmHeadOf({"bash", "5.1.8", "6.el9", 2}); }

void Put32Be(Bytes* file, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) (*file)[at + i] = static_cast<uint8_t>(value >> (24 - 8 * i));
}

TEST(RpmHead, TellsNameVersionAndWhereTheFilesBegin) {
  Bytes file = Head();
  const size_t size = file.size();
  file.insert(file.end(), {1, 2, 3});
  BG_ASSERT_OK_AND_ASSIGN(const RpmHead head, ReadRpmHead(file));
  EXPECT_EQ(head.package, (Package{"bash", "2:5.1.8-6.el9", "rpm:x86_64"}));
  EXPECT_EQ(head.bytes, size);
  EXPECT_FALSE(head.source);
}

TEST(RpmHead, EpochZeroIsNotWritten) {
  BG_ASSERT_OK_AND_ASSIGN(const RpmHead head, ReadRpmHead(RpmHeadOf({"bash", "5", "1"})));
  EXPECT_EQ(head.package.version, "5-1");
}

TEST(RpmHead, EveryCutIsRefused) {
  const Bytes file = Head();
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_THAT(ReadRpmHead(ByteView(file).first(size)), HasCode(absl::StatusCode::kOutOfRange))
        << size;
  }
}

TEST(RpmHead, EveryChangedByteIsHarmless) {
  const Bytes file = Head();
  for (size_t at = 0; at < file.size(); ++at) {
    Bytes changed = file;
    changed[at] ^= 0xff;
    const auto head = ReadRpmHead(changed);
    EXPECT_TRUE(!head.ok() || head->bytes <= changed.size()) << at;
  }
}

TEST(RpmHead, LiesAreRefusedWithThePlace) {
  Bytes magic = Head();
  magic[0] = 0;
  EXPECT_THAT(std::string(ReadRpmHead(magic).status().message()), HasSubstr("no RPM package"));
  Bytes header = Head();
  header[kLead] = 0;
  EXPECT_THAT(std::string(ReadRpmHead(header).status().message()),
              HasSubstr("at 96: no RPM header"));
  Bytes count = Head();
  Put32Be(&count, kCountAt, UINT32_MAX);
  EXPECT_THAT(std::string(ReadRpmHead(count).status().message()), HasSubstr("4294967295 tags"));
}

TEST(RpmHead, ATextThatDoesNotEndOrIsMissingIsRefused) {
  const auto with = [](const Bytes& header) {
    Bytes file = Head();
    bytes::Writer out;
    out.Raw(ByteView(file).first(kLead)).Raw(testing::RpmHeaderBuilder().Finish());
    while (out.view().size() % 8 != 0) out.U8(0);
    return ReadRpmHead(out.Raw(header).view());
  };
  Bytes endless = testing::RpmHeaderBuilder().Text(1000, "name").Finish();
  endless.back() = 'x';
  EXPECT_THAT(std::string(with(endless).status().message()), HasSubstr("tag 1000 does not end"));
  EXPECT_THAT(std::string(with(testing::RpmHeaderBuilder().Finish()).status().message()),
              HasSubstr("lacks tag 1000"));
  EXPECT_THAT(
      std::string(with(testing::RpmHeaderBuilder().Number(1000, 5).Finish()).status().message()),
      HasSubstr("tag 1000 is malformed"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference
