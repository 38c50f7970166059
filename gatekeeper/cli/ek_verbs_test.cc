// The verbs that say which TPMs are believed, and who may join, on a store of their own.
#include <sys/stat.h>

#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/crypto/hash.h"
#include "common/testing/corpus.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/soft_tpm/soft_storage_key.h"
#include "gatekeeper/cli/ek_inventory.h"
#include "gatekeeper/cli/ek_lists.h"
#include "gatekeeper/cli/ek_roots.h"
#include "gatekeeper/cli/inventory_file.h"
#include "gatekeeper/cli/join_tokens.h"
#include "gatekeeper/enroll/ek_documents.h"
#include "gatekeeper/enroll/test_ca.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::cli {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

class EkVerbsTest : public ::testing::Test {
 protected:
  static std::string MadeFolder() {
    std::string made = ::testing::TempDir() + "/ek-verbs.XXXXXX";
    return mkdtemp(made.data());
  }
  std::string File(const std::string& name, absl::string_view text) {
    EXPECT_THAT(WriteFileAtomically(folder_ + "/" + name, AsBytes(text), 0600), IsOk());
    return folder_ + "/" + name;
  }
  std::string Fingerprint() const {
    return crypto::Hash(crypto::HashAlg::kSha256, pki::PemToDer(vendor_.RootPem()).value()).hex();
  }
  std::string LastAction() { return store_->ListAudit(0, 100000)->back().action; }
  // What was printed since the last call, results and complaints.
  std::string Told() {
    const std::string all = out_.str() + err_.str();
    out_.str("");
    err_.str("");
    return all;
  }
  void AddHost(int number, bool approved, const std::string& ek_trust, const Labels& labels) {
    store::Commit commit;
    commit.host.emplace();
    const auto ek = tpm2::soft_tpm::SoftStorageKey::MakeEk(tpm2::EkTemplate::kP256Low);
    commit.host->id = host::HostIdFor(ek.area().Name());
    commit.host->ek_public = ek.area().raw;
    commit.host->approved = approved;
    commit.host->ek_trust = ek_trust;
    commit.host->labels = labels;
    commit.audit.emplace_back();
    ASSERT_THAT(store_->Apply(commit), IsOk());
    ids_[number] = commit.host->id;
  }
  bool IsApproved(int number) { return store_->GetHost(ids_[number])->approved; }

  const enroll::TestCa vendor_{kNow};
  const std::string folder_ = MadeFolder();
  const std::unique_ptr<store::Store> store_ =
      store::OpenSqlite({.path = folder_ + "/store.db", .create = true}).value();
  testing::FakeClock clock_{kNow};
  std::ostringstream out_, err_;
  Operator op_{.store = *store_,
               .clock = clock_,
               .actor = "operator alice",
               .format = OutputFormat::kTable,
               .out = out_,
               .err = err_};
  std::map<int, std::string> ids_;
};

// ---- roots

TEST_F(EkVerbsTest, RootIsShownBeforeItIsAdded) {
  const std::string file = File("root.pem", vendor_.RootPem());
  EXPECT_EQ(EkRootAdd(op_, {.file = file}), ExitCode::kConflict);
  const std::string shown = Told();
  for (const std::string& part : {std::string("Test TPM root"), Fingerprint(), std::string("P-256"),
                                  std::string("2027"), std::string("nothing was added")}) {
    EXPECT_THAT(shown, HasSubstr(part));
  }
  EXPECT_TRUE(enroll::ListEkDocuments(*store_, enroll::kEkRootKind)->empty());
}

