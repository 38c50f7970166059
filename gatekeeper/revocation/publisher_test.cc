#include "gatekeeper/revocation/publisher.h"

#include "absl/time/clock.h"
#include "common/base/reason.h"
#include "gatekeeper/revocation/operators_reasons.h"
#include "gatekeeper/revocation/revocation_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::revocation {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr char kA[] = "4a000000000000000000000000000001";
constexpr char kB[] = "4b000000000000000000000000000002";
constexpr char kC[] = "4c000000000000000000000000000003";

using PublisherTest = PublishedTest;

TEST_F(PublisherTest, ListsAQuarantinedHostsCredentialsAndNoOthers) {
  Issue(kHost, {kA});
  clock_.Advance(absl::Minutes(10));
  Issue(kHost, {kB});
  Issue(kOtherHost, {kC});
  EXPECT_THAT(Refreshed(), IsEmpty());
  EXPECT_NE(Crl(publisher_), nullptr) << "an empty list is a list";

  clock_.Advance(absl::Minutes(10));
  ShutOut(kHost);
  const auto listed = Refreshed();
  EXPECT_THAT(listed, ElementsAre(Key(kA), Key(kB)));
  for (const char* const serial : {kA, kB}) {
    const Entry& entry = listed.at(serial);
    EXPECT_EQ(entry.reason, CRL_REASON_PRIVILEGE_WITHDRAWN);
    EXPECT_EQ(entry.revoked_at, clock_.Now());
    EXPECT_EQ(entry.invalid_since, kNow + absl::Minutes(10)) << "when it was last found good";
  }
}

TEST_F(PublisherTest, SaysTheSameByOcsp) {
  Issue(kHost, {kA});
  Issue(kOtherHost, {kB});
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_EQ(Asked(kA).status, V_OCSP_CERTSTATUS_GOOD);
  ShutOut(kHost);
  // At once, without another look at the store.
  EXPECT_EQ(Asked(kA).status, V_OCSP_CERTSTATUS_REVOKED);
  EXPECT_EQ(Asked(kA).reason, CRL_REASON_PRIVILEGE_WITHDRAWN);
  EXPECT_EQ(Asked(kB).status, V_OCSP_CERTSTATUS_GOOD);
  EXPECT_EQ(Asked(kC).status, V_OCSP_CERTSTATUS_UNKNOWN) << "never issued";
}

TEST_F(PublisherTest, AnswersForSeveralCertificatesAtOnce) {
  Issue(kHost, {kA});
  ShutOut(kHost);
  Issue(kOtherHost, {kB});
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  const std::string response = publisher_.Ocsp(OcspRequestFor({kA, kB, kC})).body;
  EXPECT_EQ(StateIn(response, kA).status, V_OCSP_CERTSTATUS_REVOKED);
  EXPECT_EQ(StateIn(response, kB).status, V_OCSP_CERTSTATUS_GOOD);
  EXPECT_EQ(StateIn(response, kC).status, V_OCSP_CERTSTATUS_UNKNOWN);
}

struct ReasonRow {
  const char* name;
  host::Trust trust;
  const char* replaced_by;
  int reason;
};
void PrintTo(const ReasonRow& row, std::ostream* os) { *os << row.name; }
class ReasonOfHostTest : public RevocationTest, public ::testing::WithParamInterface<ReasonRow> {};

