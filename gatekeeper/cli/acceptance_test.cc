// The offline verbs over the captured boots: who is let in, who is not, and what an operator reads.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/files.h"
#include "common/eventlog/log.h"
#include "common/ima/list.h"
#include "common/testing/corpus.h"
#include "gatekeeper/cli/evidence_verify.h"
#include "gatekeeper/cli/reference_learn.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"

namespace bootgate::gatekeeper::cli {
namespace {

namespace fs = std::filesystem;
using ::bootgate::testing::CorpusPath;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

// A folder of its own for each test.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "bootgate-offline-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string At(absl::string_view name) const { return absl::StrCat(path_, "/", name); }
  void Write(absl::string_view name, absl::string_view text) const {
    std::ofstream(At(name), std::ios::binary) << text;
  }

 private:
  std::string path_;
};

std::string PolicyPath(absl::string_view name) {
  return absl::StrCat(testing::SourcePath("deploy/policies/"), name);
}

std::string BootPath(absl::string_view boot) { return CorpusPath(absl::StrCat("boots/", boot)); }

struct Ran {
  int exit = -1;
  std::string out, err;
  Json json;
};

Ran Verify(EvidenceVerifyOptions options) {
  std::ostringstream out, err;
  options.output = "json";
  Ran ran;
  ran.exit = RunEvidenceVerify(options, out, err);
  ran.out = out.str();
  ran.err = err.str();
  ran.json = Json::parse(ran.out, nullptr, false);
  return ran;
}

std::vector<std::string> FailingCodes(const Json& verdict) {
  std::vector<std::string> codes;
  for (const Json& f : verdict.at("findings")) {
    if (f.at("severity") == "fail") codes.push_back(f.at("code"));
  }
  return codes;
}

std::string LearnFrom(const Scratch& scratch, const std::string& boot) {
  ReferenceLearnOptions options;
  options.folder = BootPath(boot);
  options.out_file = scratch.At(boot + ".json");
  std::ostringstream out, err;
  EXPECT_EQ(RunReferenceLearn(options, out, err), 0) << err.str();
  return options.out_file;
}

EvidenceVerifyOptions OptionsFor(const std::string& folder) {
  EvidenceVerifyOptions options;
  options.folder = folder;
  options.policy_file = PolicyPath("measured-boot.policy");
  return options;
}

struct Row {
  const char *reference, *host;
  int exit;
  const char* says;  // in the text of some failing finding
};
void PrintTo(const Row& row, std::ostream* os) { *os << row.host << " under " << row.reference; }

class AcceptanceTest : public ::testing::TestWithParam<std::tuple<Row, const char*>> {};

TEST_P(AcceptanceTest, GivesTheRightVerdictAndSaysWhy) {
  const auto& [row, quote] = GetParam();
  const Scratch scratch;
  EvidenceVerifyOptions options = OptionsFor(BootPath(row.host));
  options.reference_file = LearnFrom(scratch, row.reference);
  options.quote = quote;
  const Ran ran = Verify(options);
  EXPECT_EQ(ran.exit, row.exit) << ran.out << ran.err;
  ASSERT_TRUE(ran.json.is_object()) << ran.err;
  EXPECT_EQ(ran.json.at("outcome"), row.exit == 0 ? "ADMIT" : "DENY");
  std::string said;
  for (const Json& f : ran.json.at("findings")) {
    if (f.at("severity") == "fail") absl::StrAppend(&said, f.at("text").get<std::string>(), "\n");
  }
  EXPECT_THAT(said, HasSubstr(row.says));
}

std::string AcceptanceName(const ::testing::TestParamInfo<std::tuple<Row, const char*>>& param) {
  const Row& row = std::get<0>(param.param);
  return absl::StrReplaceAll(
      absl::StrCat(row.host, "_under_", row.reference, "_", std::get<1>(param.param)),
      {{"-", "_"}});
}

INSTANTIATE_TEST_SUITE_P(
    Boots, AcceptanceTest,
    ::testing::Combine(
        ::testing::Values(Row{"good", "good", 0, ""}, Row{"good", "ima-policy", 0, ""},
                          Row{"ima-policy", "good", 0, ""}, Row{"ima-policy", "ima-policy", 0, ""},
                          Row{"good", "secure-boot-off", 6, "SecureBoot was 01 (on), is 00 (off)"},
                          Row{"ima-policy", "secure-boot-off", 6,
                              "SecureBoot was 01 (on), is 00 (off)"},
                          Row{"good", "cmdline-changed", 6,
                              "kernel command line gained `init=/bin/bash nokaslr`"},
                          Row{"ima-policy", "cmdline-changed", 6,
                              "kernel command line gained `init=/bin/bash nokaslr`"}),
        ::testing::Values("sha256", "sha384", "all", "ecc")),
    AcceptanceName);

// The good boot with one file changed, judged under a reference learned from it untouched.
class TamperedTest : public ::testing::Test {
 protected:
  TamperedTest() : reference_(LearnFrom(scratch_, "good")) {
    fs::copy(BootPath("good"), folder_, fs::copy_options::recursive);
  }

