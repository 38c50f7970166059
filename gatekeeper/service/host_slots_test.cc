#include "gatekeeper/service/host_slots.h"

#include <vector>

#include "gtest/gtest.h"

namespace bootgate::gatekeeper::service {
namespace {

TEST(HostSlots, OneHostTakesNoMoreThanItsShareAndNothingOfOthers) {
  HostSlots slots(2);
  std::vector<HostSlots::Slot> held;
  for (int i = 0; i < 2; ++i) {
    std::optional<HostSlots::Slot> slot = slots.Take("h-1");
    ASSERT_TRUE(slot.has_value());
    held.push_back(*std::move(slot));
  }
  EXPECT_FALSE(slots.Take("h-1").has_value());
  EXPECT_TRUE(slots.Take("h-2").has_value());
  held.pop_back();
  EXPECT_TRUE(slots.Take("h-1").has_value());
}

}  // namespace
}  // namespace bootgate::gatekeeper::service
