// The verbs on CAs that ask the store first: who has the trust bundle, what is forgotten.
#include <sstream>

#include "common/base/files.h"
#include "common/testing/fake_clock.h"
#include "gatekeeper/cli/ca.h"
#include "gatekeeper/cli/ca_root_list.h"
#include "gatekeeper/issuing/trust_bundles.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "pki/authority.h"
#include "pki/ca_test.h"

namespace bootgate::gatekeeper::cli {
namespace {

using ::bootgate::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;

class CaVerbsTest : public ::testing::Test {
 protected:
  CaVerbsTest() {
    EXPECT_THAT(pki::CreateCas(pki::PlanIn(scratch_), pki::kCaNow).status(), IsOk());
  }

  std::string Told() {
    const std::string all = out_.str() + err_.str();
    out_.str("");
    err_.str("");
    return all;
  }
  std::string PresentBundle() {
    const auto authority = pki::Authority::Open({scratch_.ca()}, clock_.Now());
    return authority->trust_bundle()->sha256.hex();
  }
  // Heard of now, with this bundle.
  void Hear(const std::string& id, const std::string& bundle,
            host::Trust trust = host::Trust::kTrusted) {
    store::Commit commit;
    host::HostRecord host;
    host.id = id;
    if (const auto known = store_->GetHost(id); known.ok()) host = *known;
    host.trust = trust;
    host.last_seen_at = clock_.Now();
    host.trust_bundle = bundle;
    commit.host = host;
    commit.audit.emplace_back();
    ASSERT_THAT(store_->Apply(commit), IsOk());
  }
  pki::CaRecord::State StateOf(const std::string& id) {
    return pki::LoadCaFolder(scratch_.ca())->Find(id)->state;
  }

