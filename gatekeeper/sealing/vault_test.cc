#include "gatekeeper/sealing/vault.h"

#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/sealing/made_store_test.h"

namespace bootgate::gatekeeper::sealing {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const Actor kAlice{"operator alice", kNow};
using Labels = std::map<std::string, std::string>;

class VaultTest : public ::testing::Test {
 protected:
  absl::Status Put(const std::string& name, const std::string& selector, const std::string& value,
                   bool across = false) {
    return vault_.Put({.name = name, .selector = selector, .across_boots = across},
                      SecretBytes(AsBytes(value)), kAlice);
  }
  // "name=value ..." of what a host with these labels gets.
  std::string Given(const Labels& labels, Vault* by = nullptr, const std::string& host = "h-1") {
    const auto secrets = (by == nullptr ? vault_ : *by).For(host, labels);
    if (!secrets.ok()) return secrets.status().ToString();
    std::string out;
    for (const auto& [name, value] : secrets->all) {
      out += name + "=" + std::string(AsText(value.view())) + " ";
    }
    return out;
  }

  MadeStore made_;
  Vault vault_{made_.store(), made_.keys()};
};

TEST_F(VaultTest, TheMostSpecificSelectorThatFitsWins) {
  ASSERT_THAT(Put("disk", "", "for all"), IsOk());
  ASSERT_THAT(Put("disk", "role=db", "for databases"), IsOk());
  ASSERT_THAT(Put("join", "role=web", "w"), IsOk());
  EXPECT_EQ(Given({}), "disk=for all ");
  EXPECT_EQ(Given({{"role", "db"}, {"rack", "7"}}), "disk=for databases ");
  EXPECT_EQ(Given({{"role", "web"}}), "disk=for all join=w ");
}

TEST_F(VaultTest, AnotherProcessSeesItAtOnceWithTheNewKeyToo) {
  ASSERT_THAT(Put("disk", "", "one"), IsOk());
  Vault other(made_.store(), made_.keys());
  EXPECT_EQ(Given({}, &other), "disk=one ");
  ASSERT_THAT(vault_.Rotate(kAlice), IsOk());
  ASSERT_THAT(Put("disk", "", "two"), IsOk());
  EXPECT_EQ(Given({}, &other), "disk=two ");
  ASSERT_THAT(vault_.Remove({.name = "disk", .selector = ""}, kAlice), IsOk());
  EXPECT_EQ(Given({}, &other), "");
  EXPECT_THAT(vault_.Remove({.name = "disk", .selector = ""}, kAlice),
              HasCode(absl::StatusCode::kNotFound));
}

TEST_F(VaultTest, OnlyWhatIsMarkedOutlivesABoot) {
  ASSERT_THAT(Put("disk", "", "d", /*across=*/true), IsOk());
  ASSERT_THAT(Put("join", "", "j"), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const HostSecrets secrets, vault_.For("h-1", {}));
  EXPECT_EQ(secrets.all.size(), 2u);
  EXPECT_EQ(secrets.across.size(), 1u);
  EXPECT_TRUE(secrets.across.contains("disk"));
  ASSERT_THAT(Put("join", "", "another"), IsOk());
  EXPECT_EQ(vault_.For("h-1", {}).value().across_id, secrets.across_id);
  ASSERT_THAT(Put("disk", "", "another", /*across=*/true), IsOk());
  EXPECT_NE(vault_.For("h-1", {}).value().across_id, secrets.across_id);
}

TEST_F(VaultTest, ARandomSecretOfEachHostSurvivesRotationAndIsRenewedByPut) {
  const SecretFacts facts{.name = "disk", .per_host = true};
  ASSERT_THAT(vault_.Put(facts, SecretBytes(), kAlice), IsOk());
  const std::string one = Given({}, nullptr, "h-1");
  EXPECT_NE(Given({}, nullptr, "h-2"), one);
  EXPECT_EQ(vault_.Rotate(kAlice).value(), 1u);
  EXPECT_EQ(Given({}, nullptr, "h-1"), one);
  ASSERT_THAT(vault_.Put(facts, SecretBytes(), kAlice), IsOk());
  EXPECT_NE(Given({}, nullptr, "h-1"), one);
}

// The store's history keeps every document: without its key nobody reads one.
TEST_F(VaultTest, RotationLeavesOneKeyAndWhatWasRemovedIsGone) {
  ASSERT_THAT(Put("old", "", "gone for good"), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<StandingSecret> before, vault_.List());
  ASSERT_THAT(vault_.Remove({.name = "old", .selector = ""}, kAlice), IsOk());
  ASSERT_THAT(vault_.Rotate(kAlice), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto keys, ReadSecretKeys(made_.keys()));
  ASSERT_EQ(keys.size(), 1u);
  BG_ASSERT_OK_AND_ASSIGN(const store::DocumentRow document,
                          made_.store().GetDocument(kSecretKind, before[0].document_id));
  BG_ASSERT_OK_AND_ASSIGN(const Secret secret, SecretFromText(document.text));
  EXPECT_THAT(OpenSecret(secret, keys), Refuses(Reason::kStateCorrupt));
}

TEST_F(VaultTest, WhatCannotBeReadFailsItsHostsAloneAndIsNotRotatedAway) {
  ASSERT_THAT(Put("disk", "role=db", "d"), IsOk());
  ASSERT_THAT(Put("join", "", "j"), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto keys, ReadSecretKeys(made_.keys()));
  // Another gatekeeper's key was lost: its secret is there, and cannot be read.
  store::DocumentRow document;
  document.kind = kSecretKind;
  document.text = ToText(
      CloseSecret({.name = "disk", .selector = "role=db"}, NewSecretKey(), SecretBytes(Bytes(3)))
          .value());
  document.id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(document.text)).hex();
  store::AuditRow audit;
  audit.at = kNow;
  audit.detail_json = "{}";
  ASSERT_THAT(made_.store().PutDocument(document, audit), IsOk());
  store::AssignmentRow row;
  row.kind = kSecretKind;
  row.selector = "disk@role=db";
  row.document_id = document.id;
  row.at = kNow;
  ASSERT_THAT(made_.store().Assign(row, audit), IsOk());

