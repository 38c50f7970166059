#include "gatekeeper/sealing/approval.h"

#include <openssl/ecdsa.h>

#include "absl/strings/str_replace.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/sealing/made_store_test.h"

namespace bootgate::gatekeeper::sealing {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

std::shared_ptr<const pki::KeyHolder> NewKey() {
  return pki::InMemory(std::make_shared<const crypto::PrivateKey>(
      crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value()));
}
Approval ForHosts(std::vector<std::string> hosts, absl::Time expires = kNow + absl::Hours(1)) {
  Approval approval{.selection = registers::ParseSelection("sha256:0-9").value(),
                    .expires = expires,
                    .reason = "kernel 6.1.99",
                    .states = {}};
  for (const std::string& host : hosts) approval.states[host] = Bytes(32, 5);
  return approval;
}

TEST(Approval, ComesBackAsItWasSigned) {
  const auto key = NewKey();
  BG_ASSERT_OK_AND_ASSIGN(const std::string text, ToText(ForHosts({"h-1", "h-2"}), *key));
  BG_ASSERT_OK_AND_ASSIGN(const Approval back, ApprovalFromText(text, key->Public()));
  EXPECT_EQ(back.states.size(), 2u);
  EXPECT_EQ(back.states.at("h-1"), Bytes(32, 5));
  EXPECT_EQ(back.expires, kNow + absl::Hours(1));
  EXPECT_EQ(back.reason, "kernel 6.1.99");
  EXPECT_EQ(registers::Format(back.selection), "sha256:0-9");
}

// Who can write to the store approves nothing.
TEST(Approval, A66_AlteredOrSignedByAnotherKey) {
  const auto key = NewKey();
  BG_ASSERT_OK_AND_ASSIGN(const std::string text, ToText(ForHosts({"h-1"}), *key));
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"0505", "0506"},
                                                        {"h-1", "h-2"},
                                                        {"1800003600", "1900003600"},
                                                        {"sha256:0-9", "sha256:0-8"}}) {
    const std::string changed = absl::StrReplaceAll(text, {{from, to}});
    ASSERT_NE(changed, text);
    EXPECT_THAT(ApprovalFromText(changed, key->Public()), Refuses(Reason::kSealApproval)) << to;
  }
  EXPECT_THAT(ApprovalFromText(text, NewKey()->Public()), Refuses(Reason::kSealApproval));
  for (const char* const none : {"", "\n", "00\n{}", "zz\n{}", "{}"}) {
    EXPECT_THAT(ApprovalFromText(none, key->Public()), Refuses(Reason::kSealApproval)) << none;
  }
}

TEST(Approval, OfNobodyOrOfTooMany) {
  EXPECT_FALSE(ToText(ForHosts({}), *NewKey()).ok());
  Approval many = ForHosts({});
  for (size_t i = 0; i <= kMaxHostsOfApproval; ++i) many.states[std::to_string(i)] = Bytes(32);
  EXPECT_FALSE(ToText(many, *NewKey()).ok());
}

class HistoryTest : public ::testing::Test {
 protected:
  std::string Create(const Approval& approval, const std::shared_ptr<const pki::KeyHolder>& key) {
    store::DocumentRow document;
    document.kind = kApprovalKind;
    document.text = ToText(approval, *key).value();
    document.id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(document.text)).hex();
    EXPECT_THAT(made_.store().PutDocument(document, Audit()), IsOk());
    Step(ApprovalId(document.id), store::Step::kEnforce, document.id);
    return ApprovalId(document.id);
  }
  void Step(const std::string& id, store::Step step, const std::string& document = "") {
    store::AssignmentRow row;
    row.kind = kApprovalKind;
    row.selector = id;
    row.document_id = document;
    row.step = step;
    row.at = kNow;
    EXPECT_THAT(made_.store().Assign(row, Audit()), IsOk());
  }
  static store::AuditRow Audit() {
    store::AuditRow row;
    row.at = kNow;
    row.detail_json = "{}";
    return row;
  }
  uint32_t Generation(const std::string& host, absl::Time now = kNow) {
    return GenerationOf(host, ReadApprovals(made_.store(), key_->Public(), known_).value(), now);
  }

  MadeStore made_;
  const std::shared_ptr<const pki::KeyHolder> key_ = NewKey();
  std::map<std::string, absl::StatusOr<Approval>> known_;
};

// What is over never counts for what is sealed afterwards.
TEST_F(HistoryTest, EachApprovalThatIsOverIsAGenerationOfItsHosts) {
  EXPECT_EQ(Generation("h-1"), 1u);
  const std::string first = Create(ForHosts({"h-1"}), key_);
  Create(ForHosts({"h-1", "h-2"}, kNow + absl::Hours(2)), key_);
  EXPECT_EQ(Generation("h-1"), 1u);
  Step(first, store::Step::kEnd);
  EXPECT_EQ(Generation("h-1"), 2u);
  EXPECT_EQ(Generation("h-2"), 1u);
  EXPECT_EQ(Generation("h-1", kNow + absl::Hours(1)), 2u) << "revoked and expired counts once";
  EXPECT_EQ(Generation("h-1", kNow + absl::Hours(2)), 3u);
  EXPECT_EQ(Generation("h-2", kNow + absl::Hours(2)), 2u);
}

