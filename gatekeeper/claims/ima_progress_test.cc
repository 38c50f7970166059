#include "gatekeeper/claims/ima_progress.h"

#include "gtest/gtest.h"

namespace bootgate::gatekeeper {
namespace {

TEST(ImaProgress, IsKeptOnlyWithinItsBounds) {
  EXPECT_TRUE(FitsToBeKept({}));
  ImaProgress full;
  full.findings.resize(kMaxKeptFindings);
  EXPECT_TRUE(FitsToBeKept(full));
  full.findings.emplace_back();
  EXPECT_FALSE(FitsToBeKept(full));

  ImaProgress claims;
  claims.claims.resize(kMaxKeptClaims + 1);
  EXPECT_FALSE(FitsToBeKept(claims));
}

TEST(ImaProgress, EveryKindOfTextCounts) {
  const std::string half(kMaxKeptBytes / 2, 'x');
  const auto with = [&](auto change) {
    ImaProgress progress;
    progress.notes["reference/a"] = ToBytes(AsBytes(half));
    change(progress);
    return FitsToBeKept(progress);
  };
  EXPECT_TRUE(with([](ImaProgress&) {}));
  EXPECT_FALSE(with([&](ImaProgress& p) { p.notes["reference/b"] = ToBytes(AsBytes(half)); }));
  EXPECT_FALSE(with([&](ImaProgress& p) { p.findings.emplace_back().text = half; }));
  EXPECT_FALSE(with([&](ImaProgress& p) { p.findings.emplace_back().actual = half; }));
  EXPECT_FALSE(with([&](ImaProgress& p) { p.claims.emplace_back().value = half; }));
  EXPECT_FALSE(with([&](ImaProgress& p) { p.not_checked.push_back({"", half}); }));
}

}  // namespace
}  // namespace bootgate::gatekeeper
