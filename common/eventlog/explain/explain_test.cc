// Every explanation, on made logs: what the log says, what the TPM saw, and what is told.
#include "common/eventlog/explain/explain.h"

#include <functional>

#include "absl/strings/str_cat.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/log_builder.h"
#include "gmock/gmock.h"

namespace bootgate::eventlog {
namespace {

using bootgate::testing::LogBuilder;
using bootgate::testing::Text;
using bootgate::testing::TpmDigest;
using crypto::Digest;
using crypto::HashAlg;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr HashAlg kSha256 = HashAlg::kSha256;
constexpr uint32_t kRegister = 5;

Digest HashOf(absl::string_view text) { return crypto::Hash(kSha256, AsBytes(text)); }

// The value after one extend per word; "" is nothing extended.
Digest After(const std::vector<std::string>& words, Digest value = Digest(kSha256)) {
  for (const std::string& word : words) value = registers::Extended(value, HashOf(word));
  return value;
}

// A log of EV_ACTIONs "a", "b", ... in one register: event 1 is the first of them.
Bytes LogOf(const std::vector<std::string>& words) {
  LogBuilder log = LogBuilder::CryptoAgile({kSha256});
  for (const std::string& word : words) log.Event(kRegister, kEvAction, Text(word));
  return log.Finish();
}

struct Row {
  const char* name;
  std::vector<std::string> log;  // what the log says
  std::vector<std::string> tpm;  // what the TPM saw
  Cause cause;
  std::vector<uint32_t> events;
  const char* says;
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.name; }
class ExplainTest : public ::testing::TestWithParam<Row> {};

TEST_P(ExplainTest, NamesWhatHappened) {
  const Row& row = GetParam();
  const Bytes bytes = LogOf(row.log);
  const Log log = Log::Parse(bytes);
  const Explanation why = ExplainRegister(log, kRegister, After(row.tpm), {});
  EXPECT_EQ(Name(why.cause), Name(row.cause)) << why.text;
  EXPECT_EQ(why.events, row.events) << why.text;
  EXPECT_THAT(why.text, HasSubstr(row.says));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ExplainTest,
    ::testing::Values(
        Row{"NeverExtended", {"a", "b"}, {}, Cause::kNeverExtended, {}, "never extended"},
        Row{"StoppedEarly",
            {"a", "b", "c", "d"},
            {"a", "b"},
            Cause::kStoppedEarly,
            {3, 4},
            "before event 3"},
        Row{"AddedAtTheEnd",
            {"a", "b", "c"},
            {"a", "b"},
            Cause::kStoppedEarly,
            {3},
            "the last 1 event of the log never reached it"},
        Row{"Added",
            {"a", "b", "c", "d"},
            {"a", "c", "d"},
            Cause::kEventNotExtended,
            {2},
            "the TPM never saw event 2 (b)"},
        Row{"RepeatedInTheLog",
            {"a", "b", "b", "c"},
            {"a", "b", "c"},
            Cause::kEventRepeated,
            {3, 2},
            "event 3 (b) repeats event 2"},
        Row{"RepeatedLaterInTheLog",
            {"a", "b", "a", "c"},
            {"a", "b", "c"},
            Cause::kEventRepeated,
            {3, 1},
            "repeats event 1"},
        Row{"RepeatedLastInTheLog",
            {"a", "b", "b"},
            {"a", "b"},
            Cause::kEventRepeated,
            {3, 2},
            "repeats event 2"},
        Row{"ExtendedTwice",
            {"a", "b", "c"},
            {"a", "b", "b", "c"},
            Cause::kExtendedTwice,
            {2},
            "was extended twice"},
        Row{"LastExtendedTwice",
            {"a", "b"},
            {"a", "b", "b"},
            Cause::kExtendedTwice,
            {2},
            "was extended twice"},
        Row{"NeighboursSwapped",
            {"a", "c", "b", "d"},
            {"a", "b", "c", "d"},
            Cause::kSwapped,
            {2, 3},
            "the other way round"},
        Row{"AnySwapped",
            {"d", "b", "c", "a", "e"},
            {"a", "b", "c", "d", "e"},
            Cause::kSwapped,
            {1, 4},
            "the other way round"},
        Row{"MovedLater",
            {"a", "x", "b", "c", "d"},
            {"a", "b", "c", "x", "d"},
            Cause::kMoved,
            {2, 4},
            "was extended after event 4"},
        Row{"MovedEarlier",
            {"a", "b", "c", "x", "d"},
            {"a", "x", "b", "c", "d"},
            Cause::kMoved,
            {4, 2},
            "was extended before event 2"},
        Row{"SeveralAdded",
            {"a", "x", "y", "z", "b"},
            {"a", "b"},
            Cause::kEventsNotExtended,
            {2, 3, 4},
            "the 3 events from event 2 (x) to event 4 (z)"},
        Row{"OfAnEarlierBoot",
            {"o", "l", "d", "a", "b"},
            {"a", "b"},
            Cause::kLaterBeginning,
            {1, 2, 3},
            "begins with event 4 (a)"},
        Row{"KnownMissing",
            {"a", "b"},
            {"a", "Exit Boot Services Invocation", "b"},
            Cause::kEventMissing,
            {2},
            "the action \"Exit Boot Services Invocation\""},
        Row{"KnownReplaced",
            {"a", "b", "c"},
            {"a", "UEFI Debug Mode", "c"},
            Cause::kEventReplaced,
            {2},
            "the TPM saw the action \"UEFI Debug Mode\" in its place"},
        Row{"PhasesLater",
            {"a"},
            {"a", "enter-initrd", "leave-initrd", "sysinit", "ready"},
            Cause::kExtendedLater,
            {},
            "systemd's phase \"ready\""},
        Row{"SeparatorLater",
            {"a"},
            {"a", std::string(4, '\0')},
            Cause::kExtendedLater,
            {},
            "a separator (00000000) was extended"},
        Row{"InAnyOrderLater",
            {"a"},
            {"a", "ready", std::string(4, '\0'), "final"},
            Cause::kExtendedLater,
            {},
            "then systemd's phase \"final\""},
        Row{"UnknownLater",
            {"a", "b"},
            {"a", "b", "nobody knows"},
            Cause::kUnknown,
            {},
            "no single change explains it"},
        Row{"UnknownWithoutEvents",
            {},
            {"nobody knows"},
            Cause::kUnknown,
            {},
            "the log has no event of it"},
        Row{"TwoChanges",
            {"a", "b", "c", "d"},
            {"b", "a", "d", "c"},
            Cause::kUnknown,
            {},
            "the log lacks an event"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Explain, AStartValueThatTheLogDoesNotName) {
  LogBuilder builder = LogBuilder::CryptoAgile({kSha256});
  builder.Event(0, kEvAction, Text("a")).Event(0, kEvAction, Text("b"));
  const Bytes bytes = builder.Finish();
  const Log log = Log::Parse(bytes);
  Digest locality(kSha256);
  locality.mutable_view().back() = 3;
  Explanation why = ExplainRegister(log, 0, After({"a", "b"}, locality), {});
  EXPECT_EQ(Name(why.cause), "start_value");
  EXPECT_THAT(why.text, HasSubstr("starts at startup locality 3; the log says zeros"));
  why = ExplainRegister(log, 0, After({"a", "b"}, Digest::Ones(kSha256)), {});
  EXPECT_EQ(Name(why.cause), "start_value");
  EXPECT_THAT(why.text, HasSubstr("starts at ones"));
}

TEST(Explain, AClaimedLocalityThatIsNotTrue) {
  Bytes locality = Text(absl::string_view("StartupLocality\0\3", 17));
  LogBuilder builder = LogBuilder::CryptoAgile({kSha256});
  builder.Event(0, kEvNoAction, locality).Event(0, kEvAction, Text("a"));
  const Bytes bytes = builder.Finish();
  const Log log = Log::Parse(bytes);
  const Explanation why = ExplainRegister(log, 0, After({"a"}), {});
  EXPECT_EQ(Name(why.cause), "start_value");
  EXPECT_THAT(why.text, HasSubstr("starts at zeros; the log says startup locality 3"));
}

TEST(Explain, ADigestThatIsNotOfItsData) {
  LogBuilder builder = LogBuilder::CryptoAgile({kSha256});
  builder.Event(8, kEvIpl, Text("grub_cmd: first"));
  builder.Event(8, kEvIpl, Text(absl::string_view("kernel_cmdline: quiet\0", 22)),
                {{static_cast<uint16_t>(kSha256), ToBytes(HashOf("another").view())}});
  builder.Event(8, kEvIpl, Text("grub_cmd: last"));
  const Bytes bytes = builder.Finish();
  const Log log = Log::Parse(bytes);
  Digest tpm = registers::Extended(Digest(kSha256), HashOf("grub_cmd: first"));
  tpm = registers::Extended(tpm, HashOf("quiet"));
  tpm = registers::Extended(tpm, HashOf("grub_cmd: last"));
  const Explanation why = ExplainRegister(log, 8, tpm, {});
  EXPECT_EQ(Name(why.cause), "digest_altered");
  EXPECT_THAT(why.events, ElementsAre(2));
  EXPECT_THAT(why.text, HasSubstr("the digest of event 2 was changed"));
}

TEST(Explain, AnEventWhoseTypeWasMadeHarmless) {
  LogBuilder builder = LogBuilder::CryptoAgile({kSha256});
  builder.Event(kRegister, kEvAction, Text("a"));
  builder.Event(kRegister, kEvNoAction, Text("hidden"));
  builder.Event(kRegister, kEvAction, Text("b"));
  const Bytes bytes = builder.Finish();
  const Log log = Log::Parse(bytes);
  const Explanation why = ExplainRegister(log, kRegister, After({"a", "hidden", "b"}), {});
  EXPECT_EQ(Name(why.cause), "type_altered");
  EXPECT_THAT(why.events, ElementsAre(2));
}

TEST(Explain, AnEventThatBelongsToAnotherRegisterIsToldOnBothSides) {
  LogBuilder builder = LogBuilder::CryptoAgile({kSha256});
  builder.Event(5, kEvAction, Text("a")).Event(4, kEvAction, Text("x"));
  builder.Event(5, kEvAction, Text("b")).Event(5, kEvAction, Text("c"));
  const Bytes bytes = builder.Finish();
  const Log log = Log::Parse(bytes);
  registers::RegisterBank quoted(kSha256);
  quoted.Set(5, After({"a", "c"}));
  quoted.Set(4, After({"x", "b"}));
  const std::vector<Unexplained> rows = ExplainBank(log, quoted, {});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].register_index, 5u);
  EXPECT_THAT(rows[0].why.text, HasSubstr("event 3 was extended into PCR 4"));
  EXPECT_EQ(Name(rows[1].why.cause), "other_registers_event");
  EXPECT_THAT(rows[1].why.text, HasSubstr("which the log gives to PCR 5"));
}

TEST(Explain, RegistersTakenForOneAnother) {
  LogBuilder builder = LogBuilder::CryptoAgile({kSha256});
  builder.Event(1, kEvAction, Text("a")).Event(2, kEvAction, Text("b"));
  const Bytes bytes = builder.Finish();
  const Log log = Log::Parse(bytes);
  const Explanation why = ExplainRegister(log, 1, After({"b"}), {});
  EXPECT_EQ(Name(why.cause), "other_register");
  EXPECT_THAT(why.text, HasSubstr("PCR 2"));
}

TEST(Explain, TheDigestsOfAnotherBank) {
  LogBuilder builder = LogBuilder::CryptoAgile({HashAlg::kSha1, kSha256});
  builder.Event(1, kEvAction, Text("a")).Event(1, kEvAction, Text("b"));
  const Bytes bytes = builder.Finish();
  const Log log = Log::Parse(bytes);
  Digest value(kSha256);
  for (const absl::string_view word : {"a", "b"}) {
    Bytes padded = ToBytes(crypto::Hash(HashAlg::kSha1, AsBytes(word)).view());
    padded.resize(crypto::DigestSize(kSha256));
    value = registers::Extended(value, *Digest::From(kSha256, padded));
  }
  const Explanation why = ExplainRegister(log, 1, value, {});
  EXPECT_EQ(Name(why.cause), "other_bank");
  EXPECT_THAT(why.text, HasSubstr("the sha1 digests of its 2 events, filled with zeros"));
}

TEST(Explain, ADigestThatTheCallerKnows) {
  const Bytes bytes = LogOf({"a", "b", "c"});
  const Log log = Log::Parse(bytes);
  ExplainOptions options;
  options.known = {{HashOf("secret"), "event 7 of the other log"}};
  Explanation why = ExplainRegister(log, kRegister, After({"a", "secret", "b", "c"}), options);
  EXPECT_EQ(Name(why.cause), "event_missing");
  EXPECT_THAT(why.text, HasSubstr("event 7 of the other log"));
  why = ExplainRegister(log, kRegister, After({"a", "secret", "c"}), options);
  EXPECT_EQ(Name(why.cause), "event_replaced");
  why = ExplainRegister(log, kRegister, After({"a", "b", "c", "secret"}), options);
  EXPECT_EQ(Name(why.cause), "extended_later");
}

TEST(Explain, RegistersThatFollowFromTheLogAreNotNamed) {
  const Bytes bytes = LogOf({"a", "b"});
  const Log log = Log::Parse(bytes);
  registers::RegisterBank quoted(kSha256);
  quoted.Set(kRegister, After({"a", "b"}));
  quoted.Set(3, Digest(kSha256));
  quoted.Set(10, HashOf("IMA's"));
  quoted.Set(17, Digest::Ones(kSha256));
  EXPECT_THAT(ExplainBank(log, quoted, {}), IsEmpty());
}

TEST(Explain, ARegisterThatNoEventExplainsSaysWhoMayHaveExtendedIt) {
  const Bytes bytes = LogOf({"a"});
  const Log log = Log::Parse(bytes);
  registers::RegisterBank quoted(kSha256);
  quoted.Set(15, HashOf("a volume key"));
  const std::vector<Unexplained> rows = ExplainBank(log, quoted, {});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(Name(rows[0].why.cause), "unknown");
  EXPECT_THAT(rows[0].why.text, HasSubstr("systemd extends this register"));
}

TEST(Explain, TheMostPlausibleComesFirst) {
  LogBuilder builder = LogBuilder::CryptoAgile({kSha256});
  builder.Event(1, kEvAction, Text("a")).Event(2, kEvAction, Text("b"));
  const Bytes bytes = builder.Finish();
  const Log log = Log::Parse(bytes);
  registers::RegisterBank quoted(kSha256);
  quoted.Set(1, HashOf("anything"));
  quoted.Set(2, After({"b", "b"}));
  const std::vector<Unexplained> rows = ExplainBank(log, quoted, {});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].register_index, 2u);
  EXPECT_EQ(rows[1].register_index, 1u);
}