TEST_F(EkVerbsTest, RootIsAddedByItsFingerprintListedShownAndRemoved) {
  const std::string file = File("root.pem", vendor_.RootPem());
  EXPECT_NE(EkRootAdd(op_, {.file = file, .fingerprint = std::string(64, '0')}),
            ExitCode::kSuccess);
  EXPECT_THAT(Told(), HasSubstr("no certificate of the file has the fingerprint"));
  std::string spelled = absl::AsciiStrToUpper(Fingerprint());
  for (size_t i = 62; i >= 2; i -= 2) spelled.insert(i, ":");
  EXPECT_EQ(EkRootAdd(op_, {.file = file, .fingerprint = "sha256 Fingerprint=" + spelled}),
            ExitCode::kSuccess);
  EXPECT_EQ(LastAction(), "ek-root.add");
  EXPECT_EQ(EkRootAdd(op_, {.file = file, .yes = true}), ExitCode::kSuccess) << "again: fine";
  Told();
  EXPECT_EQ(EkRootList(op_, {}), ExitCode::kSuccess);
  EXPECT_THAT(Told(), HasSubstr("Test TPM root"));
  EXPECT_EQ(EkRootShow(op_, Fingerprint().substr(0, 10)), ExitCode::kSuccess);
  EXPECT_THAT(Told(), HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_EQ(EkRootShow(op_, "1234"), ExitCode::kNotFound);
  EXPECT_EQ(EkRootRemove(op_, Fingerprint(), "gone"), ExitCode::kSuccess);
  EXPECT_EQ(LastAction(), "ek-root.remove");
  EXPECT_EQ(EkRootRemove(op_, Fingerprint(), "gone"), ExitCode::kNotFound);
}

TEST_F(EkVerbsTest, RootsForAksAreApart) {
  const std::string file = File("root.pem", vendor_.RootPem());
  EXPECT_EQ(EkRootAdd(op_, {.file = file, .use = "ak", .yes = true}), ExitCode::kSuccess);
  EXPECT_TRUE(enroll::ListEkDocuments(*store_, enroll::kEkRootKind)->empty());
  EXPECT_EQ(enroll::ListEkDocuments(*store_, enroll::kAkRootKind)->size(), 1u);
}

TEST_F(EkVerbsTest, WhatIsNoCaIsNoRoot) {
  const auto ek = tpm2::soft_tpm::SoftStorageKey::MakeEk(tpm2::EkTemplate::kP256Low);
  const std::string leaf = File("leaf.pem", pki::DerToPem(vendor_.CertificateFor(ek.area())));
  EXPECT_NE(EkRootAdd(op_, {.file = leaf, .yes = true}), ExitCode::kSuccess);
  EXPECT_THAT(Told(), HasSubstr("is no CA"));
  EXPECT_NE(EkRootAdd(op_, {.file = File("no.pem", "hello"), .yes = true}), ExitCode::kSuccess);
  EXPECT_THAT(Told(), HasSubstr("no CERTIFICATE block"));
  EXPECT_NE(EkRootAdd(op_, {.file = folder_ + "/missing", .yes = true}), ExitCode::kSuccess);
  EXPECT_TRUE(enroll::ListEkDocuments(*store_, enroll::kEkRootKind)->empty());
}

// ---- inventory files

TEST(InventoryFile, CsvWithHeadingHasLabels) {
  const std::string id = "h-00112233445566778899aabbccddeeff";
  BG_ASSERT_OK_AND_ASSIGN(
      const auto rows,
      ParseInventory(absl::StrCat("\xef\xbb\xbf# racks\r\nrack,EK,role\r\n7,", id,
                                  ",\"db, \"\"old\"\"\"\r\n\r\n8,", std::string(64, 'A'), ",\r\n"),
                     "racks.csv"));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].ek, id);
  EXPECT_EQ(rows[0].labels, (Labels{{"rack", "7"}, {"role", "db, \"old\""}}));
  EXPECT_EQ(rows[1].ek, std::string(64, 'a'));
  EXPECT_EQ(rows[1].labels, (Labels{{"rack", "8"}}));
}

TEST(InventoryFile, OldFormIsOneEkALine) {
  BG_ASSERT_OK_AND_ASSIGN(const auto rows,
                          ParseInventory("h-00112233445566778899aabbccddeeff # db7\n\n"
                                         "h-10112233445566778899aabbccddeeff\n",
                                         "hosts"));
  EXPECT_EQ(rows.size(), 2u);
}

