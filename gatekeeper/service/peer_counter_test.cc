#include "gatekeeper/service/peer_counter.h"

#include "gtest/gtest.h"

namespace bootgate::gatekeeper::service {
namespace {

TEST(PeerCounter, CountsByAddressNotByPort) {
  PeerCounter counter;
  EXPECT_EQ(counter.Count("ipv4:10.0.0.7:1000"), 1u);
  EXPECT_EQ(counter.Count("ipv4:10.0.0.7:2000"), 2u);
  EXPECT_EQ(counter.Count("ipv6:[::1]:2000"), 1u);
}

TEST(PeerCounter, ManyAddressesDoNotHideOneThatKeepsTrying) {
  PeerCounter counter(2);
  counter.Count("ipv4:10.0.0.7:1");
  counter.Count("ipv4:10.0.0.7:1");
  for (int i = 0; i < 100; ++i) counter.Count("ipv4:10.1.0." + std::to_string(i) + ":1");
  EXPECT_EQ(counter.Count("ipv4:10.0.0.7:1"), 3u);
}

}  // namespace
}  // namespace bootgate::gatekeeper::service
