#include "gatekeeper/reference/judge_entries.h"

#include "absl/strings/str_replace.h"
#include "common/base/files.h"
#include "common/crypto/private_key.h"
#include "common/ima/text_list.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gatekeeper/reference/signed_tool_test.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using ::bootgate::testing::Deb;
using ::bootgate::testing::Item;
using ::bootgate::testing::ListBuilder;
using ::bootgate::testing::Opened;
using ::bootgate::testing::Packaged;
using testing::BufferData;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SigData;

constexpr int64_t kDay = 24 * 60 * 60;  // seconds
const absl::Time kNow = absl::FromUnixSeconds(100 * kDay);

using SetPtr = std::shared_ptr<const ImaSet>;

ImaReference WithRules(const std::string& json) {
  ImaReference reference;
  reference.present = true;
  reference.rules = ImaRulesFromJson(json).value();
  return reference;
}

JudgedEntries Judge(const ImaReference& reference, const std::vector<SetPtr>& sets, ByteView bytes,
                    const std::vector<MeasuredKey>& measured = {}, absl::Time at = kNow) {
  const ima::List list = ima::List::Parse(bytes);
  const RulesOfSets of_sets = RulesThatComeWith(sets);
  const SigningKeys keys = KeysThatCount(reference.rules, measured, of_sets);
  return JudgeEntries(
      {.reference = reference, .sets = sets, .keys = keys, .at = at, .of_sets = &of_sets}, list,
      list.entries().size());
}

std::vector<std::string> Codes(const JudgedEntries& judged) {
  std::vector<std::string> codes;
  for (const Finding& finding : judged.findings)
    codes.push_back(absl::StrCat(Code(finding.code), " ", finding.event.value_or(999),
                                 finding.severity == Severity::kFail ? "" : " warning"));
  return codes;
}

SetPtr SetOf(std::vector<SetItem> items) {
  SetDraft draft;
  draft.items = std::move(items);
  return Opened(draft).value();
}

TEST(JudgeEntries, EveryAnswerOfASetHasItsCode) {
  SetItem outdated = Packaged("/bin/old", "old", Deb("tools", "1.0"));
  outdated.window = {0, 99 * kDay};
  outdated.replaced_by = Deb("tools", "1.1");
  const SetPtr set = SetOf({Item("/bin/a", "a"), outdated, Item("/bin/old", "new"),
                            Item("/bin/soon", "soon", {101 * kDay, 0}),
                            Item("/bin/leaving", "leaving", {0, 105 * kDay})});
  const Bytes list = ListBuilder()
                         .Ng("/bin/a", "a")
                         .Ng("/bin/a", "b")
                         .Ng("/bin/none", "a")
                         .Ng("/bin/old", "old")
                         .Ng("/bin/old", "new")
                         .Ng("/bin/soon", "soon")
                         .Ng("/bin/leaving", "leaving")
                         .Finish();
  const JudgedEntries judged = Judge(WithRules("{}"), {set}, list);
  EXPECT_THAT(Codes(judged),
              ElementsAre("IMA_DIGEST 1", "IMA_UNLISTED 2", "IMA_OUTDATED 3", "IMA_DIGEST 5"));
  EXPECT_EQ(judged.findings[2].text,
            "/bin/old is outdated_package: tools 1.0 was replaced by 1.1, and was good until "
            "1970-04-10T00:00:00Z.");
  EXPECT_EQ(judged.good_until, absl::FromUnixSeconds(105 * kDay));
  const JudgedEntries warned = Judge(WithRules(R"({"outdated":"warn"})"), {set}, list);
  EXPECT_EQ(Codes(warned)[2], "IMA_OUTDATED 3 warning");
}

TEST(JudgeEntries, TheBestOfAllSetsAndOfTheReferenceCounts) {
  SetItem closed = Item("/bin/a", "a", {0, 99 * kDay});
  const SetPtr first = SetOf({closed, Item("/bin/b", "old")}),
               second = SetOf({Item("/bin/a", "a")});
  ImaReference reference = WithRules("{}");
  reference.files["/bin/b"] = {
      absl::StrCat("sha256:", crypto::Hash(crypto::HashAlg::kSha256, AsBytes("b")).hex())};
  const Bytes list = ListBuilder().Ng("/bin/a", "a").Ng("/bin/b", "b").Finish();
  EXPECT_THAT(Codes(Judge(reference, {first, second}, list)), IsEmpty());
  EXPECT_THAT(Codes(Judge(reference, {second, first}, list)), IsEmpty());
  EXPECT_THAT(Codes(Judge(reference, {first}, list)), ElementsAre("IMA_OUTDATED 0"));
}

TEST(JudgeEntries, ALongListIsJudgedWholeInBatches) {
  const SetPtr set = Opened(::bootgate::testing::LargeDraft(1000)).value();
  ListBuilder list;
  for (const SetItem& item : ::bootgate::testing::LargeDraft(1000).items)
    list.Ng(item.path, item.path.substr(item.path.rfind('-') + 1,
                                        item.path.rfind('.') - item.path.rfind('-') - 1));
  const Bytes good = ListBuilder(list).Finish();
  EXPECT_THAT(Codes(Judge(WithRules("{}"), {set}, good)), IsEmpty());
  EXPECT_EQ(Judge(WithRules("{}"), {set}, good).looked_up, 1000u);
  EXPECT_THAT(Codes(Judge(WithRules("{}"), {set}, list.Ng("/bin/evil", "x").Finish())),
              ElementsAre("IMA_UNLISTED 1000"));
}

// An early tolerated finding hides no later one.
TEST(Attack, A54_EveryBadEntryIsInTheVerdict) {
  ListBuilder list;
  for (int i = 0; i < 1000; ++i)
    list.Ng(i == 5 || i == 900 ? "/bin/evil" : "/bin/a", i == 5 || i == 900 ? "evil" : "a");
  EXPECT_THAT(Codes(Judge(WithRules("{}"), {SetOf({Item("/bin/a", "a")})}, list.Finish())),
              ElementsAre("IMA_UNLISTED 5", "IMA_UNLISTED 900"));
}

TEST(Attack, A54_WhatIsExcludedIsCounted) {
  const JudgedEntries judged =
      Judge(WithRules(R"({"excludes":["/var/tmp/.*"]})"), {},
            ListBuilder().Ng("/var/tmp/x", "x").Ng("/var/tmp-evil/x", "x").Finish());
  EXPECT_EQ(judged.excluded, 1u);
  EXPECT_THAT(Codes(judged), ElementsAre("IMA_UNLISTED 1"));
}

TEST(Attack, A53_ThePathAloneAllowsOnlyWhereTheRuleSaysUnverified) {
  const SetPtr set = SetOf({Item("/usr/bin/sudo", "sudo")});
  const Bytes list = ListBuilder().Ng("/usr/bin/sudo", "evil").Ng("/home/x", "x").Finish();
  EXPECT_THAT(Codes(Judge(WithRules(R"({"unverified":["/home/.*"]})"), {set}, list)),
              ElementsAre("IMA_DIGEST 0"));
  const JudgedEntries judged = Judge(WithRules(R"({"unverified":["/.*"]})"), {set}, list);
  EXPECT_THAT(Codes(judged), IsEmpty());
  EXPECT_EQ(judged.unverified, 2u);
}

