#include "common/bytes/reader.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::bytes {
namespace {

using ::testing::HasSubstr;

constexpr uint8_t kBytes[] = {1, 2, 3, 4, 5, 6, 7, 8};

TEST(Reader, ReadsBothByteOrders) {
  Reader in(kBytes);
  EXPECT_EQ(*in.U16Le(), 0x0201);
  EXPECT_EQ(*in.U16Be(), 0x0304);
  EXPECT_EQ(*in.U32Be(), 0x05060708u);
  EXPECT_TRUE(in.empty());
  EXPECT_EQ(*Reader(kBytes).U64Le(), 0x0807060504030201u);
  EXPECT_EQ(*Reader(kBytes).U64Be(), 0x0102030405060708u);
}

TEST(Reader, ShortReadNamesOffsetAndStaysPut) {
  Reader in(kBytes, 100);
  ASSERT_TRUE(in.Skip(6).ok());
  const absl::Status status = in.U32Le().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()), HasSubstr("need 4 bytes at offset 106, have 2"));
  EXPECT_EQ(in.offset(), 106u);
  EXPECT_EQ(*in.U16Le(), 0x0807);
}

TEST(Reader, SizeThatWrapsIsRefused) {
  Reader in(kBytes);
  ASSERT_TRUE(in.Skip(1).ok());
  EXPECT_FALSE(in.Take(static_cast<size_t>(-1)).ok());
}

TEST(Reader, SizedFieldIsAllOrNothing) {
  constexpr uint8_t kCut[] = {0, 3, 9, 9};
  Reader in(kCut);
  EXPECT_FALSE(in.Sized16Be().ok());
  EXPECT_EQ(in.offset(), 0u);
}

TEST(Reader, SubReadsOnlyItsOwnPart) {
  Reader in(kBytes, 10);
  Reader sub = *in.Sub(2);
  EXPECT_EQ(sub.offset(), 10u);
  EXPECT_FALSE(sub.U32Le().ok());
  EXPECT_FALSE(sub.ExpectEnd().ok());
  ASSERT_TRUE(sub.Skip(2).ok());
  EXPECT_TRUE(sub.ExpectEnd().ok());
  EXPECT_EQ(in.offset(), 12u);
}

TEST(Reader, TryFormsAgree) {
  Reader in(kBytes);
  uint32_t value = 0;
  ASSERT_TRUE(in.TryU32Le(&value));
  EXPECT_EQ(value, 0x04030201u);
  uint16_t small = 0;
  ASSERT_TRUE(in.TryU16Le(&small));
  EXPECT_EQ(small, 0x0605);
  EXPECT_FALSE(in.TryU32Le(&value));
  EXPECT_EQ(in.remaining(), 2u);
}

}  // namespace
}  // namespace bootgate::bytes
