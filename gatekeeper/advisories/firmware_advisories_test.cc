#include "gatekeeper/advisories/firmware_advisories.h"

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::advisories {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;

std::vector<std::string> IdsOf(const FirmwareAdvisories& table, absl::string_view manufacturer,
                               absl::string_view version) {
  std::vector<std::string> ids;
  for (const FirmwareAdvisory* row :
       table.About(manufacturer, ParseFirmwareVersion(version).value())) {
    ids.push_back(row->id);
  }
  return ids;
}

struct KnownRow {
  const char *manufacturer, *version, *advisory;  // "": none
};

TEST(Attack, A33_FirmwareWithAPublishedWeaknessIsKnown) {
  const FirmwareAdvisories table;
  for (const KnownRow& row : {
           KnownRow{"IFX", "5.61.3161.0", "CVE-2017-15361"},
           KnownRow{"IFX", "5.62.3126.2", ""},
           KnownRow{"IFX", "7.40.2098.0", "CVE-2017-15361"},
           KnownRow{"IFX", "7.62.3126.0", ""},
           KnownRow{"IFX", "7.85.4555.0", ""},
           KnownRow{"IFX", "133.32.0.0", "CVE-2017-15361"},
           KnownRow{"IFX", "133.33.8215.0", ""},
           KnownRow{"STM", "73.8.17568.5511", "CVE-2019-16863"},
           KnownRow{"STM", "73.4.17568.4452", "CVE-2019-16863"},
           KnownRow{"STM", "73.20.17568.6684", ""},
           KnownRow{"STM", "74.64.17568.6659", ""},
           KnownRow{"INTC", "11.8.50.3425", "CVE-2019-11090"},
           KnownRow{"INTC", "11.8.65.3590", ""},
           KnownRow{"INTC", "303.12.0.0", ""},
           KnownRow{"NTC", "1.3.2.8", "CVE-2023-1017"},
           KnownRow{"NTC", "1.3.2.20", ""},
           KnownRow{"NTC", "7.2.0.1", "CVE-2025-2884"},
           KnownRow{"NTC", "7.2.4.1", ""},
           // The same number of another maker says nothing.
           KnownRow{"AMD", "7.2.0.1", ""},
       }) {
    const std::vector<std::string> ids = IdsOf(table, row.manufacturer, row.version);
    EXPECT_EQ(ids.empty() ? "" : ids.front(), row.advisory)
        << row.manufacturer << " " << row.version;
  }
}

TEST(FirmwareAdvisories, EachRowIsWhole) {
  const FirmwareAdvisories table;
  for (const FirmwareAdvisory& row : table.rows()) {
    EXPECT_LE(row.first, row.last) << row.id;
    EXPECT_THAT(row.id, HasSubstr("CVE-"));
    EXPECT_FALSE(row.weakness.empty() || row.reference.empty() || row.manufacturer.empty());
  }
}

TEST(FirmwareAdvisories, AnOperatorAddsRows) {
  FirmwareAdvisories table;
  const size_t built_in = table.rows().size();
  ASSERT_THAT(table.Add(R"([{"manufacturer": "AMD", "first": "3.0", "last": "3.92.65535",
                             "advisory": "OURS-1", "weakness": "w", "reference": "r"},
                            {"manufacturer": "AMD", "first": "6.1.0.4", "last": "6.1.0.4",
                             "advisory": "OURS-2"}])"),
              IsOk());
  EXPECT_EQ(table.rows().size(), built_in + 2);
  EXPECT_THAT(IdsOf(table, "AMD", "3.92.0.6"), ::testing::ElementsAre("OURS-1"));
  EXPECT_THAT(IdsOf(table, "AMD", "6.1.0.4"), ::testing::ElementsAre("OURS-2"));
  EXPECT_THAT(IdsOf(table, "AMD", "6.1.0.5"), ::testing::IsEmpty());
}

TEST(FirmwareAdvisories, ABadTableAddsNothingAndNamesTheRow) {
  constexpr char kGood[] = R"({"manufacturer":"A","first":"1","last":"1","advisory":"X"})";
  for (const auto& [text, says] :
       {std::pair<std::string, const char*>{"", "JSON array"},
        {"{}", "JSON array"},
        {"[1]", "row 1: not an object"},
        {absl::StrCat("[", kGood, ",{}]"), "row 2: 'manufacturer'"},
        {R"([{"manufacturer":"A","first":"1"}])", "'last' is missing"},
        {R"([{"manufacturer":"A","first":"x","last":"1","advisory":"X"}])", "'x' is no version"},
        {R"([{"manufacturer":"A","first":"2","last":"1","advisory":"X"}])",
         "'last' is before 'first'"},
        {R"([{"manufacturer":7,"first":"1","last":"1","advisory":"X"}])", "not a text"},
        {R"([{"Manufacturer":"A"}])", "unknown member 'Manufacturer'"}}) {
    FirmwareAdvisories table;
    const size_t built_in = table.rows().size();
    const absl::Status added = table.Add(text);
    EXPECT_EQ(added.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(added.message()), HasSubstr(says)) << text;
    EXPECT_EQ(table.rows().size(), built_in) << text;
  }
}

TEST(FirmwareVersion, GoesThereAndBack) {
  EXPECT_EQ(ParseFirmwareVersion("7.85.4555.0"), 0x0007005511cb0000u);
  EXPECT_EQ(FirmwareVersionText(0x0007005511cb0000u), "7.85.4555.0");
  EXPECT_EQ(ParseFirmwareVersion("7"), 0x0007000000000000u);
  for (const char* text : {"", ".", "1.", "1.2.3.4.5", "65536", "-1", "+1", "1.x", " 1", "1 "})
    EXPECT_EQ(ParseFirmwareVersion(text), std::nullopt) << text;
}

TEST(VendorName, IsTheVendorIdInLetters) {
  EXPECT_EQ(VendorName("id:49465800"), "IFX");
  EXPECT_EQ(VendorName("id:494E5443"), "INTC");
  EXPECT_EQ(VendorName("id:53544d20"), "STM");
  EXPECT_EQ(VendorName("id:1"), "id:1");
  EXPECT_EQ(VendorName("swtpm"), "swtpm");
  EXPECT_EQ(VendorName(""), "");
}

}  // namespace
}  // namespace bootgate::gatekeeper::advisories