  EXPECT_THAT(vault_.For("h-1", {{"role", "db"}}), Refuses(Reason::kStateCorrupt));
  EXPECT_EQ(Given({}), "join=j ");
  EXPECT_THAT(vault_.Rotate(kAlice), Refuses(Reason::kStateCorrupt));
  EXPECT_EQ(ReadSecretKeys(made_.keys()).value()[0].id, keys[0].id);
  EXPECT_THAT(vault_.List().value()[0].broken, Not(IsOk()));
}

TEST_F(VaultTest, MoreThanAHostCanBeGiven) {
  const std::string large(kMaxSecretBytes, 'x');
  for (size_t i = 0; i <= kMaxSecretBytesOfHost / kMaxSecretBytes; ++i) {
    ASSERT_THAT(Put("s" + std::to_string(i), "role=db", large), IsOk());
  }
  EXPECT_THAT(vault_.For("h-1", {{"role", "db"}}), HasCode(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(vault_.For("h-1", {}), IsOk());
}

TEST_F(VaultTest, ValuesReachNeitherStoreNorAuditLog) {
  ASSERT_THAT(Put("disk", "", "VERY-SECRET-VALUE"), IsOk());
  ASSERT_THAT(vault_.Rotate(kAlice), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto audit, made_.store().ListAudit(0, 100));
  EXPECT_EQ(audit.size(), 4u);
  for (const store::AuditRow& row : audit) {
    EXPECT_EQ(row.actor, "operator alice");
    EXPECT_EQ(row.detail_json.find("VERY-SECRET"), std::string::npos);
  }
  BG_ASSERT_OK_AND_ASSIGN(const auto documents, made_.store().ListDocuments(kSecretKind));
  for (const auto& document : documents) {
    EXPECT_EQ(document.text.find("VERY-SECRET"), std::string::npos);
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::sealing
