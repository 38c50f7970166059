#include "common/ima/template.h"

#include <span>
#include <string>
#include <vector>

#include "gmock/gmock.h"

namespace bootgate::ima {
namespace {

using enum Field;

struct Row {
  const char* name;
  Template kind;
  std::vector<Field> fields;
};

TEST(LayoutOf, KnowsEveryTemplateOfTheKernel) {
  const Row rows[] = {
      {"ima", Template::kIma, {kDigest, kName}},
      {"ima-ng", Template::kImaNg, {kDigestNg, kNameNg}},
      {"ima-ngv2", Template::kImaNgV2, {kDigestNgV2, kNameNg}},
      {"ima-sig", Template::kImaSig, {kDigestNg, kNameNg, kSignature}},
      {"ima-sigv2", Template::kImaSigV2, {kDigestNgV2, kNameNg, kSignature}},
      {"ima-buf", Template::kImaBuf, {kDigestNg, kNameNg, kBuffer}},
      {"ima-modsig",
       Template::kImaModsig,
       {kDigestNg, kNameNg, kSignature, kAppendedDigest, kAppendedSignature}},
      {"evm-sig",
       Template::kEvmSig,
       {kDigestNg, kNameNg, kEvmSignature, kXattrNames, kXattrLengths, kXattrValues, kOwner, kGroup,
        kMode}},
  };
  for (const Row& row : rows) {
    const Layout layout = LayoutOf(row.name);
    EXPECT_EQ(layout.kind, row.kind) << row.name;
    EXPECT_THAT(std::span(layout.fields).first(layout.count),
                ::testing::ElementsAreArray(row.fields))
        << row.name;
  }
}

TEST(LayoutOf, ReadsFormatsOfTheCommandLine) {
  const Row rows[] = {
      {"d-ng|n-ng", Template::kCustom, {kDigestNg, kNameNg}},
      {"d|n", Template::kCustom, {kDigest, kName}},
      {"n-ng|iuid|d-ngv2|imode", Template::kCustom, {kNameNg, kOwner, kDigestNgV2, kMode}},
      {"d-ng|n-ng|uuid", Template::kOther, {kDigestNg, kNameNg, kUnknown}},
      {"d-ng||n-ng", Template::kOther, {kDigestNg, kUnknown, kNameNg}},
      {"d-ng", Template::kOther, {kDigestNg}},
  };
  for (const Row& row : rows) {
    const Layout layout = LayoutOf(row.name);
    EXPECT_EQ(layout.kind, row.kind) << row.name;
    EXPECT_THAT(std::span(layout.fields).first(layout.count),
                ::testing::ElementsAreArray(row.fields))
        << row.name;
  }
}

// The name is not hashed: calling data by fields that hide its digest or path must not make an
// entry that looks judged.
TEST(Attack, A52_FormatWithoutOneDigestAndOnePathIsNoFile) {
  for (const char* name : {"buf|buf", "sig|n-ng", "d-ng|sig", "n-ng", "d-ng|d|n-ng", "d-ng|n|n-ng",
                           "d-ng|d-ng|n-ng"}) {
    EXPECT_EQ(LayoutOf(name).kind, Template::kOther) << name;
  }
}

TEST(LayoutOf, NamesThatTellNothingHaveNoFields) {
  std::string many = "d-ng|n-ng";
  for (size_t i = 2; i <= kMaxFields; ++i) many += "|sig";
  for (const std::string& name : {std::string("ima-ngv9"), std::string(), many}) {
    EXPECT_EQ(LayoutOf(name).kind, Template::kOther) << name;
    EXPECT_EQ(LayoutOf(name).count, 0) << name;
  }
}

}  // namespace
}  // namespace bootgate::ima