// A container's file has its own path, a memory file none: their content is still a known one.
TEST(Attack, A53_FilesThatMoveAboutAreKnownByTheirDigestAlone) {
  const ImaReference reference =
      WithRules(R"({"by_digest":["/overlay/.*","/memfd:.*"],"digests":["sha256:)" +
                crypto::Hash(crypto::HashAlg::kSha256, AsBytes("anywhere")).hex() + R"("]})");
  const SetPtr set = SetOf({Item("/bin/a", "a")});
  EXPECT_THAT(Codes(Judge(reference, {set},
                          ListBuilder()
                              .Ng("/overlay/17/bin/a", "a")
                              .Ng("/overlay/17/bin/a", "evil")
                              .Ng("/memfd:x (deleted)", "a")
                              .Ng("/elsewhere/a", "a")
                              .Ng("/elsewhere/b", "anywhere")
                              .Finish())),
              ElementsAre("IMA_UNLISTED 1", "IMA_UNLISTED 3"));
}

Bytes WithDigest(absl::string_view name, ByteView digest, absl::string_view path) {
  bytes::Writer field, data;
  field.Raw(AsBytes(name)).U8(':').U8(0).Raw(digest);
  ::bootgate::testing::AddField(data, field.view());
  ::bootgate::testing::AddField(data, ::bootgate::testing::PathField(path));
  return data.Finish();
}

TEST(Attack, A59_AWeakDigestIsDeniedAlsoWhereItIsListed) {
  SetItem weak = Item("/bin/a", "a");
  weak.alg = DigestAlg::kSha1;
  weak.digest = ToBytes(crypto::Hash(crypto::HashAlg::kSha1, AsBytes("a")).view());
  const SetPtr set = SetOf({weak});
  const Bytes list =
      ListBuilder().Entry("ima-ng", WithDigest("sha1", weak.digest, "/bin/a")).Finish();
  EXPECT_THAT(Codes(Judge(WithRules("{}"), {set}, list)), ElementsAre("IMA_DIGEST_ALG 0"));
  EXPECT_THAT(Codes(Judge(WithRules(R"({"unverified":["/.*"]})"), {set}, list)),
              ElementsAre("IMA_DIGEST_ALG 0"));
  EXPECT_THAT(Codes(Judge(WithRules(R"({"algorithms":["sha1"]})"), {set}, list)), IsEmpty());
}

// A set that comes from elsewhere brings its own excludes along; each is as it was written there.
TEST(RulesOfSets, ExcludesAreLeftOutAndCounted) {
  SetDraft draft;
  draft.items = {Item("/bin/a", "a")};
  draft.rules.excludes = {"^/var/cache/", "[.]pyc$"};
  const SetPtr set = Opened(draft).value();
  const Bytes list = ListBuilder()
                         .Ng("/var/cache/x", "x")
                         .Ng("/opt/y.pyc", "y")
                         .Ng("/opt/var/cache/z", "z")
                         .Ng("/var/cache/../x", "x")
                         .Finish();
  const JudgedEntries judged = Judge(WithRules("{}"), {set}, list);
  EXPECT_THAT(Codes(judged), ElementsAre("IMA_UNLISTED 2", "IMA_UNLISTED 3"));
  EXPECT_EQ(judged.excluded, 2u);
  EXPECT_EQ(Judge(WithRules("{}"), {}, list).excluded, 0u) << "another set's do not count";
}

TEST(RulesOfSets, KeyringsThatASetLeavesOutAreCountedUnlessTheReferenceListsThem) {
  SetDraft draft;
  draft.items = {Item("/bin/a", "a")};
  draft.rules.ignored_keyrings = {".ima"};
  const SetPtr set = Opened(draft).value();
  const Bytes list = ListBuilder()
                         .Entry("ima-buf", testing::BufferData(".ima", AsBytes("a key")))
                         .Entry("ima-buf", testing::BufferData(".machine", AsBytes("a key")))
                         .Finish();
  const JudgedEntries judged = Judge(WithRules("{}"), {set}, list);
  EXPECT_THAT(Codes(judged), ElementsAre("IMA_UNLISTED 1"));
  EXPECT_EQ(judged.ignored_keys, 1u);
  EXPECT_THAT(Codes(Judge(WithRules(R"({"keyrings":{".ima":[]}})"), {set}, list)),
              ElementsAre("IMA_KEYRING 0", "IMA_UNLISTED 1"));
}

