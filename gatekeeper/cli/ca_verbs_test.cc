// The verbs on CAs that ask the store first: who has the trust bundle, what is forgotten.
#include <sstream>

#include "common/testing/fake_clock.h"
#include "gatekeeper/cli/ca.h"
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

}  // namespace
}  // namespace bootgate::gatekeeper::cli
