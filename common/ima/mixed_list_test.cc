#include "common/ima/mixed_list.h"

#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace bootgate::ima {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

TEST(MixedList, ItemsComeBackInOrder) {
  const Bytes name(32, 7), record(100, 9);
  Bytes mixed;
  AppendNamed(name, &mixed);
  AppendRecord(record, &mixed);
  AppendNamed(name, &mixed);
  EXPECT_EQ(mixed.size(), 33u + 105u + 33u);
  bytes::Reader in(mixed);
  for (const bool named : {true, false, true}) {
    const absl::StatusOr<MixedItem> item = TakeMixedItem(in);
    ASSERT_THAT(item, IsOk());
    EXPECT_EQ(item->named, named);
    EXPECT_EQ(ToBytes(item->bytes), named ? name : record);
  }
  EXPECT_TRUE(in.empty());
}

TEST(MixedList, WhatIsNoItemIsRefused) {
  Bytes cut_name(32, 0);  // a kind, and 31 bytes of 32
  const Bytes rows[] = {{},
                        {2},
                        {255, 1, 0, 0, 0, 9},
                        {0},
                        cut_name,
                        {1},
                        {1, 1, 0, 0},
                        {1, 0, 0, 0, 0},                 // an empty record
                        {1, 2, 0, 0, 0, 9},              // one byte of two
                        {1, 255, 255, 255, 255, 9, 9}};  // more than there can be
  for (const Bytes& row : rows) {
    bytes::Reader in(row);
    EXPECT_THAT(TakeMixedItem(in), Refuses(Reason::kMessageMalformed)) << row.size();
  }
}

TEST(MixedList, EveryBeginningOfAnItemIsRefused) {
  Bytes mixed;
  AppendRecord(Bytes(40, 1), &mixed);
  for (size_t size = 0; size < mixed.size(); ++size) {
    bytes::Reader in(ByteView(mixed).first(size));
    EXPECT_THAT(TakeMixedItem(in), Refuses(Reason::kMessageMalformed)) << size;
  }
}

}  // namespace
}  // namespace bootgate::ima