TEST_P(ReasonOfHostTest, FollowsFromItsState) {
  Publisher publisher(*store_, *authority_, clock_);
  Issue(kHost, {kA});
  store::Commit commit;
  commit.host = store_->GetHost(kHost).value();
  commit.host->trust = GetParam().trust;
  commit.host->replaced_by = GetParam().replaced_by;
  commit.revoke_host_credentials = true;
  clock_.Advance(absl::Minutes(1));
  Store(commit);
  ASSERT_THAT(publisher.Refresh(), IsOk());
  EXPECT_EQ(Listed(publisher).at(kA).reason, GetParam().reason);
  const std::string response = publisher.Ocsp(OcspRequestFor({kA})).body;
  EXPECT_EQ(StateIn(response, kA).reason, GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
    States, ReasonOfHostTest,
    ::testing::ValuesIn(std::vector<ReasonRow>{
        {"Quarantined", host::Trust::kQuarantined, "", CRL_REASON_PRIVILEGE_WITHDRAWN},
        {"Investigated", host::Trust::kInvestigating, "", CRL_REASON_PRIVILEGE_WITHDRAWN},
        {"TrustedAgain", host::Trust::kTrusted, "", CRL_REASON_PRIVILEGE_WITHDRAWN},
        {"Retired", host::Trust::kRetired, "", CRL_REASON_CESSATION_OF_OPERATION},
        {"Replaced", host::Trust::kRetired, "h-2", CRL_REASON_SUPERSEDED},
    }),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(PublisherTest, AnOperatorsReasonCounts) {
  Issue(kHost, {kA, kB});
  store::Commit commit;
  commit.documents = {ReasonDocument(kA,
                                     {pki::RevocationReason::kKeyCompromise, "found on a laptop"},
                                     "operator alice", clock_.Now())};
  commit.revoke_serials = {kA};
  Store(commit);
  const auto listed = Refreshed();
  EXPECT_THAT(listed, ElementsAre(Key(kA)));
  EXPECT_EQ(listed.at(kA).reason, CRL_REASON_KEY_COMPROMISE);
  EXPECT_EQ(Asked(kA).reason, CRL_REASON_KEY_COMPROMISE);
  EXPECT_EQ(GetReason(*store_, kA).value()->text, "found on a laptop");
}

TEST_F(PublisherTest, ExpiredOnesLeaveTheListOneListLater) {
  Issue(kHost, {kA});
  ShutOut(kHost);
  EXPECT_THAT(Refreshed(), SizeIs(1));
  clock_.Advance(absl::Minutes(90));
  EXPECT_THAT(Refreshed(), SizeIs(1)) << "in a list made after its end";
  clock_.Advance(absl::Minutes(40));
  EXPECT_THAT(Refreshed(), IsEmpty());
  // So sees one that starts now.
  Publisher later(*store_, *authority_, clock_);
  ASSERT_THAT(later.Refresh(), IsOk());
  EXPECT_THAT(Listed(later), IsEmpty());
}

TEST_F(PublisherTest, OneThatStartsLaterListsTheSame) {
  Issue(kHost, {kA, kB});
  ShutOut(kHost);
  Issue(kOtherHost, {kC});
  ShutOut(kOtherHost);
  EXPECT_THAT(Refreshed(), SizeIs(3));
  Publisher later(*store_, *authority_, clock_);
  ASSERT_THAT(later.Refresh(), IsOk());
  EXPECT_THAT(Listed(later), ElementsAre(Key(kA), Key(kB), Key(kC)));
}

TEST_F(PublisherTest, NothingNewNoNewList) {
  Issue(kHost, {kA});
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  const int64_t made = publisher_.figures().crls_made;
  const std::string tag = publisher_.Find(KeyId() + ".crl")->tag;
  for (int i = 0; i < 10; ++i) {
    Issue(kOtherHost, {});  // the store moves, no revocation does
    ASSERT_THAT(publisher_.Refresh(), IsOk());
  }
  EXPECT_EQ(publisher_.figures().crls_made, made);
  EXPECT_EQ(publisher_.Find(KeyId() + ".crl")->tag, tag);
  ShutOut(kHost);
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_NE(publisher_.Find(KeyId() + ".crl")->tag, tag);
}

TEST_F(PublisherTest, AListIsMadeAnewBeforeItEnds) {
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  const File first = *publisher_.Find(KeyId() + ".crl");
  EXPECT_EQ(first.ends_at, kNow + absl::Hours(1));
  clock_.Advance(absl::Minutes(29));
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_EQ(publisher_.Find(KeyId() + ".crl")->tag, first.tag);
  clock_.Advance(absl::Minutes(1));
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_EQ(publisher_.Find(KeyId() + ".crl")->ends_at, clock_.Now() + absl::Hours(1));
}

TEST_F(PublisherTest, NumbersRise) {
  const auto number = [&](const Publisher& publisher) {
    const CrlPtr crl = Crl(publisher);
    auto* value = static_cast<ASN1_INTEGER*>(
        X509_CRL_get_ext_d2i(crl.get(), NID_crl_number, nullptr, nullptr));
    uint64_t out = 0;
    EXPECT_EQ(ASN1_INTEGER_get_uint64(&out, value), 1);
    ASN1_INTEGER_free(value);
    return out;
  };
  Issue(kHost, {kA});
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  const uint64_t first = number(publisher_);
  ShutOut(kHost);  // at the very same time
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_GT(number(publisher_), first);
  clock_.Advance(absl::Milliseconds(10));
  Publisher later(*store_, *authority_, clock_);
  ASSERT_THAT(later.Refresh(), IsOk());
  EXPECT_GT(number(later), first);
}

TEST_F(PublisherTest, ServesItsFilesByName) {
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  const std::optional<File> certificate = publisher_.Find(KeyId() + ".cer");
  ASSERT_TRUE(certificate.has_value());
  EXPECT_EQ(*certificate->body, AsText(issuer_->certificate));
  EXPECT_TRUE(publisher_.Find(KeyId() + ".pem").has_value());
  for (const char* const name : {"", "x.crl", "../ca/root.key", ".crl"}) {
    EXPECT_FALSE(publisher_.Find(name).has_value()) << name;
  }
}

TEST_F(PublisherTest, OcspErrorsAreToldAsSuch) {
  EXPECT_EQ(StatusIn(publisher_.Ocsp(OcspRequestFor({kA})).body), OCSP_RESPONSE_STATUS_TRYLATER)
      << "before the first look there is nobody to answer";
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_EQ(StatusIn(publisher_.Ocsp({}).body), OCSP_RESPONSE_STATUS_MALFORMEDREQUEST);
  Bytes other = OcspRequestFor({kA});
  const Bytes name = ToBytes(crypto::Hash(crypto::HashAlg::kSha1, issuer_->name).view());
  const auto at = std::ranges::search(other, name).begin();
  ASSERT_NE(at, other.end());
  *at ^= 1;
  EXPECT_EQ(StatusIn(publisher_.Ocsp(other).body), OCSP_RESPONSE_STATUS_UNAUTHORIZED);
  EXPECT_EQ(publisher_.figures().ocsp_answers.at("error"), 3);
}

TEST_F(PublisherTest, AnswersWithANonceAreNotForCaches) {
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  EXPECT_TRUE(publisher_.Ocsp(OcspRequestFor({kA})).may_be_kept);
  EXPECT_LE(publisher_.Ocsp(OcspRequestFor({kA})).kept_for, absl::Seconds(1));
  EXPECT_FALSE(publisher_.Ocsp(OcspRequestFor({kA}, /*nonce=*/true)).may_be_kept);
  EXPECT_FALSE(publisher_.Ocsp({}).may_be_kept);
}

TEST_F(PublisherTest, TheResponderIsRenewedWhileWeRun) {
  Issue(kHost, {kA}, "host", absl::Hours(24 * 10));
  for (int day = 0; day < 4; ++day) {
    ASSERT_THAT(publisher_.Refresh(), IsOk());
    EXPECT_EQ(Asked(kA).status, V_OCSP_CERTSTATUS_GOOD) << day;
    clock_.Advance(absl::Hours(23));
  }
}

TEST_F(PublisherTest, CountsForMonitoring) {
  Issue(kHost, {kA});
  ShutOut(kHost);
  ASSERT_THAT(publisher_.Refresh(), IsOk());
  Asked(kA);
  Asked(kC);
  clock_.Advance(absl::Minutes(3));
  const Figures figures = publisher_.figures();
  EXPECT_EQ(figures.crl_entries, 1);
  EXPECT_EQ(figures.oldest_crl, kNow);
  EXPECT_EQ(figures.ocsp_answers.at("revoked"), 1);
  EXPECT_EQ(figures.ocsp_answers.at("unknown"), 1);
  EXPECT_EQ(figures.ocsp_answers.at("good"), 0);
}

// The thread: no call of ours in between.
TEST_F(PublisherTest, WatchesTheStoreByItself) {
  Issue(kHost, {kA});
  publisher_.Start();
  const auto await = [&](const std::function<bool()>& holds) {
    const absl::Time until = absl::Now() + absl::Seconds(20);
    while (!holds() && absl::Now() < until) absl::SleepFor(absl::Milliseconds(5));
    return holds();
  };
  ASSERT_TRUE(await([&] { return Crl(publisher_) != nullptr; }));
  ShutOut(kHost);
  EXPECT_TRUE(await([&] { return Listed(publisher_).contains(kA); }));
  publisher_.Stop();
  publisher_.Stop();  // again: fine
}

}  // namespace
}  // namespace bootgate::gatekeeper::revocation
