#include "gatekeeper/client/detail.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace bootgate::gatekeeper::client {
namespace {

const std::string kDigest(64, 'a');

TEST(Detail, OfAChangeWhatDiffersIsTold) {
  EXPECT_EQ(DetailText(R"({"why":"odd traffic",
                           "before":{"trust":"trusted","approved":true,"reasons":[]},
                           "after":{"trust":"quarantined","approved":true,"reasons":["A","B"]}})"),
            "trust: trusted -> quarantined, reasons: nothing -> A+B, why: odd traffic");
}

TEST(Detail, OfWhatIsNewAllIsTold) {
  EXPECT_EQ(DetailText(absl::StrCat(R"({"after":{"trust":"pending","ak":")", kDigest,
                                    R"(","reasons":[]},"join_token":"t-1"})")),
            "trust: pending, ak: aaaaaaaaaaaa, join_token: t-1");
}

TEST(Detail, WithoutBeforeAndAfterEachValueIsTold) {
  EXPECT_EQ(DetailText(R"({"uses":3,"approves":true,"selector":"","labels":{"role":"web"}})"),
            "uses: 3, approves: true, labels: role=web");
}

TEST(Detail, ABeforeThatIsTextIsAValueLikeOthers) {
  EXPECT_EQ(DetailText(R"({"policy":"web@2","before":"web@1"})"), "policy: web@2, before: web@1");
}

TEST(Detail, WhatIsNoObjectComesBack) {
  for (const char* text : {"", "admitted", "[1", "{\"a\":", "[1]"})
    EXPECT_EQ(DetailText(text), text);
}

TEST(ShortDigest, CutsDigestsAlone) {
  EXPECT_EQ(ShortDigest(kDigest), "aaaaaaaaaaaa");
  EXPECT_EQ(ShortDigest("h-ab34e62475d2c1196cf56746dcf1bf22"),
            "h-ab34e62475d2c1196cf56746dcf1bf22");
  EXPECT_EQ(ShortDigest(std::string(64, 'x')), std::string(64, 'x'));
}

}  // namespace
}  // namespace bootgate::gatekeeper::client