  Bytes Read(absl::string_view name) const {
    return ReadFile(absl::StrCat(folder_, "/", name), size_t{1} << 20).value();
  }
  void Put(absl::string_view name, ByteView bytes) const {
    std::ofstream(absl::StrCat(folder_, "/", name), std::ios::binary) << AsText(bytes);
  }
  void Edit(absl::string_view name, const std::function<void(Bytes&)>& edit) const {
    Bytes bytes = Read(name);
    edit(bytes);
    Put(name, bytes);
  }
  Ran Judge(const std::string& quote = "sha256") const {
    EvidenceVerifyOptions options = OptionsFor(folder_);
    options.reference_file = reference_;
    options.quote = quote;
    return Verify(options);
  }
  void ExpectDenied(absl::string_view code) const {
    const Ran ran = Judge();
    EXPECT_EQ(ran.exit, 6) << ran.out << ran.err;
    EXPECT_THAT(FailingCodes(ran.json), Contains(std::string(code))) << ran.out;
  }
  void ExpectRejected(absl::string_view code, const std::string& quote = "sha256") const {
    const Ran ran = Judge(quote);
    EXPECT_EQ(ran.exit, 7) << ran.out << ran.err;
    EXPECT_THAT(FailingCodes(ran.json), Contains(std::string(code))) << ran.out;
    EXPECT_TRUE(ran.json.at("claims").empty());
  }

  Scratch scratch_;
  std::string reference_;
  std::string folder_ = scratch_.At("evidence");
};

TEST_F(TamperedTest, UntouchedIsAdmitted) { EXPECT_EQ(Judge().exit, 0); }

TEST_F(TamperedTest, OneBitInAnyDigestOfTheLogIsDenied) {
  const Bytes good = Read("eventlog.bin");
  const eventlog::Log log = eventlog::Log::Parse(good);
  for (const eventlog::Event& event : log.events()) {
    if (event.untrusted_type == eventlog::kEvNoAction) continue;
    const auto digest = log.DigestOf(event, crypto::HashAlg::kSha256);
    Bytes bad = good;
    bad[static_cast<size_t>(digest->data() - good.data())] ^= 1;
    Put("eventlog.bin", bad);
    const Ran ran = Judge();
    ASSERT_EQ(ran.exit, 6) << event.number;
    ASSERT_THAT(FailingCodes(ran.json), Contains("LOG_PCR_MISMATCH")) << event.number;
  }
}

TEST_F(TamperedTest, LogWithoutOneOfItsEventsIsDenied) {
  const Bytes good = Read("eventlog.bin");
  const eventlog::Log log = eventlog::Log::Parse(good);
  const auto& events = log.events();
  for (size_t i = 1; i + 1 < events.size(); ++i) {
    if (events[i].untrusted_type == eventlog::kEvNoAction) continue;
    Bytes bad(good.begin(), good.begin() + static_cast<ptrdiff_t>(events[i].offset));
    bad.insert(bad.end(), good.begin() + static_cast<ptrdiff_t>(events[i + 1].offset), good.end());
    Put("eventlog.bin", bad);
    const Ran ran = Judge();
    ASSERT_EQ(ran.exit, 6) << i << ran.out;
    ASSERT_THAT(FailingCodes(ran.json), Contains(AnyOf("LOG_PCR_MISMATCH", "PCR_UNEXPLAINED")))
        << i;
  }
}

TEST_F(TamperedTest, A41_CutLogIsDenied) {
  Edit("eventlog.bin", [](Bytes& log) { log = Bytes(log.begin(), log.end() - 7); });
  ExpectDenied("LOG_TRUNCATED");
}

TEST_F(TamperedTest, A41_GarbageAfterTheLogIsDenied) {
  Edit("eventlog.bin", [](Bytes& log) {
    for (int i = 0; i < 64; ++i) log.push_back(0xa5);
  });
  ExpectDenied("LOG_TRAILING");
}

TEST_F(TamperedTest, A41_EmptyLogIsOneFinding) {
  Put("eventlog.bin", {});
  ExpectDenied("LOG_MISSING");
  const std::vector<std::string> codes = FailingCodes(Judge().json);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), "LOG_MISSING"), 1);
  EXPECT_THAT(codes, Not(Contains("PCR_UNEXPLAINED")));
}

TEST_F(TamperedTest, AbsentLogIsLikeAnEmptyOne) {
  fs::remove(folder_ + "/eventlog.bin");
  ExpectDenied("LOG_MISSING");
}

TEST_F(TamperedTest, ImaEntryAfterTheQuoteIsNotUsed) {
  Edit("ima.bin", [](Bytes& list) {
    const ima::List parsed = ima::List::Parse(list);
    const Bytes entry(list.begin() + static_cast<ptrdiff_t>(parsed.entries()[5].offset),
                      list.begin() + static_cast<ptrdiff_t>(parsed.entries()[6].offset));
    list.insert(list.end(), entry.begin(), entry.end());
  });
  const Ran ran = Judge();
  EXPECT_EQ(ran.exit, 0) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("1 IMA entries past the quoted state"));
}

TEST_F(TamperedTest, ImaListWithoutItsLastEntryIsDenied) {
  Edit("ima.bin", [](Bytes& list) { list.resize(ima::List::Parse(list).entries().back().offset); });
  ExpectDenied("IMA_PCR_MISMATCH");
}

TEST_F(TamperedTest, CutImaListIsDenied) {
  Edit("ima.bin", [](Bytes& list) { list = Bytes(list.begin(), list.end() - 3); });
  ExpectDenied("IMA_TRUNCATED");
}

TEST_F(TamperedTest, AbsentImaListIsDenied) {
  fs::remove(folder_ + "/ima.bin");
  ExpectDenied("IMA_MISSING");
}

TEST_F(TamperedTest, AlteredImaContentIsDenied) {
  Edit("ima.bin", [](Bytes& list) { list.back() ^= 1; });
  const Ran ran = Judge();
  EXPECT_EQ(ran.exit, 6);
  EXPECT_THAT(FailingCodes(ran.json), Contains(AnyOf("IMA_PCR_MISMATCH", "IMA_TEMPLATE")));
}

TEST_F(TamperedTest, A50_ListedHashOverwrittenByOnesIsDenied) {
  Edit("ima.bin", [](Bytes& list) {
    const size_t at = ima::List::Parse(list).entries()[3].offset + 4;
    std::fill_n(list.begin() + static_cast<ptrdiff_t>(at), 20, uint8_t{0xff});
  });
  ExpectDenied("IMA_TEMPLATE_HASH");
}

TEST_F(TamperedTest, A50_EntryDressedUpAsViolationIsDenied) {
  Edit("ima.bin", [](Bytes& list) {
    const size_t at = ima::List::Parse(list).entries()[3].offset + 4;
    std::fill_n(list.begin() + static_cast<ptrdiff_t>(at), 20, uint8_t{0});
  });
  ExpectDenied("IMA_PCR_MISMATCH");
}

TEST_F(TamperedTest, A58_ListOfAnotherBootIsDenied) {
  Put("ima.bin", ReadFile(BootPath("cmdline-changed") + "/ima.bin", size_t{1} << 20).value());
  ExpectDenied("IMA_PCR_MISMATCH");
}

TEST_F(TamperedTest, LogOfAnotherBootIsDenied) {
  Put("eventlog.bin",
      ReadFile(BootPath("cmdline-changed") + "/eventlog.bin", size_t{1} << 20).value());
  ExpectDenied("LOG_PCR_MISMATCH");
}

TEST_F(TamperedTest, AnyAlteredByteOfTheQuoteIsRejected) {
  const Bytes good = Read("quote-sha256.msg");
  for (size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 0x10;
    Put("quote-sha256.msg", bad);
    ASSERT_EQ(Judge().exit, 7) << i;
  }
}

TEST_F(TamperedTest, AlteredSignatureIsRejected) {
  Edit("quote-sha256.sig", [](Bytes& signature) { signature[100] ^= 1; });
  ExpectRejected("SIG_INVALID");
}

TEST_F(TamperedTest, OtherNonceIsRejected) {
  Put("nonce.hex", AsBytes("00112233445566778899aabbccddeeff00112233"));
  ExpectRejected("NONCE_MISMATCH");
}

TEST_F(TamperedTest, AlteredRegisterValueIsRejected) {
  Edit("pcrs.json", [](Bytes& json) {
    std::string text(AsText(json));
    Json values = Json::parse(text);
    std::string hex = values["sha256"]["4"];
    hex[0] = hex[0] == '0' ? '1' : '0';
    values["sha256"]["4"] = hex;
    json = ToBytes(AsBytes(values.dump()));
  });
  ExpectRejected("QUOTE_DIGEST_MISMATCH");
}

TEST_F(TamperedTest, OtherKeyIsRejected) {
  Put("ak.pub", ReadFile(BootPath("good") + "/ak-ecc.pub", size_t{1} << 20).value());
  ExpectRejected("SIG_SCHEME");
}

TEST_F(TamperedTest, A8_QuoteOfSha1AloneIsRejected) { ExpectRejected("BANK_NOT_ALLOWED", "sha1"); }

TEST_F(TamperedTest, BrokenFilesAreRejectedNotFatal) {
  Put("pcrs.json", AsBytes("{"));
  ExpectRejected("MESSAGE_MALFORMED");
  Put("ak.pub", AsBytes("xx"));
  ExpectRejected("TPM_MARSHAL");
}

TEST_F(TamperedTest, MissingFileIsAUsageErrorThatNamesIt) {
  for (const char* name :
       {"quote-sha256.msg", "quote-sha256.sig", "pcrs.json", "ak.pub", "nonce.hex"}) {
    fs::rename(absl::StrCat(folder_, "/", name), scratch_.At("aside"));
    const Ran ran = Judge();
    EXPECT_EQ(ran.exit, 2) << name;
    EXPECT_THAT(ran.err, HasSubstr(name));
    fs::rename(scratch_.At("aside"), absl::StrCat(folder_, "/", name));
  }
}

TEST(EvidenceVerify, A83_WithoutAPolicyNobodyIsAdmitted) {
  EvidenceVerifyOptions options;
  options.folder = BootPath("good");
  const Ran ran = Verify(options);
  EXPECT_EQ(ran.exit, 6);
  EXPECT_EQ(FailingCodes(ran.json), std::vector<std::string>{"NO_POLICY"});
}

TEST(EvidenceVerify, PolicyDecides) {
  const Scratch scratch;
  scratch.Write("deny.policy",
                "version=1.0;\nauthorizationrules {\n  => deny();\n};\nissuancerules { };\n");
  scratch.Write("none.policy",
                "version=1.0;\nauthorizationrules {\n  [type==\"nothing\"] => "
                "permit();\n};\nissuancerules { };\n");
  EvidenceVerifyOptions options;
  options.folder = BootPath("good");
  options.policy_file = scratch.At("deny.policy");
  const Ran denied = Verify(options);
  EXPECT_EQ(FailingCodes(denied.json), std::vector<std::string>{"POLICY_DENY"});
  EXPECT_THAT(denied.out, HasSubstr("line 3"));
  options.policy_file = scratch.At("none.policy");
  EXPECT_EQ(FailingCodes(Verify(options).json), std::vector<std::string>{"POLICY_NOT_PERMITTED"});
}

TEST(EvidenceVerify, SecureBootPolicyNeedsNoReference) {
  EvidenceVerifyOptions options;
  options.policy_file = PolicyPath("secure-boot.policy");
  options.folder = BootPath("good");
  EXPECT_EQ(Verify(options).exit, 0);
  options.folder = BootPath("secure-boot-off");
  const Ran ran = Verify(options);
  EXPECT_EQ(ran.exit, 6);
  EXPECT_THAT(ran.out, HasSubstr("SECURE_BOOT_OFF"));
}

TEST(EvidenceVerify, UnreadableYardsticksAreUsageErrors) {
  const Scratch scratch;
  scratch.Write("bad", "this is neither");
  EvidenceVerifyOptions options = OptionsFor(BootPath("good"));
  options.reference_file = scratch.At("bad");
  EXPECT_EQ(Verify(options).exit, 2);
  options = OptionsFor(BootPath("good"));
  options.policy_file = scratch.At("bad");
  const Ran ran = Verify(options);
  EXPECT_EQ(ran.exit, 2);
  EXPECT_THAT(ran.err, HasSubstr("bad:1:"));
  options = OptionsFor(BootPath("good"));
  options.ek_root_files = {scratch.At("missing")};
  EXPECT_EQ(Verify(options).exit, 2);
  options = OptionsFor(BootPath("good"));
  options.quote = "md5";
  EXPECT_EQ(Verify(options).exit, 2);
}

TEST(EvidenceVerify, EkChainIsVerifiedWhenARootIsGiven) {
  EvidenceVerifyOptions options;
  options.folder = BootPath("good");
  options.policy_file = PolicyPath("secure-boot.policy");
  options.ek_root_files = {BootPath("good") + "/ca/swtpm-localca-rootca-cert.pem"};
  const Ran ran = Verify(options);
  EXPECT_EQ(ran.exit, 0) << ran.out << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("EK certificate is for the EK shown"));
}

TEST(EvidenceVerify, A25_EkOfAnUnknownMakerIsRejected) {
  const Scratch scratch;
  const std::string folder = scratch.At("evidence");
  fs::copy(BootPath("good"), folder, fs::copy_options::recursive);
  fs::rename(folder + "/ca/swtpm-localca-rootca-cert.pem", scratch.At("root.pem"));
  EvidenceVerifyOptions options = OptionsFor(folder);
  options.ek_root_files = {CorpusPath("boots/good/ca/swtpm-localca-rootca-cert.pem")};
  fs::remove(folder + "/ca/issuercert.pem");  // the chain has a hole
  const Ran ran = Verify(options);
  EXPECT_EQ(ran.exit, 7) << ran.out;
  EXPECT_THAT(FailingCodes(ran.json), Contains("EK_CHAIN_UNTRUSTED"));
}

TEST(EvidenceVerify, JsonHasTheFormThatIsDocumented) {
  const Ran ran = Verify(OptionsFor(BootPath("secure-boot-off")));
  ASSERT_TRUE(ran.json.is_object());
  for (const char* key : {"outcome", "findings", "claims", "checked", "not_checked"}) {
    EXPECT_TRUE(ran.json.contains(key)) << key;
  }
  EXPECT_EQ(ran.json.size(), 5u);
  ASSERT_FALSE(ran.json["findings"].empty());
  for (const Json& f : ran.json["findings"]) {
    EXPECT_EQ(f.size(), 8u);
    for (const char* key :
         {"code", "severity", "register", "event", "expected", "actual", "text", "action"}) {
      EXPECT_TRUE(f.contains(key)) << key;
    }
  }
  for (const Json& row : ran.json["not_checked"])
    EXPECT_FALSE(row.at("why").get<std::string>().empty());
}

TEST(EvidenceVerify, TableBeginsWithTheOutcome) {
  std::ostringstream out, err;
  const EvidenceVerifyOptions options = OptionsFor(BootPath("secure-boot-off"));
  EXPECT_EQ(RunEvidenceVerify(options, out, err), 6);
  EXPECT_TRUE(absl::StartsWith(out.str(), "DENY\n"));
  EXPECT_THAT(out.str(), HasSubstr("SECURE_BOOT_OFF  PCR 7  event "));
  EXPECT_THAT(out.str(), HasSubstr("not checked\n"));
}

TEST(ReferenceLearn, LearnsNothingFromEvidenceThatDoesNotReplay) {
  const Scratch scratch;
  const std::string folder = scratch.At("evidence");
  fs::copy(BootPath("good"), folder, fs::copy_options::recursive);
  fs::remove(folder + "/eventlog.bin");
  ReferenceLearnOptions options;
  options.folder = folder;
  options.out_file = scratch.At("out.json");
  std::ostringstream out, err;
  EXPECT_EQ(RunReferenceLearn(options, out, err), 6);
  EXPECT_THAT(err.str(), HasSubstr("LOG_MISSING"));
  EXPECT_FALSE(FileExists(options.out_file));
}

TEST(ReferenceLearn, LearnsNothingFromAForgedQuote) {
  const Scratch scratch;
  const std::string folder = scratch.At("evidence");
  fs::copy(BootPath("good"), folder, fs::copy_options::recursive);
  fs::copy_file(BootPath("ima-policy") + "/nonce.hex", folder + "/nonce.hex",
                fs::copy_options::overwrite_existing);
  ReferenceLearnOptions options;
  options.folder = folder;
  options.out_file = scratch.At("out.json");
  std::ostringstream out, err;
  EXPECT_EQ(RunReferenceLearn(options, out, err), 7);
  EXPECT_FALSE(FileExists(options.out_file));
}

TEST(ReferenceLearn, IsTheSameFileForTheSameBootAndTime) {
  const Scratch scratch;
  ReferenceLearnOptions options;
  options.folder = BootPath("good");
  options.out_file = scratch.At("a.json");
  std::ostringstream out, err;
  ASSERT_EQ(RunReferenceLearn(options, out, err), 0) << err.str();
  ReferenceLearnOptions again = options;
  again.out_file = scratch.At("b.json");
  ASSERT_EQ(RunReferenceLearn(again, out, err), 0);
  EXPECT_EQ(ReadTextFile(options.out_file, 1 << 24).value(),
            ReadTextFile(again.out_file, 1 << 24).value());
}

TEST(ReferenceLearn, UnlistedRuleIsTheOperatorsChoice) {
  const Scratch scratch;
  ReferenceLearnOptions learn;
  learn.folder = BootPath("good");
  learn.out_file = scratch.At("strict.json");
  learn.unlisted = "fail";
  std::ostringstream out, err;
  ASSERT_EQ(RunReferenceLearn(learn, out, err), 0);
  EvidenceVerifyOptions options = OptionsFor(BootPath("ima-policy"));
  options.reference_file = learn.out_file;
  const Ran ran = Verify(options);
  EXPECT_EQ(ran.exit, 6);
  EXPECT_THAT(FailingCodes(ran.json), Contains("IMA_UNLISTED"));
  learn.unlisted = "sometimes";
  EXPECT_EQ(RunReferenceLearn(learn, out, err), 2);
}

TEST(ReferenceLearn, ReferenceOfOneBankIsNoYardstickForAnother) {
  const Scratch scratch;
  ReferenceLearnOptions learn;
  learn.folder = BootPath("good");
  learn.out_file = scratch.At("sha256.json");
  learn.quote = "sha256";
  std::ostringstream out, err;
  ASSERT_EQ(RunReferenceLearn(learn, out, err), 0);
  EvidenceVerifyOptions options = OptionsFor(BootPath("good"));
  options.reference_file = learn.out_file;
  options.quote = "sha384";
  EXPECT_THAT(FailingCodes(Verify(options).json), Contains("REFERENCE_BANK_MISSING"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli
