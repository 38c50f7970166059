#include "gatekeeper/softening/waiver.h"

#include <ostream>

#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::softening {
namespace {

using ::bootgate::testing::Refuses;
using ::testing::HasSubstr;

constexpr char kGood[] =
    R"({"findings":[{"code":"IMA_UNLISTED","register":10,"path":"/opt/agent/*","actual":"sha256:aa"}],)"
    R"("hosts":{"ids":["h-00000000000000000000000000000001"],"selector":"role=db"},)"
    R"("owner":"team db","reason":"hot fix 12","expires_at":"2027-01-20T00:00:00Z"})";

TEST(WaiverText, GoesThereAndBack) {
  BG_ASSERT_OK_AND_ASSIGN(const Waiver waiver, ReadWaiver(kGood));
  EXPECT_EQ(WaiverText(waiver), kGood);
  EXPECT_EQ(Describe(waiver.findings[0]), "IMA_UNLISTED of /opt/agent/*, PCR 10, actual sha256:aa");
}

struct BadWaiver {
  const char *name, *from, *to, *says;  // a part of the good one, replaced
};
void PrintTo(const BadWaiver& row, std::ostream* os) { *os << row.name; }
class ReadWaiverRefusesTest : public ::testing::TestWithParam<BadWaiver> {};

TEST_P(ReadWaiverRefusesTest, WithWhatIsWrong) {
  std::string text = kGood;
  const size_t at = text.find(GetParam().from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, std::string(GetParam().from).size(), GetParam().to);
  const auto waiver = ReadWaiver(text);
  EXPECT_THAT(waiver, Refuses(Reason::kWaiver));
  EXPECT_THAT(std::string(waiver.status().message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Documents, ReadWaiverRefusesTest,
    ::testing::ValuesIn(std::vector<BadWaiver>{
        {"NoPolicy", "IMA_UNLISTED", "NO_POLICY", "NO_POLICY may not come to observe"},
        {"OperatorsQuarantine", "IMA_UNLISTED", "OPERATOR_QUARANTINE", "is never the finding"},
        {"Brake", "IMA_UNLISTED", "BRAKE_ENGAGED", "is never the finding"},
        {"Reject", "IMA_UNLISTED", "QUOTE_MAGIC", "is never the finding"},
        {"Unknown", "IMA_UNLISTED", "ALL", "'ALL' is no reason code"},
        {"RegisterTooHigh", ":10", ":24", "register"},
        {"RegisterAsText", ":10", R"(:"10")", "register"},
        {"PathWithoutRoot", "/opt/agent", "opt/agent", "does not begin with '/'"},
        {"TooManyStars", "/opt/agent/*", "/*/*/*/*/*/*/*/*/*", "8 '*'"},
        {"UnknownMember", R"("register")", R"("pcr")", "'pcr' is not known"},
        {"NoHostId", "h-00000000000000000000000000000001", "db-17", "'db-17' is no host id"},
        {"NoOwner", "team db", "  ", "owner: is missing"},
        {"NoReason", "hot fix 12", "", "reason: is missing"},
        {"NoTime", "2027-01-20T00:00:00Z", "tomorrow", "expires_at"},
        {"NotJson", R"({"findings")", R"({findings)", "is no JSON"},
        {"NoFindings", R"("findings":[{)", R"("findings":3,"x":[{)", "'x' is not known"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ReadWaiver, ForAllHostsThereIsNone) {
  BG_ASSERT_OK_AND_ASSIGN(Waiver waiver, ReadWaiver(kGood));
  waiver.hosts.clear();
  waiver.selector.clear();
  EXPECT_THAT(CheckWaiver(waiver), Refuses(Reason::kWaiver));
}

TEST(ReadWaiver, ALongListIsRefusedBeforeItIsRead) {
  EXPECT_THAT(ReadWaiver(std::string(kMaxWaiverBytes + 1, ' ')), Refuses(Reason::kWaiver));
  std::string findings = R"({"findings":[)";
  for (size_t i = 0; i <= kMaxWaivedFindings; ++i) findings += R"({"code":"IMA_UNLISTED"},)";
  findings.back() = ']';
  EXPECT_THAT(ReadWaiver(findings + "}"), Refuses(Reason::kWaiver));
}

}  // namespace
}  // namespace bootgate::gatekeeper::softening
