#include "gatekeeper/cli/credentials.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "common/base/files.h"
#include "gatekeeper/cli/crl_show.h"
#include "gatekeeper/revocation/revocation_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::cli {
namespace {

using ::bootgate::testing::IsOk;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kA[] = "4a000000000000000000000000000001";
constexpr char kB[] = "4b000000000000000000000000000002";
constexpr char kC[] = "4c000000000000000000000000000003";

class CredentialVerbsTest : public revocation::RevocationTest {
 protected:
  CredentialVerbsTest() {
    Issue(kHost, {kA, kB});
    Issue(kOtherHost, {kC});
    ShutOut(kOtherHost);
  }
  Operator Op(OutputFormat format = OutputFormat::kTable) {
    out_.str("");
    err_.str("");
    return {.store = *store_,
            .clock = clock_,
            .actor = "operator alice",
            .format = format,
            .out = out_,
            .err = err_};
  }
  json List(const CredentialListOptions& options = {}) {
    EXPECT_EQ(CredentialList(Op(OutputFormat::kJson), options), ExitCode::kSuccess) << err_.str();
    return json::parse(out_.str());
  }

  std::ostringstream out_, err_;
};

TEST_F(CredentialVerbsTest, ListTellsEachOnesState) {
  const json all = List();
  ASSERT_THAT(all, SizeIs(3));
  for (const json& row : all) {
    EXPECT_EQ(row["state"], row["serial"] == kC ? "revoked" : "valid");
  }
  EXPECT_THAT(List({.host_id = kHost}), SizeIs(2));
  const json revoked = List({.revoked = true});
  ASSERT_THAT(revoked, SizeIs(1));
  EXPECT_EQ(revoked[0]["serial"], kC);
  EXPECT_THAT(List({.host_id = kHost, .revoked = true}), SizeIs(0));
  EXPECT_EQ(CredentialList(Op(), {}), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr(kA), HasSubstr(kB), HasSubstr(kC)));
  clock_.Advance(absl::Hours(2));
  EXPECT_THAT(List({.revoked = true}), SizeIs(0));
  EXPECT_EQ(List({.host_id = kHost})[0]["state"], "expired");
}

TEST_F(CredentialVerbsTest, ListNamesAHostThatIsNone) {
  EXPECT_EQ(CredentialList(Op(), {.host_id = "h-0"}), ExitCode::kNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("h-0"));
}

TEST_F(CredentialVerbsTest, RevokeTakesOneBackAndLeavesATrace) {
  ASSERT_EQ(
      CredentialRevoke(Op(), {.serial = kA, .reason = "laptop was lost", .code = "key-compromise"}),
      ExitCode::kSuccess)
      << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("is revoked"));
  EXPECT_TRUE(store_->IsRevoked(kA).value());
  EXPECT_FALSE(store_->IsRevoked(kB).value());
  const auto audit = store_->ListAudit(0, 100).value();
  EXPECT_EQ(audit.back().action, "credential.revoke");
  EXPECT_EQ(audit.back().actor, "operator alice");
  EXPECT_THAT(audit.back().detail_json, HasSubstr("laptop was lost"));

  EXPECT_EQ(CredentialShow(Op(), kA), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("key-compromise"), HasSubstr("laptop was lost")));

  // Again: nothing changes, and it says since when.
  const size_t rows = audit.size();
  EXPECT_EQ(CredentialRevoke(Op(), {.serial = kA, .reason = "again"}), ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr("revoked already"));
  EXPECT_THAT(store_->ListAudit(0, 100).value(), SizeIs(rows));
}

TEST_F(CredentialVerbsTest, SerialsAreTakenAsOpensslPrintsThem) {
  EXPECT_EQ(CredentialShow(Op(), "4A:00:00:00:00:00:00:00:00:00:00:00:00:00:00:01"),
            ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr(kHost));
}

TEST_F(CredentialVerbsTest, WhatIsWrongIsSaid) {
  EXPECT_EQ(CredentialShow(Op(), "4d"), ExitCode::kNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("credential list"));
  EXPECT_EQ(CredentialShow(Op(), "hello"), ExitCode::kUsage);
  EXPECT_EQ(CredentialShow(Op(), std::string(100, 'a')), ExitCode::kUsage);
  EXPECT_EQ(CredentialRevoke(Op(), {.serial = kA, .reason = " "}), ExitCode::kUsage);
  EXPECT_EQ(CredentialRevoke(Op(), {.serial = kA, .reason = std::string(501, 'x')}),
            ExitCode::kUsage);
  EXPECT_EQ(CredentialRevoke(Op(), {.serial = kA, .reason = "x", .code = "hold"}),
            ExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("key-compromise"));
  EXPECT_FALSE(store_->IsRevoked(kA).value());
}

TEST_F(CredentialVerbsTest, CrlShowReadsWhatWePublish) {
  revocation::Publisher publisher(*store_, *authority_, clock_);
  ASSERT_THAT(publisher.Refresh(), IsOk());
  const std::string der = *publisher.Find(KeyId() + ".crl")->body;
  const std::string ca = folder_ + "/issuing.pem";
  ASSERT_THAT(WriteFileAtomically(ca, AsBytes(pki::DerToPem(issuer_->certificate)), 0600), IsOk());
  const auto show = [&](const std::string& input, OutputFormat format, const std::string& with) {
    out_.str("");
    err_.str("");
    std::istringstream in(input);
    return CrlShow({.file = "-", .ca_file = with}, {format, in, out_, err_, clock_});
  };
  ASSERT_EQ(show(der, OutputFormat::kJson, ca), ExitCode::kSuccess) << err_.str();
  const json shown = json::parse(out_.str());
  EXPECT_EQ(shown["signed_by_ca"], true);
  ASSERT_THAT(shown["revoked"], SizeIs(1));
  EXPECT_EQ(shown["revoked"][0]["serial"], kC);
  EXPECT_EQ(shown["revoked"][0]["reason"], "privilege-withdrawn");
  EXPECT_EQ(show(*publisher.Find(KeyId() + ".pem")->body, OutputFormat::kTable, ""),
            ExitCode::kSuccess);
  EXPECT_THAT(out_.str(), HasSubstr(kC));
  EXPECT_THAT(err_.str(), Not(HasSubstr("warning")));

  clock_.Advance(absl::Hours(2));
  EXPECT_EQ(show(der, OutputFormat::kTable, ""), ExitCode::kSuccess);
  EXPECT_THAT(err_.str(), HasSubstr("a newer list was due"));
  ASSERT_THAT(WriteFileAtomically(ca, AsBytes(authority_->root_pem()), 0600), IsOk());
  EXPECT_EQ(show(der, OutputFormat::kTable, ca), ExitCode::kRejected);
  EXPECT_EQ(show("no list", OutputFormat::kTable, ""), ExitCode::kRejected);
  EXPECT_THAT(err_.str(), HasSubstr("no CRL"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli
