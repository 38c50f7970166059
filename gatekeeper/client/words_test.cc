#include "gatekeeper/client/words.h"

#include "bootgate/v1/quarantine.pb.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::client {
namespace {

using ::testing::HasSubstr;

TEST(Words, EnumsAreToldWithoutTheirPrefix) {
  const google::protobuf::EnumDescriptor& trust = *v1::TrustState_descriptor();
  EXPECT_EQ(Word(trust, v1::TRUST_STATE_QUARANTINED), "quarantined");
  EXPECT_EQ(Word(trust, v1::TRUST_STATE_UNSPECIFIED), "");
  EXPECT_EQ(Word(trust, 77), "unknown-77") << "of a newer gatekeeper";
  BG_ASSERT_OK_AND_ASSIGN(const int value, Value(trust, "suspect"));
  EXPECT_EQ(value, v1::TRUST_STATE_SUSPECT);
}

TEST(Words, WordThatIsNoneNamesThoseThatThereAre) {
  for (const char* const word : {"", "Trusted", "unspecified", "trusted "}) {
    const absl::StatusOr<int> value = Value(*v1::TrustState_descriptor(), word);
    ASSERT_FALSE(value.ok()) << word;
    EXPECT_THAT(std::string(value.status().message()), HasSubstr("pending, trusted, quarantined"));
  }
}

TEST(Words, TimesAreInUtcAndComeBack) {
  google::protobuf::Timestamp time;
  EXPECT_EQ(TimeText(time), "-");
  const absl::Time at = absl::FromUnixNanos(1'800'000'000'123'456'789);
  SetTime(at, &time);
  EXPECT_EQ(TimeOf(time), at);
  EXPECT_EQ(TimeText(time), "2027-01-15T08:00:00Z");
}

TEST(Words, PointsInTimeAreTimesOrDurationsBefore) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  EXPECT_EQ(PointInTime("2h", now).value(), now - absl::Hours(2));
  EXPECT_EQ(PointInTime("2027-01-15T08:00:00Z", now).value(), now);
  for (const char* const text : {"", "yesterday", "-2h", "2027-01-15"}) {
    EXPECT_FALSE(PointInTime(text, now).ok()) << text;
  }
}

v1::QuarantineEntry Entry() {
  v1::QuarantineEntry entry;
  entry.set_host_id("h-1");
  entry.set_trust(v1::TRUST_STATE_QUARANTINED);
  entry.set_shut_out(true);
  entry.mutable_since()->set_seconds(1'800'000'000);
  (*entry.mutable_labels())["role"] = "db";
  (*entry.mutable_labels())["rack"] = "7";
  entry.add_reasons("SECURE_BOOT_OFF");
  entry.set_why("\"quoted\"\n\xff");
  entry.set_revision(0xffffffffffffffff);
  return entry;
}

// Scripts read it: each field stands there, set or not, under its name in the API.
TEST(Words, JsonHasAllFieldsInTheirOrder) {
  EXPECT_EQ(JsonLine(Entry()),
            "{\"host_id\":\"h-1\",\"trust\":\"quarantined\",\"shut_out\":true,"
            "\"since\":\"2027-01-15T08:00:00Z\",\"hostname\":\"\","
            "\"labels\":{\"rack\":\"7\",\"role\":\"db\"},\"reasons\":[\"SECURE_BOOT_OFF\"],"
            "\"why\":\"\\\"quoted\\\"\\n\xEF\xBF\xBD\",\"incident_id\":\"\",\"shut_out_by\":\"\","
            "\"verdict_id\":\"\",\"revision\":18446744073709551615}\n");
}

TEST(Words, JsonOfMessagesThatAreNotSetIsNull) {
  EXPECT_THAT(JsonLine(v1::GetQuarantineResponse()), HasSubstr("\"verdict\":null"));
  v1::WatchQuarantineResponse beat;
  beat.mutable_heartbeat()->set_number(7);
  EXPECT_EQ(JsonLine(beat),
            "{\"snapshot\":null,\"change\":null,\"heartbeat\":{\"at\":null,\"number\":7},"
            "\"resume_token\":\"\"}\n");
}

TEST(Words, ListsAreLists) {
  v1::ListQuarantineResponse list;
  EXPECT_EQ(JsonList(list, "entries"), "[]\n");
  list.add_entries()->set_host_id("h-1");
  EXPECT_THAT(JsonList(list, "entries"), HasSubstr("\"host_id\": \"h-1\""));
}

}  // namespace
}  // namespace bootgate::gatekeeper::client