TEST(Explain, HostTextCannotBreakTheSentence) {
  const Bytes bytes = LogOf({"a", "evil\nline\x1b[2J", "c"});
  const Log log = Log::Parse(bytes);
  const Explanation why = ExplainRegister(log, kRegister, After({"a", "c"}), {});
  EXPECT_THAT(why.text, Not(HasSubstr("\n")));
  EXPECT_THAT(why.text, Not(HasSubstr("\x1b")));
}

TEST(Explain, WorkEndsAtItsBound) {
  std::vector<std::string> words;
  for (size_t i = 0; i < 3000; ++i) words.push_back(absl::StrCat("event ", i));
  const Bytes bytes = LogOf(words);
  const Log log = Log::Parse(bytes);
  const Explanation why =
      ExplainRegister(log, kRegister, HashOf("nothing"), {.max_extends = 50'000});
  EXPECT_EQ(Name(why.cause), "unknown");
  EXPECT_THAT(why.text, HasSubstr("not searched further than 50000 extends"));
}

TEST(Explain, ALogWithoutEventsExplainsNothing) {
  const Log log = Log::Parse({});
  const Explanation why = ExplainRegister(log, 4, HashOf("x"), {});
  EXPECT_EQ(Name(why.cause), "unknown");
}

TEST(Explain, EveryCauseHasANameOfItsOwn) {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(Cause::kUnknown); ++i) {
    names.emplace_back(Name(static_cast<Cause>(i)));
  }
  std::vector<std::string> unique = names;
  std::ranges::sort(unique);
  unique.erase(std::unique(unique.begin(), unique.end()), unique.end());
  EXPECT_EQ(unique.size(), names.size());
}

}  // namespace
}  // namespace bootgate::eventlog