  const pki::CaScratch scratch_;
  const std::unique_ptr<store::Store> store_ =
      store::OpenSqlite({.path = scratch_.path() + "/store.db", .create = true}).value();
  testing::FakeClock clock_{pki::kCaNow};
  std::ostringstream out_, err_;
  Operator op_{.store = *store_,
               .clock = clock_,
               .actor = "operator alice",
               .format = OutputFormat::kTable,
               .out = out_,
               .err = err_};
};

TEST_F(CaVerbsTest, ActivateWaitsForHostsThatLackTheBundle) {
  const std::string before = PresentBundle();
  Hear("h-1", before);
  Hear("h-2", before);
  Hear("h-gone", before, host::Trust::kRetired);
  ASSERT_EQ(CaRotate(op_, scratch_.ca(), {.use = "hosts"}), ExitCode::kSuccess) << Told();
  const std::string present = PresentBundle();
  ASSERT_NE(present, before);
  Hear("h-1", present);
  Told();
  EXPECT_EQ(CaActivate(op_, scratch_.ca(), {.id = "hosts-2"}), ExitCode::kConflict);
  const std::string refused = Told();
  for (const char* const part : {"1 of 2 hosts", "not yet: h-2", "--force"}) {
    EXPECT_THAT(refused, HasSubstr(part));
  }
  EXPECT_EQ(StateOf("hosts-2"), pki::CaRecord::State::kPrepared);

  Hear("h-2", present);
  EXPECT_EQ(CaActivate(op_, scratch_.ca(), {.id = "hosts-2"}), ExitCode::kSuccess);
  EXPECT_THAT(Told(), HasSubstr("2 of 2 hosts"));
  EXPECT_EQ(StateOf("hosts-2"), pki::CaRecord::State::kActive);
  EXPECT_EQ(PresentBundle(), present) << "the next one need not wait again";
}

TEST_F(CaVerbsTest, ActivateGoesOnWithForceAndWithoutThoseThatAreSilent) {
  Hear("h-1", "");
  ASSERT_EQ(CaRotate(op_, scratch_.ca(), {.use = "aks"}), ExitCode::kSuccess) << Told();
  EXPECT_EQ(CaActivate(op_, scratch_.ca(), {.id = "aks-2"}), ExitCode::kConflict)
      << "an agent that does not tell is not known to have it";
  EXPECT_EQ(CaActivate(op_, scratch_.ca(), {.id = "aks-2", .force = true}), ExitCode::kSuccess);
  ASSERT_EQ(CaRotate(op_, scratch_.ca(), {.use = "aks"}), ExitCode::kSuccess);
  clock_.Advance(issuing::kHeardLately + absl::Minutes(1));
  Told();
  EXPECT_EQ(CaActivate(op_, scratch_.ca(), {.id = "aks-3"}), ExitCode::kSuccess);
  EXPECT_THAT(Told(), HasSubstr("1 more were not heard of"));
}

TEST_F(CaVerbsTest, RemoveForgetsWhatHasExpiredAndSaysWhyNot) {
  ASSERT_EQ(CaRotate(op_, scratch_.ca(), {.use = "hosts", .lifetime = "43800h"}),
            ExitCode::kSuccess);
  ASSERT_EQ(CaActivate(op_, scratch_.ca(), {.id = "hosts-2"}), ExitCode::kSuccess);
  Told();
  EXPECT_EQ(CaRemove(op_, scratch_.ca(), "hosts-1"), ExitCode::kConflict);
  EXPECT_THAT(Told(), HasSubstr("has not expired; until"));
  clock_.Advance(absl::Hours(24 * 731));
  EXPECT_EQ(CaRemove(op_, scratch_.ca(), "hosts-1"), ExitCode::kSuccess) << Told();
  EXPECT_THAT(Told(), HasSubstr("hosts-1 is forgotten"));
  EXPECT_EQ(store_->ListAudit(0, 1000)->back().action, "ca.remove");
  EXPECT_EQ(CaRemove(op_, scratch_.ca(), "hosts-1"), ExitCode::kNotFound);
  Told();
  EXPECT_EQ(CaList(op_, scratch_.ca()), ExitCode::kSuccess);
  EXPECT_THAT(Told(), Not(HasSubstr("hosts-1")));
}

// ---- the list of a root that is elsewhere

class RootListVerbsTest : public CaVerbsTest {
 protected:
  RootListVerbsTest() {
    pki::CaPlan plan = pki::PlanIn(scratch_);
    plan.folder = folder();
    plan.root = pki::RootAt::kOffline;
    plan.root_out = scratch_.File("away");
    EXPECT_THAT(pki::CreateCas(plan, pki::kCaNow).status(), IsOk());
  }
  std::string folder() const { return scratch_.File("served"); }
  ExitCode Sign(const std::string& out, const std::vector<std::string>& revoke = {},
                const std::string& lifetime = "48h") {
    return CaSignCrl({.root_folder = scratch_.File("away"),
                      .out_file = scratch_.File(out),
                      .revoke = revoke,
                      .lifetime = lifetime},
                     clock_.Now(), out_, err_);
  }
  ExitCode Install(const std::string& file) {
    return CaInstallCrl(op_, folder(), scratch_.File(file));
  }
};

TEST_F(RootListVerbsTest, TaintSaysWhatToDoWhereTheRootIsAndItWorks) {
  ASSERT_EQ(CaTaint(op_, folder(), "hosts-1", "key copied"), ExitCode::kSuccess);
  const std::string certificate = folder() + "/hosts-1.pem";
  EXPECT_THAT(Told(), HasSubstr("ca sign-crl --root-dir DIR --revoke " + certificate));
  EXPECT_EQ(Sign("root.crl", {certificate}), ExitCode::kSuccess) << Told();
  EXPECT_THAT(Told(), HasSubstr("1 CA revoked, holds until 2027-01-17T08:00:00Z"));
  EXPECT_EQ(Install("root.crl"), ExitCode::kSuccess) << Told();
  EXPECT_THAT(Told(), HasSubstr("root-1's list is here: 1 CA revoked"));
  const store::AuditRow row = store_->ListAudit(0, 1000)->back();
  EXPECT_EQ(row.action, "ca.install-crl");
  EXPECT_EQ(row.actor, "operator alice");
  op_.format = OutputFormat::kJson;
  EXPECT_EQ(Install("root.crl"), ExitCode::kSuccess) << "again is fine";
  EXPECT_THAT(Told(), HasSubstr("\"revoked\": 1"));
}

TEST_F(RootListVerbsTest, TaintSaysNothingOfItWhereTheRootsKeyIsHere) {
  ASSERT_EQ(CaTaint(op_, scratch_.ca(), "hosts-1", "key copied"), ExitCode::kSuccess);
  EXPECT_THAT(Told(), Not(HasSubstr("sign-crl")));
}

TEST_F(RootListVerbsTest, WhatCannotBeSignedOrTakenIsSaidAndLeavesNothing) {
  EXPECT_EQ(Sign("root.crl", {scratch_.File("none.pem")}), ExitCode::kNotFound);
  EXPECT_THAT(Told(), HasSubstr("none.pem"));
  EXPECT_EQ(Sign("root.crl", {scratch_.ca() + "/hosts-1.pem"}), ExitCode::kUsage);
  EXPECT_THAT(Told(), HasSubstr("this root did not sign"));
  EXPECT_EQ(Sign("root.crl", {}, "1h!"), ExitCode::kUsage);
  EXPECT_FALSE(FileExists(scratch_.File("root.crl")));
  EXPECT_FALSE(FileExists(scratch_.File("away/root.crl")));
  ASSERT_EQ(Sign("root.crl"), ExitCode::kSuccess) << Told();
  EXPECT_EQ(Sign("root.crl"), ExitCode::kConflict);
  EXPECT_THAT(Told(), HasSubstr("is already there"));
  clock_.Advance(absl::Hours(49));
  EXPECT_EQ(Install("root.crl"), ExitCode::kConflict);
  EXPECT_THAT(Told(), HasSubstr("has run out"));
  EXPECT_FALSE(FileExists(folder() + "/root-1.crl"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli
