#include "common/bytes/writer.h"

#include "common/bytes/reader.h"
#include "gtest/gtest.h"

namespace bootgate::bytes {
namespace {

TEST(Writer, IsReadBackByReader) {
  const Bytes out = Writer().U8(1).U16Be(2).U32Le(3).U64Be(4).Sized16Be(Bytes{9, 8}).Finish();
  Reader in(out);
  EXPECT_EQ(*in.U8(), 1);
  EXPECT_EQ(*in.U16Be(), 2);
  EXPECT_EQ(*in.U32Le(), 3u);
  EXPECT_EQ(*in.U64Be(), 4u);
  EXPECT_TRUE(SameBytes(*in.Sized16Be(), Bytes{9, 8}));
  EXPECT_TRUE(in.ExpectEnd().ok());
}

}  // namespace
}  // namespace bootgate::bytes
