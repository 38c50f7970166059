#include "agent/evidence_builder/evidence_builder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/evidence_builder/ima_slice.h"
#include "common/cel/log_builder.h"
#include "common/ima/replay.h"
#include "common/tpm2/certified_object.h"
#include "common/tpm2/policy_digest.h"
#include "tests/desk/tpm_fixture.h"

namespace bootgate::agent::evidence_builder {
namespace {

using ::bootgate::testing::CorpusFile;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using crypto::HashAlg;

constexpr uint32_t kQuote = 0x158;

class EvidenceBuilderTest : public desk::TpmTest {
 protected:
  Options HostOptions() const {
    return {.paths = {.boot_log = host_->boot_log_path(),
                      .user_log = host_->user_log_path(),
                      .ima_list = host_->ima_path()},
            .agent_version = "0.1.0"};
  }
  static Question Ask() {
    return {.host_id = "h-1",
            .cluster_id = "blue",
            .nonce = Bytes(32, 0x42),
            .selection = {{HashAlg::kSha256, 0x7fff}},
            .seal_selection = {{HashAlg::kSha256, 0x0090}}};
  }
  // What a gatekeeper does first: the quote holds and binds exactly these logs.
  absl::StatusOr<tpm2::QuotedPcrs> Verify(const evidence::Evidence& bundle, const Question& asked,
                                          const tpm2::Public& ak) {
    const Bytes name = ak.Name();
    const Bytes binding = evidence::QualifyingData({.nonce = asked.nonce,
                                                    .host_id = asked.host_id,
                                                    .ak_name = name,
                                                    .cluster_id = asked.cluster_id,
                                                    .boot_log = bundle.boot_log,
                                                    .user_log = bundle.user_log,
                                                    .ima_first_entry = bundle.ima.first_entry,
                                                    .ima_count = bundle.ima.before_quote_count,
                                                    .ima_before_quote = bundle.ima.before_quote,
                                                    .statement = &bundle.statement});
    return tpm2::QuotedPcrs::Verify(
        {.ak = ak, .selection = asked.selection, .qualifying_data = binding}, bundle.quote);
  }
};

TEST_F(EvidenceBuilderTest, BundleVerifiesAndItsListLeadsToTheQuotedRegister) {
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(tpm::AkKind::kEcc));
  BG_ASSERT_OK_AND_ASSIGN(const auto bundle, Build(*tpm_, HostOptions(), Ask()));
  BG_ASSERT_OK_AND_ASSIGN(const auto quoted, Verify(bundle, Ask(), ak));
  EXPECT_EQ(bundle.boot_log, CorpusFile("boots/good/eventlog.bin"));
  EXPECT_EQ(bundle.ima.before_quote_count, 86u);
  EXPECT_TRUE(bundle.ima.after_quote.empty());
  const ima::List list = ima::List::Parse(bundle.ima.before_quote);
  const auto match =
      ima::FindMatch(list, crypto::Digest(), *quoted.Bank(HashAlg::kSha256)->Get(10), 0);
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->entries, 86u);
}

TEST_F(EvidenceBuilderTest, IdentityKeyIsForTheQuotedState) {
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(tpm::AkKind::kEcc));
  // The state moves after the quote, before the key is made.
  bus_.change_response = [&](ByteView command, Bytes&) {
    if (desk::CommandCode(command) == kQuote) {
      EXPECT_THAT(host_->Extend(7, "later"), IsOk());
    }
  };
  BG_ASSERT_OK_AND_ASSIGN(const auto bundle, Build(*tpm_, HostOptions(), Ask()));
  BG_ASSERT_OK_AND_ASSIGN(const auto quoted, Verify(bundle, Ask(), ak));
  ASSERT_EQ(bundle.identity_keys.size(), 1u);
  BG_ASSERT_OK_AND_ASSIGN(const auto key,
                          tpm2::Public::FromTpm2b(bundle.identity_keys[0].public_area));
  BG_ASSERT_OK_AND_ASSIGN(const Bytes policy, tpm::PcrPolicy(Ask().seal_selection, quoted.banks()));
  EXPECT_THAT(tpm2::CheckIdentityKey(key, policy), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto certify,
                          tpm2::ParseCertify(bundle.identity_keys[0].certify_attest));
  EXPECT_EQ(certify.header.extra_data, quoted.header().extra_data);
}

TEST_F(EvidenceBuilderTest, TheQuoteAndTheKeysAnswerForWhatTheHostSays) {
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(tpm::AkKind::kEcc));
  Options options = HostOptions();
  options.statement = {.request_key = "{\"kty\":\"EC\"}",
                       .rp_data = Bytes(5, 9),
                       .custom_claims = {{"zone", "blue", "String"}}};
  options.other_keys = {{{HashAlg::kSha256, 0x0001}}, {{HashAlg::kSha256, 0x0080}}};
  options.want_token = true;
  BG_ASSERT_OK_AND_ASSIGN(evidence::Evidence bundle, Build(*tpm_, options, Ask()));
  EXPECT_TRUE(bundle.want_token);
  BG_ASSERT_OK_AND_ASSIGN(const auto quoted, Verify(bundle, Ask(), ak));
  ASSERT_EQ(bundle.other_keys.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    const evidence::CertifiedKey& key = bundle.other_keys[i];
    BG_ASSERT_OK_AND_ASSIGN(const auto object,
                            tpm2::CertifiedObject::Verify(
                                {ak, quoted.header().extra_data},
                                {key.public_area, key.certify_attest, key.certify_signature}));
    BG_ASSERT_OK_AND_ASSIGN(const Bytes policy,
                            tpm::PcrPolicy(options.other_keys[i], quoted.banks()));
    EXPECT_EQ(object.area().auth_policy, policy);
  }
  bundle.statement.rp_data[0] ^= 1;
  EXPECT_THAT(Verify(bundle, Ask(), ak), Refuses(Reason::kNonceMismatch));
}

TEST_F(EvidenceBuilderTest, A16_EntriesThatComeMeanwhileAreInTheTail) {
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(tpm::AkKind::kEcc));
  bool once = true;
  bus_.before_command = [&](ByteView command) {
    if (desk::CommandCode(command) == kQuote && std::exchange(once, false)) {
      EXPECT_THAT(host_->Measure("/usr/bin/late", AsBytes("late")), IsOk());
    }
  };
  BG_ASSERT_OK_AND_ASSIGN(const auto bundle, Build(*tpm_, HostOptions(), Ask()));
  BG_ASSERT_OK_AND_ASSIGN(const auto quoted, Verify(bundle, Ask(), ak));
  EXPECT_EQ(bundle.ima.before_quote_count, 86u);
  EXPECT_EQ(ima::List::Parse(bundle.ima.after_quote).entries().size(), 1u);
  Bytes both = bundle.ima.before_quote;
  both.insert(both.end(), bundle.ima.after_quote.begin(), bundle.ima.after_quote.end());
  const auto match = ima::FindMatch(ima::List::Parse(both), crypto::Digest(),
                                    *quoted.Bank(HashAlg::kSha256)->Get(10), 86);
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->entries, 87u);
}

TEST_F(EvidenceBuilderTest, SendsFromTheCursorOn) {
  Question asked = Ask();
  asked.ima_first_entry = 86;
  BG_ASSERT_OK_AND_ASSIGN(const auto nothing_new, Build(*tpm_, HostOptions(), asked));
  EXPECT_EQ(nothing_new.ima.first_entry, 86u);
  EXPECT_EQ(nothing_new.ima.before_quote_count, 0u);
  ASSERT_THAT(host_->Measure("/usr/bin/new", AsBytes("new")), IsOk());
  BG_ASSERT_OK_AND_ASSIGN(const auto one_new, Build(*tpm_, HostOptions(), asked));
  EXPECT_EQ(one_new.ima.before_quote_count, 1u);
  asked.ima_first_entry = 5000;  // of an earlier boot
  BG_ASSERT_OK_AND_ASSIGN(const auto all, Build(*tpm_, HostOptions(), asked));
  EXPECT_EQ(all.ima.first_entry, 0u);
  EXPECT_EQ(all.ima.before_quote_count, 87u);
}