// Whether signatures count is the reference's to say; a set may bring the keys.
TEST(RulesOfSets, KeysCountWhereTheReferenceAsksForSignatures) {
  SetDraft draft;
  draft.items = {Item("/bin/a", "a")};
  draft.rules.verification_keys = {testing::SignerPem()};
  const SetPtr set = Opened(draft).value();
  const std::string accepts =
      absl::StrCat(R"({"signatures":"accept","sets":[")", set->id(), R"("]})");
  const Bytes list = ListBuilder()
                         .Entry("ima-sig", SigData("/opt/tool", "tool", testing::ToolSignature()))
                         .Finish();
  EXPECT_THAT(Codes(Judge(WithRules(accepts), {set}, list)), IsEmpty());
  EXPECT_THAT(Codes(Judge(WithRules("{}"), {set}, list)), ElementsAre("IMA_UNLISTED 0"));
  EXPECT_THAT(Codes(Judge(WithRules(accepts), {SetOf({Item("/b", "b")})}, list)),
              ElementsAre("IMA_UNLISTED 0"));
}

// What cannot be used lets nothing pass, and is said.
TEST(RulesOfSets, PatternsAndKeysThatAreNoneDoNotCount) {
  SetDraft draft;
  draft.items = {Item("/bin/a", "a")};
  draft.rules.excludes = {"^/tmp/", "(["};
  draft.rules.verification_keys = {"no key"};
  const SetPtr set = Opened(draft).value();
  EXPECT_EQ(RulesThatComeWith({set}).unusable.size(), 2u);
  EXPECT_THAT(Codes(Judge(WithRules("{}"), {set}, ListBuilder().Ng("/tmp/x", "x").Finish())),
              ElementsAre("IMA_UNLISTED 0"));
}

// The same bytes under another algorithm's name are another digest.
TEST(Attack, A59_ADigestIsComparedWithItsAlgorithm) {
  const SetPtr set = SetOf({Item("/bin/a", "a")});
  const Bytes digest = ::bootgate::testing::DigestOf("a");
  EXPECT_THAT(
      Codes(Judge(WithRules("{}"), {set},
                  ListBuilder().Entry("ima-ng", WithDigest("sm3-256", digest, "/bin/a")).Finish())),
      ElementsAre("IMA_DIGEST 0"));
}

TEST(JudgeEntries, FsVerityDigestsAreOfTheirOwnKind) {
  SetItem verity = Item("/bin/a", "tree");
  verity.kind = DigestKind::kFsVerity;
  const Bytes digest = ::bootgate::testing::DigestOf("tree");
  const Bytes list = ListBuilder()
                         .Entry("ima-ngv2", WithDigest("verity:sha256", digest, "/bin/a"))
                         .Entry("ima-ngv2", WithDigest("ima:sha256", digest, "/bin/a"))
                         .Finish();
  EXPECT_THAT(Codes(Judge(WithRules("{}"), {SetOf({verity})}, list)).size(), 1u);
  EXPECT_THAT(Codes(Judge(WithRules("{}"), {SetOf({Item("/bin/a", "tree")})}, list)).size(), 1u);
  ImaReference reference = WithRules("{}");
  reference.files["/bin/a"] = {absl::StrCat("verity:sha256:", ToHex(digest))};
  EXPECT_THAT(Codes(Judge(reference, {}, list)), ElementsAre("IMA_DIGEST 1"));
}

std::string KeysJson(absl::string_view mode) {
  return absl::StrCat(R"({"signatures":")", mode, R"(","keys":[")",
                      absl::StrReplaceAll(testing::SignerPem(), {{"\n", "\\n"}}), R"("]})");
}

TEST(Signatures, AreAcceptedInPlaceOfAListing) {
  const Bytes list = ListBuilder()
                         .Entry("ima-sig", SigData("/bin/tool", "tool", testing::ToolSignature()))
                         .Entry("ima-sig", SigData("/bin/evil", "evil", testing::ToolSignature()))
                         .Entry("ima-sig", SigData("/bin/plain", "plain", {}))
                         .Finish();
  const ImaReference accepts = WithRules(KeysJson("accept"));
  EXPECT_THAT(Codes(Judge(accepts, {}, list)),
              ElementsAre("IMA_SIGNATURE 1", "IMA_UNLISTED 1", "IMA_UNLISTED 2"));
  EXPECT_THAT(Codes(Judge(WithRules("{}"), {}, list)).size(), 3u);
}

TEST(Signatures, DoNotMakeAnOutdatedFileGood) {
  const SetPtr set = SetOf({Item("/bin/tool", "tool", {0, 99 * kDay})});
  const Bytes list = ListBuilder()
                         .Entry("ima-sig", SigData("/bin/tool", "tool", testing::ToolSignature()))
                         .Finish();
  EXPECT_THAT(Codes(Judge(WithRules(KeysJson("accept")), {set}, list)),
              ElementsAre("IMA_OUTDATED 0"));
}

TEST(Signatures, ThatAreRequiredAreNeededBesideTheListing) {
  const SetPtr set = SetOf({Item("/bin/tool", "tool"), Item("/bin/plain", "plain")});
  const Bytes stranger =
      testing::SignatureField(FromHex(testing::kSignatureHex).value(), Bytes{1, 2, 3, 4});
  const Bytes list = ListBuilder()
                         .Entry("ima-sig", SigData("/bin/tool", "tool", testing::ToolSignature()))
                         .Entry("ima-sig", SigData("/bin/plain", "plain", {}))
                         .Entry("ima-sig", SigData("/bin/tool", "tool", stranger))
                         .Entry("ima-sig", SigData("/bin/tool", "tool", Bytes{3, 2, 4}))
                         .Finish();
  const JudgedEntries judged = Judge(WithRules(KeysJson("require")), {set}, list);
  EXPECT_THAT(Codes(judged), ElementsAre("IMA_SIGNATURE 1", "IMA_SIGNATURE 2", "IMA_SIGNATURE 3"));
  EXPECT_THAT(judged.findings[0].text, HasSubstr("bears no signature"));
  EXPECT_THAT(judged.findings[1].text, HasSubstr("none of the keys that count"));
  EXPECT_THAT(judged.findings[2].text, HasSubstr("cannot be read"));
}

// Version 3 signs type and algorithm too.
TEST(Signatures, OfFsVerityDigestsAreOverTheirKind) {
  const absl::StatusOr<crypto::PrivateKey> key =
      crypto::PrivateKey::GenerateEc(crypto::Curve::kP256);
  ASSERT_TRUE(key.ok());
  const SigningKeys keys({{key->Public(), {}}});
  const crypto::Digest tree = crypto::Hash(crypto::HashAlg::kSha256, AsBytes("tree"));
  const auto field = [&](uint8_t type, const crypto::Digest& over) {
    const Bytes id = ToBytes(
        ByteView(
            crypto::Hash(crypto::HashAlg::kSha1, ByteView(key->Public().SpkiDer()).last(65)).view())
            .last(4));
    const Bytes signature = key->Sign(crypto::SignatureScheme::kEcdsa, over).value();
    bytes::Writer out;
    out.U8(type).U8(3).U8(4).Raw(id);
    out.U16Be(static_cast<uint16_t>(signature.size())).Raw(signature);
    return out.Finish();
  };
  const Bytes head = {6, 4};
  const crypto::Digest right = crypto::Hash(crypto::HashAlg::kSha256, {head, tree.view()});
  const auto answer = [&](absl::string_view kind, const Bytes& signature) {
    bytes::Writer digest, data;
    digest.Raw(AsBytes(kind)).Raw(AsBytes(":sha256:")).U8(0).Raw(tree.view());
    ::bootgate::testing::AddField(data, digest.view());
    ::bootgate::testing::AddField(data, ::bootgate::testing::PathField("/bin/a"));
    ::bootgate::testing::AddField(data, signature);
    const Bytes bytes = ListBuilder().Entry("ima-sigv2", data.view()).Finish();
    const ima::List list = ima::List::Parse(bytes);
    return CheckSignature(list.entries()[0], keys);
  };
  EXPECT_EQ(answer("verity", field(6, right)), SignatureAnswer::kGood);
  EXPECT_EQ(answer("verity", field(6, tree)), SignatureAnswer::kBad);
  EXPECT_EQ(answer("ima", field(6, right)), SignatureAnswer::kUnreadable);
  EXPECT_EQ(answer("verity", field(3, right)), SignatureAnswer::kUnreadable);
}

