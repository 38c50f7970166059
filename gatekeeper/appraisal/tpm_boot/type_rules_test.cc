#include "gatekeeper/appraisal/tpm_boot/type_rules.h"

#include "common/eventlog/event_type.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

TEST(Attack, A36_ReservedAndUnknownNumbersFitNowhere) {
  for (const uint32_t type : {0x0u, 0x2u, 0x14u, 0x400u, 0x502u, 0x80000000u, 0x800000e5u, ~0u}) {
    for (uint32_t index = 0; index < 24; ++index) {
      EXPECT_EQ(PlaceOf(type, index, false), Place::kUnknownType) << type;
      EXPECT_EQ(PlaceOf(type, index, true), Place::kUnknownType) << type;
    }
  }
}

TEST(Attack, A36_SecureBootsRegisterTakesOnlyItsOwnTypes) {
  std::vector<uint32_t> fits;
  for (uint32_t type = 0; type < 0x600; ++type) {
    if (PlaceOf(type, 7, false) == Place::kFits) fits.push_back(type);
  }
  for (uint32_t type = 0x80000000; type < 0x80000200; ++type) {
    if (PlaceOf(type, 7, false) == Place::kFits) fits.push_back(type);
  }
  EXPECT_THAT(fits, ::testing::ElementsAre(0x4, 0x80000001, 0x80000007, 0x800000e0, 0x800000e3,
                                           0x800000e4));
}

TEST(Attack, A36_BootSectorsBelongIntoTheLogOfABiosOnly) {
  EXPECT_EQ(PlaceOf(eventlog::kEvIpl, 4, true), Place::kFits);
  EXPECT_EQ(PlaceOf(eventlog::kEvIpl, 4, false), Place::kForeignRegister);
  EXPECT_EQ(PlaceOf(eventlog::kEvIpl, 8, false), Place::kFits);
}

TEST(TypeRules, RegistersOutsideOfAllTablesFitNothing) {
  for (const uint32_t index : {24u, 31u, 32u, 64u, 0xffffffffu}) {
    EXPECT_NE(PlaceOf(eventlog::kEvIpl, index, false), Place::kFits);
    EXPECT_EQ(AfterSeparator(eventlog::kEvIpl, index), After::kRefused);
  }
}

struct AfterRow {
  uint32_t type, index;
  After after;
};

TEST(TypeRules, WhatMayFollowASeparatorIsSaidForEachRegister) {
  const AfterRow rows[] = {
      {eventlog::kEvEfiBootServicesApplication, 4, After::kAllowed},
      {eventlog::kEvEfiAction, 5, After::kAllowed},
      {eventlog::kEvEfiGptEvent, 5, After::kAllowed},
      {eventlog::kEvEfiVariableBoot, 1, After::kAllowed},
      {eventlog::kEvEfiVariableAuthority, 7, After::kAllowed},
      {eventlog::kEvEfiBootServicesDriver, 2, After::kUnusual},
      {eventlog::kEvEfiBootServicesDriver, 0, After::kRefused},
      {eventlog::kEvSCrtmVersion, 0, After::kRefused},
      {eventlog::kEvEfiPlatformFirmwareBlob, 0, After::kRefused},
      {eventlog::kEvEfiAction, 6, After::kRefused},
  };
  for (const AfterRow& row : rows) {
    EXPECT_EQ(AfterSeparator(row.type, row.index), row.after)
        << eventlog::TypeName(row.type) << " in PCR " << row.index;
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