TEST_F(EvidenceBuilderTest, HostWithoutLogsStillQuotes) {
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(tpm::AkKind::kRsa));
  const Options bare = {.paths = {.boot_log = "/none", .user_log = "/none", .ima_list = "/none"},
                        .ak = tpm::AkKind::kRsa};
  BG_ASSERT_OK_AND_ASSIGN(const auto bundle, Build(*tpm_, bare, Ask()));
  EXPECT_THAT(Verify(bundle, Ask(), ak), IsOk());
  EXPECT_TRUE(bundle.boot_log.empty());
  EXPECT_EQ(bundle.ima.before_quote_count, 0u);
}

TEST_F(EvidenceBuilderTest, ReplacedListIsTriedAgainLater) {
  bus_.before_command = [&](ByteView command) {
    if (desk::CommandCode(command) == kQuote) {
      EXPECT_THAT(WriteFileAtomically(host_->ima_path(), desk::ImaEntry("/other", {}), 0600),
                  IsOk());
    }
  };
  EXPECT_THAT(Build(*tpm_, HostOptions(), Ask()), Refuses(Reason::kRetryLogBehind));
}

TEST_F(EvidenceBuilderTest, UserLogIsBoundAndHeldOverTheQuote) {
  BG_ASSERT_OK_AND_ASSIGN(const auto ak, tpm_->AkPublic(tpm::AkKind::kEcc));
  const Bytes log = ::bootgate::testing::CelBuilder().Pcr(11, "phase", "ready").Build();
  ASSERT_THAT(WriteFileAtomically(host_->user_log_path(), log, 0600), IsOk());
  const int writer = open(host_->user_log_path().c_str(), O_WRONLY | O_CLOEXEC);
  bool held = false;
  bus_.before_command = [&](ByteView command) {
    if (desk::CommandCode(command) == kQuote) held = flock(writer, LOCK_EX | LOCK_NB) != 0;
  };
  BG_ASSERT_OK_AND_ASSIGN(const auto bundle, Build(*tpm_, HostOptions(), Ask()));
  EXPECT_EQ(bundle.user_log, log);
  EXPECT_THAT(Verify(bundle, Ask(), ak), IsOk());
  EXPECT_TRUE(held);
  EXPECT_EQ(flock(writer, LOCK_EX | LOCK_NB), 0);  // and let go
  close(writer);
  evidence::Evidence other = bundle;
  other.user_log.pop_back();
  EXPECT_FALSE(Verify(other, Ask(), ak).ok());
}

TEST_F(EvidenceBuilderTest, UserLogThatMovesIsTriedAgainLater) {
  bus_.before_command = [&](ByteView command) {
    if (desk::CommandCode(command) == kQuote) {
      EXPECT_THAT(WriteFileAtomically(host_->user_log_path(), AsBytes("\x1e{}\n"), 0600), IsOk());
    }
  };
  EXPECT_THAT(Build(*tpm_, HostOptions(), Ask()), Refuses(Reason::kRetryLogBehind));
}

TEST_F(EvidenceBuilderTest, KeyForRegistersThatAreNotQuotedIsRefused) {
  Question asked = Ask();
  asked.seal_selection = {{HashAlg::kSha384, 0x80}};
  EXPECT_THAT(Build(*tpm_, HostOptions(), asked),
              testing::HasCode(absl::StatusCode::kFailedPrecondition));
}

TEST(EntriesFrom, LeavesOutAnEntryThatIsCut) {
  const Bytes list = CorpusFile("boots/good/ima.bin");
  const ImaSlice whole = EntriesFrom(list, 0);
  EXPECT_EQ(whole.bytes.size(), list.size());
  for (size_t cut = 1; cut < 100; cut += 7) {
    const ImaSlice slice = EntriesFrom(ByteView(list).first(list.size() - cut), 0);
    EXPECT_LT(slice.count, whole.count);
    EXPECT_EQ(EntriesFrom(slice.bytes, 0).count, slice.count);
    EXPECT_TRUE(ima::List::Parse(slice.bytes).defects().empty());
  }
  EXPECT_EQ(EntriesFrom({}, 3).count, 0u);
}

}  // namespace
}  // namespace bootgate::agent::evidence_builder