TEST(InventoryFile, JsonHasLabels) {
  BG_ASSERT_OK_AND_ASSIGN(
      const auto rows,
      ParseInventory(R"( [{"ek": "h-00112233445566778899aabbccddeeff", "labels": {"rack": "7"}}] )",
                     "racks.json"));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].labels.at("rack"), "7");
}

struct BadFile {
  const char* name;
  const char* text;
  const char* says;
};
void PrintTo(const BadFile& row, std::ostream* os) { *os << row.name; }
class BadInventoryTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadInventoryTest, IsRefusedWholeWithItsLine) {
  const auto rows = ParseInventory(GetParam().text, "f");
  EXPECT_THAT(rows, HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(rows.status().message()), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadInventoryTest,
    ::testing::ValuesIn(std::vector<BadFile>{
        {"NoEkColumn", "rack,host\n7,x\n", "f:1: the heading names no column \"ek\""},
        {"NoEk", "ek,rack\n\nh-00112233445566778899aabbccddeeff,7\nxyz,8\n", "f:4: 'xyz' is no EK"},
        {"Cells", "ek,rack\nh-00112233445566778899aabbccddeeff\n", "f:2: 1 cells where"},
        {"Twice", "h-00112233445566778899aabbccddeeff\nh-00112233445566778899aabbccddeeff\n",
         "f:2: h-00112233445566778899aabbccddeeff stands in line 1, too"},
        {"NoJson", "[{\"ek\": \n]", "f:2: this is no JSON"},
        {"JsonWithoutEk", "[{\"id\": 1}]", "f entry:1: an entry is an object with the text \"ek\""},
        {"JsonUnknownMember", "[{\"ek\": \"h-00112233445566778899aabbccddeeff\", \"rack\": \"7\"}]",
         "f entry:1: unknown member 'rack'"},
        {"JsonNumberLabel",
         "[{\"ek\": \"h-00112233445566778899aabbccddeeff\", \"labels\": {\"rack\": 7}}]",
         "a label's value is a text"},
        {"JsonObject", "{}", "a list of entries is wanted"},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST(InventoryFile, ComplaintsAreBounded) {
  std::string text = "ek\n";
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&text, "bad", i, "\n");
  const std::string told(ParseInventory(text, "f").status().message());
  EXPECT_THAT(told, HasSubstr("and 980 more"));
}

// ---- inventory verbs

TEST_F(EkVerbsTest, ImportTakesTheFileOrNothingOfIt) {
  EXPECT_NE(EkInventoryImport(op_, {.file = File("bad.csv", "ek\nxyz\n"), .labels = {}}),
            ExitCode::kSuccess);
  EXPECT_THAT(Told(), HasSubstr("nothing was imported"));
  const std::string id = "h-00112233445566778899aabbccddeeff";
  EXPECT_EQ(EkInventoryImport(op_, {.file = File("a.csv", "ek,rack\n" + id + ",7\n"),
                                    .labels = {{"rack", "0"}, {"site", "north"}}}),
            ExitCode::kSuccess);
  EXPECT_THAT(Told(), HasSubstr("1 added, 0 replaced"));
  EXPECT_EQ(store_->GetInventory(id)->labels,
            (std::map<std::string, std::string>{{"rack", "7"}, {"site", "north"}}));
  EXPECT_EQ(LastAction(), "ek-inventory.import");
  EXPECT_EQ(EkInventoryList(op_, "", 0), ExitCode::kSuccess);
  EXPECT_THAT(Told(), HasSubstr("rack=7,site=north"));
  EXPECT_EQ(EkInventoryShow(op_, "H-" + id.substr(2)), ExitCode::kSuccess);
  EXPECT_EQ(EkInventoryRemove(op_, {id}), ExitCode::kSuccess);
  EXPECT_EQ(EkInventoryRemove(op_, {id}), ExitCode::kNotFound);
  EXPECT_EQ(store_->CountInventory().value(), 0);
}

// A32 has its way out: the list that comes after the host.
TEST_F(EkVerbsTest, ImportApprovesWhoWaitedForItAndNobodyElse) {
  AddHost(1, false, "chain", {});
  AddHost(2, false, "none", {});   // not genuine: the list alone is not enough
  AddHost(3, false, "chain", {});  // not in the list
  const std::string file = File("a.csv", absl::StrCat("ek\n", ids_[1], "\n", ids_[2], "\n"));
  EXPECT_EQ(EkInventoryImport(op_, {.file = file, .labels = {}}), ExitCode::kSuccess);
  EXPECT_THAT(Told(), HasSubstr("1 waiting hosts are approved"));
  EXPECT_TRUE(IsApproved(1));
  EXPECT_FALSE(IsApproved(2));
  EXPECT_FALSE(IsApproved(3));
}

// ---- lists

TEST_F(EkVerbsTest, DistrustIsByFileOrDigestWithAReason) {
  EXPECT_EQ(EkDistrustAdd(op_, File("root.pem", vendor_.RootPem()), "stolen"), ExitCode::kSuccess);
  EXPECT_EQ(EkDistrustAdd(op_, std::string(64, 'B'), "ROCA"), ExitCode::kSuccess);
  EXPECT_EQ(EkDistrustAdd(op_, "no-such-file", "x"), ExitCode::kNotFound);
  EXPECT_NE(EkDistrustAdd(op_, std::string(64, 'c'), "a # comment"), ExitCode::kSuccess);
  Told();
  EXPECT_EQ(EkDistrustList(op_), ExitCode::kSuccess);
  const std::string told = Told();
  EXPECT_THAT(told, HasSubstr(Fingerprint()));
  EXPECT_THAT(told, HasSubstr("ROCA"));
  EXPECT_EQ(EkDistrustRemove(op_, std::string(8, 'b')), ExitCode::kSuccess);
  EXPECT_EQ(LastAction(), "ek-distrust.remove");
  EXPECT_EQ(enroll::ListEkDocuments(*store_, enroll::kEkDistrustKind)->size(), 1u);
}

TEST_F(EkVerbsTest, WhatIsNoRevocationListIsRefused) {
  EXPECT_NE(EkCrlAdd(op_, File("a.crl", vendor_.RootPem())), ExitCode::kSuccess);
  EXPECT_NE(EkCrlAdd(op_, File("b.crl", "\x30\x03\x02\x01\x01")), ExitCode::kSuccess);
  EXPECT_EQ(EkCrlRemove(op_, "0123456789"), ExitCode::kNotFound);
  EXPECT_TRUE(enroll::ListEkDocuments(*store_, enroll::kEkCrlKind)->empty());
}

// ---- join tokens

TEST_F(EkVerbsTest, JoinTokensAreListedShownAndRevoked) {
  const std::string file = folder_ + "/web7.join";
  JoinTokenOptions options;
  options.gatekeeper = "gate:9743";
  options.cluster_id = "c1";
  options.ca_pem = vendor_.RootPem();
  options.labels = {{"role", "web"}};
  options.uses = 3;
  options.out_file = file;
  ASSERT_EQ(JoinTokenCreate(op_, options), ExitCode::kSuccess);
  struct stat info = {};
  ASSERT_EQ(stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  const std::string id = store_->ListJoinTokens()->at(0).id;
  Told();
  EXPECT_EQ(JoinTokenList(op_), ExitCode::kSuccess);
  EXPECT_THAT(Told(), HasSubstr("3 of 3"));
  EXPECT_EQ(JoinTokenRevoke(op_, id), ExitCode::kSuccess);
  EXPECT_EQ(JoinTokenRevoke(op_, "t-none"), ExitCode::kNotFound);
  Told();
  EXPECT_EQ(JoinTokenShow(op_, id), ExitCode::kSuccess);
  const std::string shown = Told();
  EXPECT_THAT(shown, HasSubstr("revoked"));
  EXPECT_THAT(shown, HasSubstr("operator alice"));
  EXPECT_THAT(shown, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli
