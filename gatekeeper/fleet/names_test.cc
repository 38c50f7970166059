#include "gatekeeper/fleet/names.h"

#include <string>
#include <vector>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::fleet {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

TEST(Id, TakesWhatWeMakeAndOthersName) {
  for (const char* id : {"h-00112233445566778899aabbccddeeff", "v-0123456789abcdef0123456789abcdef",
                         "i-0123456789abcdef", "t-0123", "hosts-2", "a", "0", "db1.example.org"}) {
    EXPECT_THAT(CheckId("host_id", id), IsOk()) << id;
  }
  EXPECT_THAT(CheckId("host_id", std::string(kMaxIdBytes, 'a')), IsOk());
}

TEST(Attack, A73_IdsOfEveryOtherFormAreRefused) {
  const std::vector<std::string> hostile = {"",
                                            "h-1\nroot",
                                            "h-1\r",
                                            "../h-1",
                                            "h-1/..",
                                            "h-1%2fx",
                                            "h-1,x",
                                            "H-1",
                                            "-h",
                                            "h-",
                                            ".h",
                                            "h 1",
                                            "h\xe2\x80\xae"
                                            "1",
                                            std::string("h\0001", 3),
                                            "h'--",
                                            "h\\",
                                            std::string(kMaxIdBytes + 1, 'a')};
  for (const std::string& id : hostile)
    EXPECT_THAT(CheckId("host_id", id), Refuses(Reason::kHostIdSyntax)) << id;
}

TEST(Label, TakesWhatOperatorsWrite) {
  const std::map<std::string, std::string> labels = {
      {"role", "db"},           {"topology.example/rack", "r7-b"}, {"address", "2001:db8::7"},
      {"owner", "alice@a.org"}, {"Site_1", "Building 7"},          {"note", "c++"}};
  EXPECT_THAT(CheckLabels({{"role", "db"}, {"rack", "7"}}), IsOk());
  for (const auto& [name, value] : labels)
    EXPECT_EQ(CheckLabel(name, value).ok(), name != "note") << name << "=" << value;
}

TEST(Attack, A73_LabelsOfEveryOtherFormAreRefused) {
  struct Bad {
    std::string name, value;
  };
  const std::vector<Bad> hostile = {{"", "x"},
                                    {"role", ""},
                                    {"role\n", "db"},
                                    {"role", "db\nx=y"},
                                    {"../role", "db"},
                                    {"role", "../x"},
                                    {"role", "a,b=c"},
                                    {"role", "a=b"},
                                    {"role", "%2fx"},
                                    {"a/b/c", "x"},
                                    {"role", "x\xe2\x80\xae"},
                                    {"role", "x\xd8\x9cy"},
                                    {"role", std::string(kMaxLabelValueBytes + 1, 'x')},
                                    {std::string(kMaxLabelNameBytes + 1, 'x'), "x"}};
  for (const Bad& bad : hostile) {
    EXPECT_THAT(CheckLabel(bad.name, bad.value), Refuses(Reason::kSelector))
        << bad.name << "=" << bad.value;
  }
  std::map<std::string, std::string> many;
  for (size_t i = 0; i <= kMaxLabels; ++i) many["n" + std::to_string(i)] = "x";
  EXPECT_THAT(CheckLabels(many), Refuses(Reason::kSelector));
}

TEST(Selector, HasGoodLabels) {
  EXPECT_THAT(CheckSelector(""), IsOk());
  EXPECT_THAT(CheckSelector("role=db,rack=7"), IsOk());
  EXPECT_THAT(CheckSelector("role"), Refuses(Reason::kSelector));
  EXPECT_THAT(CheckSelector("role=db,rack=../7"), Refuses(Reason::kSelector));
}

TEST(Text, IsPlain) {
  EXPECT_THAT(CheckText("reason", "board replaced, ticket #4: \"ok\" – done"), IsOk());
  for (const char* text : {"a\nb", "\x1b[31m", "\xff", "x\xe2\x80\xaey", "\xe2\x81\xa6"})
    EXPECT_THAT(CheckText("reason", text), Refuses(Reason::kMessageMalformed)) << text;
  EXPECT_THAT(CheckReason("  "), Refuses(Reason::kMessageMalformed));
}

}  // namespace
}  // namespace bootgate::gatekeeper::fleet