// A key that the kernel measured counts where its keyring is trusted, and only where it is listed.
TEST(Attack, A56_MeasuredKeysSignOnlyWhereTheRulesSaySo) {
  const Bytes certificate = testing::SignerCertificate();
  const Bytes list = ListBuilder()
                         .Entry("ima-buf", BufferData(".ima", certificate))
                         .Entry("ima-sig", SigData("/bin/tool", "tool", testing::ToolSignature()))
                         .Finish();
  const std::vector<MeasuredKey> measured = {{".ima", certificate}};
  ImaReference reference =
      WithRules(R"({"signatures":"accept","trusted_keyrings":[".ima"],"keyrings":{".ima":[")" +
                std::string(testing::kSignerId) + R"("]}})");
  EXPECT_THAT(Codes(Judge(reference, {}, list, measured)), IsEmpty());
  EXPECT_THAT(Codes(Judge(reference, {}, list)), ElementsAre("IMA_UNLISTED 1"));
  reference.rules.trusted_keyrings = {".platform"};
  EXPECT_THAT(Codes(Judge(reference, {}, list, measured)), ElementsAre("IMA_UNLISTED 1"));
  reference.rules.trusted_keyrings = {".ima"};
  reference.rules.keyrings[".ima"] = {};
  EXPECT_THAT(Codes(Judge(reference, {}, list, measured)),
              ElementsAre("IMA_KEYRING 0", "IMA_UNLISTED 1"));
}

// Captured with their keys (Keylime's tests): RSA by a public key, PKCS #1 v1.5.
TEST(Signatures, OfCapturedListsHold) {
  const auto corpus = ::bootgate::testing::WiderCorpus();
  if (!corpus.has_value()) GTEST_SKIP() << "the wider corpus is not here";
  const std::string folder = *corpus + "/ima/keylime_keylime/";
  BG_ASSERT_OK_AND_ASSIGN(const std::string text,
                          ReadTextFile(folder + "test_ima_verification.lines.txt", 1 << 20));
  BG_ASSERT_OK_AND_ASSIGN(const std::string pem,
                          ReadTextFile(folder + "ima_keys-rsa2048pub.pem", 1 << 20));
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<crypto::PemKey> keys, crypto::KeysFromPem(pem));
  const ::bootgate::testing::TextList lines = ::bootgate::testing::FromText(text);
  const ima::List list = ima::List::Parse(lines.bytes);
  const SigningKeys trusted(keys);
  std::map<std::string, SignatureAnswer> answers;
  for (const ima::Entry& entry : list.entries())
    answers.emplace(std::string(entry.path), CheckSignature(entry, trusted));
  EXPECT_EQ(answers.at("/usr/bin/dd"), SignatureAnswer::kGood);
  EXPECT_EQ(answers.at("boot_aggregate"), SignatureAnswer::kNone);
  EXPECT_NE(answers.at("/usr/bin/zmore"), SignatureAnswer::kGood);
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference
