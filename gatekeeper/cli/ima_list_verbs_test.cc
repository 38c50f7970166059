// The `ima` verbs over captured lists, made ones and bad input: outputs, complaints, exit codes.
#include "gatekeeper/cli/ima_list_verbs.h"

#include <unistd.h>  // getpid

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/crypto/private_key.h"
#include "common/ima/list.h"
#include "common/ima/list_builder.h"
#include "common/testing/corpus.h"
#include "common/testing/fake_clock.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/imaset/change.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::cli {
namespace {

namespace fs = std::filesystem;
using reference::SetDraft;
using ::testing::AllOf;
using testing::CorpusFile;
using testing::CorpusPath;
using testing::CorpusText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::Item;
using testing::ListBuilder;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr OutputFormat kJson = OutputFormat::kJson;
constexpr OutputFormat kTable = OutputFormat::kTable;

struct Ran {
  int exit = -1;
  std::string out, err;
  Json json;
};

class ImaListVerbsTest : public ::testing::Test {
 protected:
  ImaListVerbsTest() : clock_(absl::FromUnixSeconds(1'800'000'000)) {
    folder_ = absl::StrCat(::testing::TempDir(), "ima_list_verbs_", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~ImaListVerbsTest() override { fs::remove_all(folder_); }

  // Runs a verb with `input` as its standard input.
  template <typename Options>
  Ran Run(ExitCode (*verb)(const Options&, const ImaListIo&), const Options& options,
          OutputFormat format, ByteView input = {}) {
    std::istringstream in{std::string(AsText(input))};
    std::ostringstream out, err;
    Ran ran;
    ran.exit = static_cast<int>(verb(options, {format, in, out, err, clock_}));
    ran.out = out.str();
    ran.err = err.str();
    if (format == kJson) ran.json = Json::parse(ran.out, nullptr, false);
    return ran;
  }
  Ran Replay(const std::string& file, ByteView input = {}) {
    return Run<std::string>(ImaListReplay, file, kJson, input);
  }
  Ran Verify(ImaListVerifyOptions options, ByteView input, OutputFormat format = kJson) {
    options.file = "-";
    if (options.references.empty()) options.references = {set_};
    return Run<ImaListVerifyOptions>(ImaListVerify, options, format, input);
  }

  std::string Put(const std::string& name, ByteView content) const {
    const std::string file = absl::StrCat(folder_, "/", name);
    EXPECT_THAT(WriteFileAtomically(file, content, 0644), IsOk());
    return file;
  }
  void Allow(const SetDraft& draft) { set_ = Put("set", *reference::WriteSet(draft)); }

  static SetDraft SetOf(std::vector<reference::SetItem> items,
                        std::vector<std::string> excludes = {}) {
    SetDraft draft;
    draft.items = std::move(items);
    draft.rules.excludes = std::move(excludes);
    return draft;
  }
  static ListBuilder Booted() {
    ListBuilder list;
    list.Ng("boot_aggregate", "the boot");
    return list;
  }
  static std::vector<std::string> Codes(const Ran& ran) {
    std::vector<std::string> codes;
    for (const Json& finding : ran.json.at("findings")) codes.push_back(finding.at("code"));
    return codes;
  }

  testing::FakeClock clock_;
  std::string folder_, set_;
};

// ---- replay

// Every list of the corpus that the project carries: counts and registers by all rules.
TEST_F(ImaListVerbsTest, ReplayGivesWhatTheCorpusExpects) {
  size_t values = 0;
  const Json manifest = Json::parse(CorpusText("ima/MANIFEST.json"));
  for (const Json& file : manifest.at("files")) {
    const std::string path = file.at("path");
    SCOPED_TRACE(path);
    const Ran ran = Replay(CorpusPath(path));
    EXPECT_EQ(ran.exit, 0) << ran.err;
    const Json& expected = file.at("expected");
    for (const char* key : {"entries", "violations", "templates"}) {
      EXPECT_EQ(ran.json.at(key), expected.at(key)) << key;
    }
    EXPECT_THAT(ran.json.at("findings"), IsEmpty());
    EXPECT_EQ(ran.json.at("pcrs").size(), expected.at("replay").size());
    for (const auto& [index, banks] : expected.at("replay").items()) {
      for (const auto& [name, value] : banks.items()) {
        absl::string_view bank = name;
        const bool padded = absl::ConsumeSuffix(&bank, "_padded_sha1");
        const Json& pcrs = ran.json.at(padded ? "pcrs_padded" : "pcrs");
        EXPECT_EQ(pcrs.at(index).at(std::string(bank)), value) << index << " " << name;
        ++values;
      }
    }
  }
  EXPECT_GT(values, 10u);
}

// The kernel of these boots extends the SHA-384 bank with padded SHA-1 digests.
TEST_F(ImaListVerbsTest, ReplayMeetsTheRegistersOfTheBoots) {
  for (const char* boot : {"good", "secure-boot-off", "cmdline-changed", "ima-policy"}) {
    SCOPED_TRACE(boot);
    const Ran ran = Replay(CorpusPath(absl::StrCat("boots/", boot, "/ima.bin")));
    const Json pcrs = Json::parse(CorpusText(absl::StrCat("boots/", boot, "/pcrs.json")));
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_EQ(ran.json.at("pcrs").at("10").at("sha1"), pcrs.at("sha1").at("10"));
    EXPECT_EQ(ran.json.at("pcrs").at("10").at("sha256"), pcrs.at("sha256").at("10"));
    EXPECT_EQ(ran.json.at("pcrs_padded").at("10").at("sha384"), pcrs.at("sha384").at("10"));
  }
}

TEST_F(ImaListVerbsTest, ReplayReadsStandardInputAndShowsATable) {
  const Bytes list = CorpusFile("ima/two-registers.bin");
  EXPECT_EQ(Replay("-", list).json, Replay(CorpusPath("ima/two-registers.bin")).json);
  const Ran table = Run<std::string>(ImaListReplay, "-", kTable, list);
  EXPECT_EQ(table.exit, 0);
  EXPECT_THAT(table.out, AllOf(HasSubstr("37 entries, 0 violations"),
                               HasSubstr("c7b12376dd9efb75f83827ac87bf2c08ab902c82bcc4bd571ef8c")));
}

TEST_F(ImaListVerbsTest, ReplayNamesWhatIsWrongAndWhereTheListBreaksOff) {
  const Bytes forged = Booted()
                           .Listed(10, Bytes(20, 0xab), "ima-ng", testing::NgData("/bin/a", "a"))
                           .Ng("/bin/b", "b")
                           .Finish();
  const Ran ran = Replay("-", forged);
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(Codes(ran), ElementsAre("IMA_TEMPLATE_HASH"));
  EXPECT_EQ(ran.json.at("findings").at(0).at("entry"), 1);
  const Ran cut = Replay("-", ByteView(forged).first(forged.size() - 3));
  EXPECT_EQ(cut.exit, 7);
  EXPECT_EQ(cut.json.at("entries"), 2);
  EXPECT_THAT(Codes(cut), ElementsAre("IMA_TRUNCATED", "IMA_TEMPLATE_HASH"));
}

// ---- show

TEST_F(ImaListVerbsTest, ShowListsEntriesAndSumsUp) {
  const ImaListShowOptions options{
      .file = CorpusPath("boots/ima-policy/ima.bin"), .register_index = {}, .filter = ""};
  const Ran ran = Run(ImaListShow, options, kTable);
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("ENTRY    PCR"));
  EXPECT_THAT(
      ran.out,
      HasSubstr("sha256:1eb6f61dff5ba86680f7d578c99f724b28211847e8ac086720db8c967c08f4b1  /init"));
  EXPECT_THAT(ran.out, HasSubstr("boot_aggregate: once"));
  EXPECT_THAT(ran.out, HasSubstr("6.1.0-56-cloud-amd64 (1)"));
  EXPECT_THAT(ran.out, HasSubstr(".builtin_trusted_keys ("));
  EXPECT_THAT(ran.out, Not(HasSubstr("not measured (func=KEY_CHECK)")));
  EXPECT_THAT(ran.err, IsEmpty());
}

TEST_F(ImaListVerbsTest, ShowJsonIsOneArrayOfEntries) {
  const Ran all = Run(ImaListShow, {CorpusPath("ima/ima-sig.bin"), {}, ""}, kJson);
  EXPECT_EQ(all.exit, 0);
  ASSERT_THAT(all.json, SizeIs(362));
  size_t with_signature = 0;
  for (const Json& entry : all.json) {
    EXPECT_EQ(entry.at("pcr"), 10);
    EXPECT_EQ(entry.at("template"), "ima-sig");
    EXPECT_EQ(entry.at("signed"), entry.contains("signature"));
    with_signature += entry.contains("signature") ? 1 : 0;
  }
  EXPECT_GT(with_signature, 0u);
  const Ran none = Run(ImaListShow, {CorpusPath("ima/ima-sig.bin"), {}, "no such text"}, kJson);
  EXPECT_EQ(none.exit, 0);
  EXPECT_EQ(none.json, Json::array());
}

TEST_F(ImaListVerbsTest, ShowTakesARegisterAndAText) {
  const std::string file = CorpusPath("ima/two-registers.bin");
  const size_t all = Run(ImaListShow, {file, {}, ""}, kJson).json.size();
  const Json in10 = Run(ImaListShow, {file, 10, ""}, kJson).json;
  const Json in11 = Run(ImaListShow, {file, 11, ""}, kJson).json;
  EXPECT_THAT(in10, Not(IsEmpty()));
  EXPECT_THAT(in11, Not(IsEmpty()));
  EXPECT_EQ(in10.size() + in11.size(), all);
  const Bytes list = Booted().Ng("/bin/bash", "b").Violation("/bin/sh").Finish();
  const Json bash = Run(ImaListShow, {"-", {}, "/bin/ba"}, kJson, list).json;
  ASSERT_THAT(bash, SizeIs(1));
  EXPECT_EQ(bash.at(0).at("path"), "/bin/bash");
  const std::string digest = bash.at(0).at("digest");
  EXPECT_THAT(Run(ImaListShow, {"-", {}, digest}, kJson, list).json, SizeIs(1));
  EXPECT_THAT(Run(ImaListShow, {"-", {}, "/bin/sh"}, kTable, list).out, HasSubstr("VIOLATION"));
}

// A file name can look like a line of the list, or be no text at all.
TEST_F(ImaListVerbsTest, A51_NamesCannotMakeLines) {
  const Bytes list = Booted().Ng("a\n10 00 ima-ng sha256:00 /usr/bin/x\xff", "x").Finish();
  const Ran table = Run(ImaListShow, {"-", 10, "usr"}, kTable, list);
  EXPECT_THAT(table.out, HasSubstr("a\\x0a10 00 ima-ng sha256:00 /usr/bin/x\\xff\n"));
  const Ran json = Run(ImaListShow, {"-", {}, ""}, kJson, list);
  ASSERT_THAT(json.json, SizeIs(2));
}

// ---- verify

TEST_F(ImaListVerbsTest, VerifyIsGoodWhenEverythingIsListed) {
  Allow(SetOf({Item("/bin/a", "a"), Item("/bin/b", "b")}));
  const Bytes list = Booted().Ng("/bin/a", "a").Ng("/bin/b", "b").Finish();
  const Ran ran = Verify({}, list);
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_EQ(ran.json.at("good"), true);
  EXPECT_EQ(ran.json.at("listed"), 2);
  EXPECT_EQ(ran.json.at("pcr10"), "not given");
  EXPECT_THAT(ran.json.at("not_checked").dump(), HasSubstr("--pcr10"));
}

TEST_F(ImaListVerbsTest, A54_VerifyNamesEveryBadEntry) {
  Allow(SetOf({Item("/bin/a", "a"), Item("/bin/b", "b")}));
  ListBuilder builder = Booted();
  builder.Ng("/bin/a", "another").Ng("/bin/evil", "x");
  for (int i = 0; i < 900; ++i) builder.Ng("/bin/b", "b");
  const Bytes list = builder.Violation("/bin/a").Ng("/bin/worse", "y").Finish();
  const Ran ran = Verify({}, list);
  EXPECT_EQ(ran.exit, 6);
  EXPECT_EQ(ran.json.at("good"), false);
  EXPECT_THAT(Codes(ran),
              ElementsAre("IMA_DIGEST", "IMA_UNLISTED", "IMA_VIOLATION", "IMA_UNLISTED"));
  const Json last = ran.json.at("findings").at(3);
  EXPECT_EQ(last.at("entry"), 904);
  EXPECT_THAT(last.at("text").get<std::string>(), HasSubstr("/bin/worse"));
  const Json first = ran.json.at("findings").at(0);
  EXPECT_EQ(first.at("expected"), absl::StrCat("sha256:", ToHex(testing::DigestOf("a"))));
  EXPECT_EQ(first.at("actual"), absl::StrCat("sha256:", ToHex(testing::DigestOf("another"))));
  EXPECT_THAT(Verify({}, list, kTable).out, AllOf(HasSubstr("NOT GOOD"), HasSubstr("/bin/evil")));
}

TEST_F(ImaListVerbsTest, VerifyNamesAtMostFiveHundredOfAKindAndCountsTheRest) {
  Allow(SetOf({Item("/bin/a", "a")}));
  ListBuilder list = Booted();
  for (int i = 0; i < 700; ++i) list.Ng(absl::StrCat("/bin/", i), "x");
  const Ran ran = Verify({}, list.Finish());
  EXPECT_EQ(ran.exit, 6);
  ASSERT_THAT(ran.json.at("findings"), SizeIs(501));
  EXPECT_THAT(ran.json.at("findings").back().at("text").get<std::string>(), HasSubstr("200 more"));
}

TEST_F(ImaListVerbsTest, VerifyKnowsWindowsAndPackages) {
  SetDraft older, newer;
  older.items = {testing::Packaged("/bin/bash", "old", testing::Deb("bash", "5.2-1"))};
  newer.items = {testing::Packaged("/bin/bash", "new", testing::Deb("bash", "5.2-2"))};
  Allow(Merge(older, newer, {.at = clock_.Now(), .grace = absl::Hours(24)}));
  const Bytes behind = Booted().Ng("/bin/bash", "old").Finish();
  const Bytes updated = Booted().Ng("/bin/bash", "new").Finish();
  EXPECT_EQ(Verify({}, behind).exit, 0);
  EXPECT_EQ(Verify({}, updated).exit, 0);
  clock_.Advance(absl::Hours(25));
  EXPECT_EQ(Verify({}, updated).exit, 0);
  const Ran outdated = Verify({}, behind);
  EXPECT_EQ(outdated.exit, 6);
  EXPECT_THAT(Codes(outdated), ElementsAre("IMA_OUTDATED"));
  EXPECT_THAT(outdated.json.at("findings").at(0).at("text").get<std::string>(),
              HasSubstr("outdated_package: bash 5.2-1 was replaced by 5.2-2"));
  EXPECT_EQ(Verify({.at = "2027-01-15T08:00:01Z"}, behind).exit, 0) << "an earlier time";
}

TEST_F(ImaListVerbsTest, VerifyAsksAllSets) {
  Allow(SetOf({Item("/bin/a", "a")}));
  const std::string other = Put("other", *reference::WriteSet(SetOf({Item("/bin/b", "b")})));
  const Bytes list = Booted().Ng("/bin/a", "a").Ng("/bin/b", "b").Finish();
  EXPECT_EQ(Verify({}, list).exit, 6);
  EXPECT_EQ(Verify({.references = {set_, other}}, list).exit, 0);
}

TEST_F(ImaListVerbsTest, VerifyLeavesOutWhatASetExcludesAndSaysSo) {
  Allow(SetOf({Item("/bin/a", "a")}, {"^/var/tmp/"}));
  const Bytes list = Booted().Ng("/var/tmp/x", "x").Ng("/bin/a", "a").Finish();
  const Ran ran = Verify({}, list);
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.json.at("excluded"), 1);
  EXPECT_THAT(ran.json.at("not_checked").dump(), HasSubstr("1 files of excluded paths"));
  // Nobody vouches for the path of a violation, so that no exclude applies to it.
  EXPECT_EQ(Verify({}, Booted().Violation("/var/tmp/x").Finish()).exit, 6);
}

TEST_F(ImaListVerbsTest, VerifyFollowsTheListToPcr10AndUsesNothingPastIt) {
  Allow(SetOf({Item("/bin/a", "a")}));
  const Bytes good = Booted().Ng("/bin/a", "a").Finish();
  const Json pcrs = Replay("-", good).json.at("pcrs").at("10");
  Bytes longer = good;
  const Bytes tail = ListBuilder().Ng("/bin/evil", "x").Finish();
  longer.insert(longer.end(), tail.begin(), tail.end());
  for (const char* bank : {"sha1", "sha256", "sha384", "sha512"}) {
    SCOPED_TRACE(bank);
    const std::string pcr10 = pcrs.at(bank);
    const Ran ran = Verify({.pcr10 = pcr10}, longer);
    EXPECT_EQ(ran.exit, 0) << ran.out;
    EXPECT_EQ(ran.json.at("pcr10"), "met");
    EXPECT_EQ(ran.json.at("unquoted"), 1);
    EXPECT_EQ(ran.json.at("entries"), 3);
    // Bytes past the match are not vouched for, so that a cut there says nothing of the host.
    EXPECT_EQ(Verify({.pcr10 = pcr10}, ByteView(longer).first(longer.size() - 1)).exit, 0);
  }
  const Ran other = Verify({.pcr10 = std::string(64, 'a')}, good);
  EXPECT_EQ(other.exit, 6);
  EXPECT_EQ(Codes(other).front(), "IMA_PCR_MISMATCH");
  EXPECT_EQ(other.json.at("pcr10"), "not met");
  EXPECT_EQ(Verify({.pcr10 = std::string(64, '0')}, good).exit, 6) << "a register never extended";
}

TEST_F(ImaListVerbsTest, VerifyMeetsTheRegisterOfAPaddingKernel) {
  Allow(SetOf({Item("/bin/a", "a")}));
  const Bytes list = Booted().Ng("/bin/a", "a").Finish();
  const std::string padded = Replay("-", list).json.at("pcrs_padded").at("10").at("sha256");
  EXPECT_EQ(Verify({.pcr10 = padded}, list).exit, 0);
}

TEST_F(ImaListVerbsTest, A58_VerifyWantsOneBootAggregateAtTheBeginning) {
  Allow(SetOf({Item("/bin/a", "a")}));
  EXPECT_THAT(Codes(Verify({}, ListBuilder().Ng("/bin/a", "a").Finish())),
              ElementsAre("IMA_BOOT_AGGREGATE_MISSING"));
  EXPECT_THAT(Codes(Verify({}, Booted().Ng("boot_aggregate", "other").Finish())),
              ElementsAre("IMA_KEXEC"));
}

TEST_F(ImaListVerbsTest, VerifyRefusesAKernelRecordThatIsAFilesEntryRenamed) {
  Allow(SetOf({Item("/bin/a", "a")}));
  bytes::Writer data;
  testing::AddField(data, testing::DigestField(crypto::HashAlg::kSha256, "x"));
  testing::AddField(data, testing::PathField("/bin/evil"));
  testing::AddField(data, AsBytes("not what was hashed"));
  const Ran ran = Verify({}, Booted().Entry("ima-buf", data.view()).Finish());
  EXPECT_EQ(ran.exit, 6);
  EXPECT_THAT(Codes(ran), ElementsAre("IMA_TEMPLATE"));
}

// A key that signs files as evmctl does, and ima-sig entries with its signatures.
class FileSigner {
 public:
  FileSigner() : key_(crypto::PrivateKey::GenerateEc(crypto::Curve::kP256).value()) {}

  std::string Pem() const {
    const std::string text = ToBase64(key_.Public().SpkiDer());
    std::string pem = "-----BEGIN PUBLIC KEY-----\n";
    for (size_t at = 0; at < text.size(); at += 64)
      absl::StrAppend(&pem, text.substr(at, 64), "\n");
    return pem + "-----END PUBLIC KEY-----\n";
  }

  // Type 3, version 2, SHA-256 (4), the last bytes of the key's SHA-1, the signature.
  Bytes Signature(absl::string_view content) const {
    const Bytes spki = key_.Public().SpkiDer();
    const crypto::Digest id = crypto::Hash(crypto::HashAlg::kSha1, ByteView(spki).last(65));
    const Bytes signature = key_.Sign(crypto::SignatureScheme::kEcdsa,
                                      crypto::Hash(crypto::HashAlg::kSha256, AsBytes(content)))
                                .value();
    bytes::Writer out;
    out.U8(3).U8(2).U8(4).Raw(id.view().last(4));
    out.U16Be(static_cast<uint16_t>(signature.size())).Raw(signature);
    return out.Finish();
  }

  Bytes Entry(absl::string_view path, absl::string_view content, ByteView signature) const {
    bytes::Writer data;
    data.Raw(testing::NgData(path, content));
    testing::AddField(data, signature);
    return data.Finish();
  }

 private:
  crypto::PrivateKey key_;
};

TEST_F(ImaListVerbsTest, VerifyTakesFilesThatGivenKeysHaveSigned) {
  Allow(SetOf({Item("/bin/a", "a")}));
  const FileSigner signer, stranger;
  const std::string keys = Put("keys.pem", AsBytes(signer.Pem()));
  const std::string others = Put("others.pem", AsBytes(stranger.Pem()));
  const Bytes list =
      Booted()
          .Ng("/bin/a", "a")
          .Entry("ima-sig", signer.Entry("/opt/tool", "tool", signer.Signature("tool")))
          .Finish();
  EXPECT_THAT(Codes(Verify({}, list)), ElementsAre("IMA_UNLISTED"));
  EXPECT_THAT(Codes(Verify({.keys = {others}}, list)), ElementsAre("IMA_UNLISTED"));
  const Ran good = Verify({.keys = {others, keys}}, list);
  EXPECT_EQ(good.exit, 0) << good.out;
  EXPECT_EQ(good.json.at("listed"), 1);
  EXPECT_EQ(good.json.at("signed"), 1);

  const Bytes forged =
      Booted()
          .Entry("ima-sig", signer.Entry("/opt/tool", "altered", signer.Signature("tool")))
          .Finish();
  const Ran bad = Verify({.keys = {keys}}, forged);
  EXPECT_EQ(bad.exit, 6);
  EXPECT_THAT(Codes(bad), ElementsAre("IMA_SIGNATURE", "IMA_UNLISTED"));
}

// Keys that a set brings along count as those do that are given: where signatures count at all.
TEST_F(ImaListVerbsTest, VerifyAsksForSignaturesAsTheReferencesRulesDo) {
  const FileSigner signer;
  SetDraft draft = SetOf({Item("/bin/a", "a")});
  draft.rules.verification_keys = {signer.Pem()};
  Allow(draft);
  const Bytes list =
      Booted()
          .Ng("/bin/a", "a")
          .Entry("ima-sig", signer.Entry("/opt/tool", "tool", signer.Signature("tool")))
          .Finish();
  const Ran accepted = Verify({}, list);
  EXPECT_EQ(accepted.exit, 0) << accepted.out;
  EXPECT_EQ(accepted.json.at("signed"), 1);
  const Ran ignored = Verify({.signatures = "ignore"}, list);
  EXPECT_THAT(Codes(ignored), ElementsAre("IMA_UNLISTED"));
  EXPECT_THAT(ignored.json.at("not_checked").dump(), HasSubstr("--signatures"));
  // A signature of every file, beside its listing.
  EXPECT_THAT(Codes(Verify({.signatures = "require"}, list)),
              ElementsAre("IMA_SIGNATURE", "IMA_UNLISTED"));
  EXPECT_EQ(Verify({.signatures = "perhaps"}, list, kTable).exit, 2);
}

// PCR 10 says nothing of what another register was extended with; the gatekeeper does the same.
TEST_F(ImaListVerbsTest, VerifyLeavesOutEntriesOfOtherRegistersAndSaysSo) {
  Allow(SetOf({Item("/bin/a", "a")}));
  const Ran ran = Verify({}, Booted().Ng("/bin/evil", "x", 11).Finish());
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.json.at("not_checked").dump(),
              HasSubstr("1 IMA entries of other registers than PCR 10"));
}

// An old program of the same signer has a good signature, too.
TEST_F(ImaListVerbsTest, VerifyTakesNoSignatureForAnOutdatedFile) {
  SetDraft older, newer;
  older.items = {testing::Packaged("/opt/tool", "old", testing::Deb("tool", "1-1"))};
  newer.items = {testing::Packaged("/opt/tool", "new", testing::Deb("tool", "1-2"))};
  Allow(Merge(older, newer, {.at = clock_.Now(), .grace = absl::Hours(24)}));
  const FileSigner signer;
  const std::string keys = Put("keys.pem", AsBytes(signer.Pem()));
  const Bytes list =
      Booted().Entry("ima-sig", signer.Entry("/opt/tool", "old", signer.Signature("old"))).Finish();
  EXPECT_EQ(Verify({.keys = {keys}}, list).exit, 0);
  clock_.Advance(absl::Hours(25));
  EXPECT_THAT(Codes(Verify({.keys = {keys}}, list)), ElementsAre("IMA_OUTDATED"));
}

// A set that lists a weak digest does not make it strong; the gatekeeper says the same.
TEST_F(ImaListVerbsTest, A59_VerifyTakesWeakDigestsOnlyWhereTheyAreAllowed) {
  SetDraft draft = SetOf({Item("/bin/a", "a"), Item("/tmp/a", "a")});
  for (reference::SetItem& item : draft.items) {
    item.alg = reference::DigestAlg::kSha1;
    item.digest = ToBytes(crypto::Hash(crypto::HashAlg::kSha1, AsBytes("a")).view());
  }
  draft.rules.excludes = {"^/tmp/"};
  Allow(draft);
  testing::ListBuilder weak = Booted();
  for (const char* path : {"/bin/a", "/tmp/a"}) {
    bytes::Writer data;
    testing::AddField(data, testing::DigestField(crypto::HashAlg::kSha1, "a"));
    testing::AddField(data, testing::PathField(path));
    weak.Entry("ima-ng", data.view());
  }
  const Bytes list = weak.Finish();
  EXPECT_THAT(Codes(Verify({}, list)), ElementsAre("IMA_DIGEST_ALG"));
  ImaListVerifyOptions allowed;
  allowed.algorithms = {"sha1"};
  const Ran ran = Verify(allowed, list);
  EXPECT_EQ(ran.exit, 0) << ran.out;
  EXPECT_EQ(ran.json.at("listed"), 1);
  EXPECT_EQ(ran.json.at("excluded"), 1);
  allowed.algorithms = {"crc32"};
  EXPECT_EQ(Verify(allowed, list, kTable).exit, 2);
}

// For trying a set out: what is new or old is said, a known program with other content still fails.
TEST_F(ImaListVerbsTest, VerifyOnlyReportsWhatIsUnlistedOrOutdated) {
  const int64_t now = absl::ToUnixSeconds(clock_.Now());
  Allow(SetOf({Item("/bin/a", "old", {0, now - 1}), Item("/bin/a", "new")}));
  ImaListVerifyOptions report;
  report.report_only = true;
  const Bytes list = Booted().Ng("/bin/a", "old").Ng("/opt/new-tool", "x").Finish();
  EXPECT_EQ(Verify({}, list).exit, 6);
  const Ran ran = Verify(report, list);
  EXPECT_EQ(ran.exit, 0) << ran.out;
  EXPECT_THAT(Codes(ran), ElementsAre("IMA_OUTDATED", "IMA_UNLISTED"));
  const Ran tampered = Verify(report, Booted().Ng("/bin/a", "with a back door").Finish());
  EXPECT_EQ(tampered.exit, 6);
  EXPECT_THAT(Codes(tampered), ElementsAre("IMA_DIGEST"));
}

// A host's own list, made a set, makes the host good; and a real PCR proves the list.
TEST_F(ImaListVerbsTest, VerifyJudgesACapturedBoot) {
  const Bytes list = CorpusFile("boots/good/ima.bin");
  const Json pcrs = Json::parse(CorpusText("boots/good/pcrs.json"));
  SetDraft draft;
  ima::List parsed = ima::List::Parse(list);
  for (const ima::Entry& entry : parsed.entries()) {
    if (entry.HoldsBuffer()) continue;
    reference::SetItem item;
    item.path = std::string(entry.path);
    item.digest = ToBytes(entry.file_digest);
    draft.items.push_back(std::move(item));
  }
  Allow(draft);
  const std::string pcr10 = pcrs.at("sha256").at("10");
  const Ran ran = Verify({.pcr10 = pcr10}, list);
  EXPECT_EQ(ran.exit, 0) << ran.out;
  EXPECT_EQ(ran.json.at("judged"), 86);
  EXPECT_EQ(ran.json.at("unquoted"), 0);
  EXPECT_EQ(Verify({.pcr10 = pcr10}, CorpusFile("boots/cmdline-changed/ima.bin")).exit, 6);
}

// ---- what cannot be used

TEST_F(ImaListVerbsTest, WhatVerifyCannotUseIsNamed) {
  Allow(SetOf({Item("/bin/a", "a")}));
  const Bytes list = Booted().Finish();
  const struct {
    ImaListVerifyOptions options;
    int exit;
    const char* says;
  } rows[] = {
      {{.pcr10 = "zz"}, 2, "--pcr10"},
      {{.pcr10 = "aabb"}, 2, "--pcr10"},
      {{.at = "soon"}, 2, "--at"},
      {{.keys = {folder_ + "/no.pem"}}, 8, "no.pem"},
      {{.keys = {Put("bad.pem", AsBytes("no key"))}}, 2, "bad.pem"},
      {{.references = {folder_ + "/none"}}, 8, "none"},
      {{.references = {Put("bad", AsBytes("no set"))}}, 2, "bad"},
  };
  for (const auto& row : rows) {
    const Ran ran = Verify(row.options, list, kTable);
    EXPECT_EQ(ran.exit, row.exit) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(row.says));
    EXPECT_THAT(ran.out, IsEmpty());
  }
}

struct BadFile {
  const char* name;
  std::string (*make)(const std::string& folder);
  const char* says;
  int exit;
};

std::string Written(const std::string& folder, absl::string_view text) {
  const std::string file = folder + "/list";
  EXPECT_THAT(WriteFileAtomically(file, AsBytes(text), 0644), IsOk());
  return file;
}

constexpr BadFile kBadFiles[] = {
    {"Missing", [](const std::string& folder) { return folder + "/none"; },
     "binary_runtime_measurements", 8},
    {"Folder", [](const std::string& folder) { return folder; }, "is a folder", 2},
    {"Empty", [](const std::string& folder) { return Written(folder, ""); }, "is empty", 7},
    {"Text", [](const std::string&) { return CorpusPath("boots/good/ima.ascii"); },
     "text form of a list, which file names can forge; give the binary one", 7},
    {"Noise", [](const std::string& folder) { return Written(folder, std::string(999, '\xff')); },
     "is no IMA list", 7},
    {"BootLog", [](const std::string&) { return CorpusPath("boots/good/eventlog.bin"); },
     "is no IMA list", 7},
};

TEST_F(ImaListVerbsTest, BadFilesAreSaidByEveryVerb) {
  Allow(SetOf({Item("/bin/a", "a")}));
  for (const BadFile& row : kBadFiles) {
    const std::string file = row.make(folder_);
    const Ran all[] = {
        Run(ImaListShow, {file, {}, ""}, kTable), Run<std::string>(ImaListReplay, file, kTable),
        Run<ImaListVerifyOptions>(ImaListVerify, {.file = file, .references = {set_}}, kTable)};
    for (const Ran& ran : all) {
      EXPECT_EQ(ran.exit, row.exit) << row.name << ran.err;
      EXPECT_THAT(ran.err, HasSubstr(row.says)) << row.name;
    }
  }
}

TEST_F(ImaListVerbsTest, A60_MoreEntriesThanTheCapBreakOffWithItsCode) {
  const Bytes entry = ListBuilder().Ng("/bin/a", "a", 11).Finish();  // read, and not judged
  std::string many = std::string(AsText(Booted().Finish()));
  for (size_t i = 0; i < ima::kMaxEntries; ++i) absl::StrAppend(&many, AsText(entry));
  Allow(SetOf({Item("/bin/a", "a")}));
  const Ran ran = Verify({}, AsBytes(many));
  EXPECT_EQ(ran.exit, 7);
  EXPECT_THAT(Codes(ran), ElementsAre("IMA_LIMIT"));
  EXPECT_EQ(ran.json.at("judged"), ima::kMaxEntries);
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli
