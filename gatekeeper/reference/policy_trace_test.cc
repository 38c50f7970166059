#include "gatekeeper/reference/policy_trace.h"

#include "gtest/gtest.h"

namespace bootgate::gatekeeper::reference {
namespace {

PolicyTrace Sample() {
  return {.buffers = {"", ".ima", std::string("a\0\n", 3)},
          .policy_files = {"/etc/ima/ima-policy sha256:00"}};
}

TEST(PolicyTrace, ComesBackAsItWas) {
  for (const PolicyTrace& trace : {PolicyTrace(), Sample()})
    EXPECT_EQ(DecodePolicyTrace(Encode(trace)), trace);
}

TEST(PolicyTrace, AnythingElseIsNone) {
  const Bytes good = Encode(Sample());
  for (size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(DecodePolicyTrace(ByteView(good).first(size)).has_value()) << size;
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(DecodePolicyTrace(longer).has_value());
  EXPECT_FALSE(DecodePolicyTrace(Bytes(8, 0xff)).has_value());
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference
