#include "gatekeeper/store/audit_chain.h"

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::store {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

AuditRow FirstRow() {
  AuditRow row;
  row.sequence = 1;
  row.at = absl::FromUnixSeconds(1'700'000'000);
  row.actor = "operator root";
  row.action = "host.approve";
  row.subject = "h-00112233445566778899aabbccddeeff";
  row.detail_json = "{}";
  row.chain = ChainValue(ChainStart(), row);
  return row;
}

const AuditHead kStart = {.sequence = 0, .chain = ChainStart()};

TEST(AuditChain, RowFollowsTheOneBefore) {
  const AuditRow first = FirstRow();
  EXPECT_THAT(CheckFollows(kStart, first), IsOk());
  AuditRow second = first;
  second.sequence = 2;
  second.chain = ChainValue(first.chain, second);
  EXPECT_THAT(CheckFollows({.sequence = 1, .chain = first.chain}, second), IsOk());
  EXPECT_THAT(CheckFollows(kStart, second), Refuses(Reason::kRecordCorrupt));
}

TEST(AuditChain, EveryFieldIsCovered) {
  const AuditRow good = FirstRow();
  std::vector<AuditRow> changed(6, good);
  changed[0].at += absl::Nanoseconds(1);
  changed[1].actor += "x";
  changed[2].action = "";
  changed[3].subject[2] = 'f';
  changed[4].detail_json = "{ }";
  changed[5].chain[31] ^= 1;
  for (const AuditRow& row : changed) {
    EXPECT_THAT(CheckFollows(kStart, row), Refuses(Reason::kRecordCorrupt));
  }
}

// The lengths are hashed too: text cannot move from one field to its neighbour.
TEST(AuditChain, FieldsDoNotRunIntoEachOther) {
  AuditRow row = FirstRow();
  const Bytes chain = row.chain;
  row.actor += row.action.substr(0, 1);
  row.action.erase(0, 1);
  EXPECT_NE(ChainValue(ChainStart(), row), chain);
}

}  // namespace
}  // namespace bootgate::gatekeeper::store
