#include "gatekeeper/appraisal/custom_claims.h"

#include "common/testing/status_matchers.h"
#include "gatekeeper/claims/claim_names.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::appraisal {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::ElementsAre;

Claim Custom(std::string type, ClaimValue value) {
  return {.type = std::move(type), .value = std::move(value), .issuer = Issuer::kCustomClaim};
}

TEST(CustomClaims, ArePrefixedTypedAndOfTheirOwnIssuer) {
  const auto claims = CustomClaims({{"zone", "blue", ""},
                                    {"rack", "-7", "Integer"},
                                    {"spare", "true", "Boolean"},
                                    {"count", "7", "String"},
                                    {"zone", "green", "String"}});
  ASSERT_THAT(claims, IsOk());
  EXPECT_THAT(*claims, ElementsAre(Custom("custom:zone", std::string("blue")),
                                   Custom("custom:rack", int64_t{-7}), Custom("custom:spare", true),
                                   Custom("custom:count", std::string("7")),
                                   Custom("custom:zone", std::string("green"))));
}

TEST(CustomClaims, A48_NamesOfOursAreRefused) {
  std::vector<std::string> names = {"",        "custom:zone",        "custom:",      "CUSTOM:x",
                                    "exp",     "AttestationService", "cnf",          "x-ms-policy",
                                    "rp_data", "X-MS-VER",           "AIKVALIDATED", "bootEvents"};
  for (const ClaimName& row : ClaimNames()) names.emplace_back(row.name);
  for (const std::string& name : names) {
    EXPECT_THAT(CustomClaims({{"zone", "blue", ""}, {name, "true", "Boolean"}}),
                Refuses(Reason::kClaimReserved))
        << name;
  }
}

TEST(CustomClaims, WhatIsNotWellFormedIsRefused) {
  const std::string long_text(evidence::kMaxCustomValue + 1, 'x');
  for (const evidence::CustomClaim& claim : std::vector<evidence::CustomClaim>{
           {"two words", "x", ""},
           {"line\n", "x", ""},
           {"\xc3\xa4", "x", ""},
           {std::string(evidence::kMaxCustomName + 1, 'n'), "x", ""},
           {"a", "\xff", ""},
           {"a", long_text, ""},
           {"a", "07", "Integer"},
           {"a", " 7", "Integer"},
           {"a", "+7", "Integer"},
           {"a", "-0", "Integer"},
           {"a", "", "Integer"},
           {"a", "9223372036854775808", "Integer"},
           {"a", "1.5", "Integer"},
           {"a", "True", "Boolean"},
           {"a", "", "Boolean"},
           {"a", "x", "string"},
           {"a", "x", "JSON"},
       }) {
    EXPECT_THAT(CustomClaims({claim}), Refuses(Reason::kMessageMalformed))
        << claim.name << " " << claim.value << " " << claim.value_type;
  }
  const std::vector<evidence::CustomClaim> many(evidence::kMaxCustomClaims + 1, {"a", "b", ""});
  EXPECT_THAT(CustomClaims(many), Refuses(Reason::kMessageMalformed));
}

}  // namespace
}  // namespace bootgate::gatekeeper::appraisal