TEST_F(HistoryTest, A66_ApprovalThatIsNotOursStandsForNothing) {
  Create(ForHosts({"h-1"}), NewKey());
  BG_ASSERT_OK_AND_ASSIGN(const auto all, ReadApprovals(made_.store(), key_->Public(), known_));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_THAT(all[0].approval, Refuses(Reason::kSealApproval));
  EXPECT_FALSE(all[0].Stands(kNow));
}

// What the store says beside what is signed has no say: not a step's id, not a document's name, not
// the signature's bytes.
TEST_F(HistoryTest, A27_AnApprovalUnderAnotherNameStandsForNothing) {
  const std::string id = Create(ForHosts({"h-1"}), key_);
  BG_ASSERT_OK_AND_ASSIGN(const auto documents, made_.store().ListDocuments(kApprovalKind));
  Step(id, store::Step::kEnd);
  EXPECT_EQ(Generation("h-1"), 2u);
  Step("a-0123456789abcdef", store::Step::kEnforce, documents[0].id);

  store::DocumentRow renamed;
  renamed.kind = kApprovalKind;
  renamed.text = documents[0].text;
  renamed.id = std::string(64, 'e');
  ASSERT_THAT(made_.store().PutDocument(renamed, Audit()), IsOk());
  Step(ApprovalId(renamed.id), store::Step::kEnforce, renamed.id);

  BG_ASSERT_OK_AND_ASSIGN(const auto all, ReadApprovals(made_.store(), key_->Public(), known_));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_TRUE(all[0].revoked);
  for (const size_t i : {1u, 2u}) {
    EXPECT_THAT(all[i].approval, Refuses(Reason::kSealApproval)) << i;
    EXPECT_FALSE(all[i].Stands(kNow)) << i;
  }
  EXPECT_EQ(Generation("h-1"), 2u);
}

TEST_F(HistoryTest, A27_ARevokedApprovalWithItsSignatureRewrittenStaysRevoked) {
  const std::string id = Create(ForHosts({"h-1"}), key_);
  Step(id, store::Step::kEnd);
  BG_ASSERT_OK_AND_ASSIGN(const auto documents, made_.store().ListDocuments(kApprovalKind));
  const std::string& text = documents[0].text;
  // (r, s) and (r, n - s) are signatures of the same.
  BG_ASSERT_OK_AND_ASSIGN(const Bytes signature, FromHex(text.substr(0, text.find('\n'))));
  const uint8_t* at = signature.data();
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parts(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size())), ECDSA_SIG_free);  // NOLINT
  ASSERT_NE(parts, nullptr);
  BIGNUM* order = nullptr;
  BN_hex2bn(&order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
  BIGNUM* const other = BN_new();
  BN_sub(other, order, ECDSA_SIG_get0_s(parts.get()));
  ECDSA_SIG_set0(parts.get(), BN_dup(ECDSA_SIG_get0_r(parts.get())), other);
  BN_free(order);
  uint8_t* der = nullptr;
  const int size = i2d_ECDSA_SIG(parts.get(), &der);
  const std::string rewritten =
      ToHex({der, static_cast<size_t>(size)}) + text.substr(text.find('\n'));
  OPENSSL_free(der);
  ASSERT_NE(rewritten, text);
  ASSERT_THAT(ApprovalFromText(rewritten, key_->Public()), IsOk()) << "it is a good signature";

  store::DocumentRow again;
  again.kind = kApprovalKind;
  again.text = rewritten;
  again.id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(rewritten)).hex();
  ASSERT_THAT(made_.store().PutDocument(again, Audit()), IsOk());
  Step(ApprovalId(again.id), store::Step::kEnforce, again.id);
  BG_ASSERT_OK_AND_ASSIGN(const auto all, ReadApprovals(made_.store(), key_->Public(), known_));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_THAT(all[1].approval, Refuses(Reason::kSealApproval));
  EXPECT_EQ(Generation("h-1"), 2u);
}

// A claim beside the signed text, before or behind it or given twice in it, makes it another text.
TEST(Approval, A27_WhatStandsBesideTheSignedTextHasNoEffect) {
  const auto key = NewKey();
  BG_ASSERT_OK_AND_ASSIGN(const std::string text, ToText(ForHosts({"h-1"}), *key));
  const std::string other = R"("states":{"h-2":")" + std::string(64, '5') + R"("})";
  const size_t body = text.find('\n') + 1;
  std::string twice = text;
  twice.insert(body + 1, other + ",");
  for (const std::string& changed :
       {text + "{" + other + "}", text + "\n" + text, "{" + other + "}\n" + text, twice,
        text.substr(0, body) + " " + text.substr(body)}) {
    EXPECT_THAT(ApprovalFromText(changed, key->Public()), Refuses(Reason::kSealApproval))
        << changed;
  }
}

// A revoked approval does not come back by being assigned again.
TEST_F(HistoryTest, RevokedStaysRevoked) {
  const std::string id = Create(ForHosts({"h-1"}), key_);
  Step(id, store::Step::kEnd);
  BG_ASSERT_OK_AND_ASSIGN(const auto documents, made_.store().ListDocuments(kApprovalKind));
  Step(id, store::Step::kEnforce, documents[0].id);
  BG_ASSERT_OK_AND_ASSIGN(const auto all, ReadApprovals(made_.store(), key_->Public(), known_));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_TRUE(all[0].revoked);
}

}  // namespace
}  // namespace bootgate::gatekeeper::sealing
