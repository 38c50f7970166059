// Quotes of real captures, and what the wider corpus holds of other people's TPMs.
#include "common/tpm2/quote.h"

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "common/tpm2/key_profile.h"
#include "gtest/gtest.h"

namespace bootgate::tpm2 {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using crypto::HashAlg;
using nlohmann::json;

constexpr const char* kBoots[] = {"good", "secure-boot-off", "cmdline-changed", "ima-policy"};

struct QuoteRow {
  const char* file;
  const char* ak;
  const char* selection;
};
constexpr QuoteRow kQuotes[] = {
    {"quote-sha1", "ak.pub", "sha1:0-14"},
    {"quote-sha256", "ak.pub", "sha256:0-14"},
    {"quote-sha384", "ak.pub", "sha384:0-14"},
    {"quote-all", "ak.pub", "sha1:0-14+sha256:0-14+sha384:0-14"},
    {"quote-ecc", "ak-ecc.pub", "sha256:0-14"},
};

using BootQuote = std::tuple<const char*, QuoteRow>;

class BootQuoteTest : public ::testing::TestWithParam<BootQuote> {
 protected:
  Bytes File(const std::string& name) const {
    return testing::CorpusFile(std::string("boots/") + std::get<0>(GetParam()) + "/" + name);
  }
  const QuoteRow& row() const { return std::get<1>(GetParam()); }

  // The values that pcrs.json has for the registers of `selection`.
  std::vector<UntrustedPcr> Values(const registers::Selection& selection) const {
    const json pcrs = json::parse(AsText(File("pcrs.json")));
    std::vector<UntrustedPcr> out;
    for (const registers::BankSelection& bank : selection) {
      for (uint32_t i = 0; i < registers::kCount; ++i) {
        if ((bank.mask >> i & 1u) == 0) continue;
        const std::string value =
            pcrs.at(std::string(crypto::Name(bank.alg))).at(std::to_string(i));
        out.push_back({bank.alg, i, *FromHex(value)});
      }
    }
    return out;
  }
};

TEST_P(BootQuoteTest, IsVerified) {
  BG_ASSERT_OK_AND_ASSIGN(const Public ak, Public::FromTpm2b(File(row().ak)));
  EXPECT_THAT(CheckAk(ak), IsOk());
  const Bytes nonce = *FromHex(absl::StripAsciiWhitespace(AsText(File("nonce.hex"))));
  BG_ASSERT_OK_AND_ASSIGN(const QuoteInfo info, ParseQuote(File(std::string(row().file) + ".msg")));
  // The order of the banks is the capture tool's.
  const registers::Selection selection = info.selection;
  EXPECT_EQ(registers::Format(selection), row().selection);
  const RawQuote quote = {File(std::string(row().file) + ".msg"),
                          File(std::string(row().file) + ".sig"), Values(selection)};
  BG_ASSERT_OK_AND_ASSIGN(
      const QuotedPcrs quoted,
      QuotedPcrs::Verify({ak, info.header.qualified_signer, selection, nonce}, quote));
  EXPECT_EQ(quoted.selection(), selection);
  EXPECT_EQ(quoted.banks().size(), selection.size());
  for (const UntrustedPcr& pcr : quote.values) {
    EXPECT_TRUE(SameBytes(quoted.Bank(pcr.bank)->Get(pcr.index)->view(), pcr.value));
  }
  EXPECT_EQ(quoted.Bank(HashAlg::kSha512), nullptr);
}

TEST_P(BootQuoteTest, AnotherRegistersValueIsNoticed) {
  BG_ASSERT_OK_AND_ASSIGN(const Public ak, Public::FromTpm2b(File(row().ak)));
  const Bytes nonce = *FromHex(absl::StripAsciiWhitespace(AsText(File("nonce.hex"))));
  BG_ASSERT_OK_AND_ASSIGN(const QuoteInfo info, ParseQuote(File(std::string(row().file) + ".msg")));
  RawQuote quote = {File(std::string(row().file) + ".msg"), File(std::string(row().file) + ".sig"),
                    Values(info.selection)};
  std::swap(quote.values[0].value, quote.values[1].value);
  EXPECT_THAT(QuotedPcrs::Verify({ak, {}, info.selection, nonce}, quote),
              Refuses(Reason::kQuoteDigestMismatch));
}

INSTANTIATE_TEST_SUITE_P(Boots, BootQuoteTest,
                         ::testing::Combine(::testing::ValuesIn(kBoots),
                                            ::testing::ValuesIn(kQuotes)),
                         [](const auto& row) {
                           std::string name = std::string(std::get<0>(row.param)) + "_" +
                                              std::get<1>(row.param).file;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// The wider corpus: structures that other people's TPMs made, with what they say.
class WiderCorpusTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::optional<std::string> folder = testing::WiderCorpus();
    if (!folder.has_value()) {
      std::cerr << "SKIPPED: the wider corpus is not here (BOOTGATE_CORPUS)\n";
      GTEST_SKIP();
    }
    folder_ = *folder;
    const json manifest = json::parse(AsText(File("MANIFEST.json")));
    for (const json& row : manifest.at("files")) {
      if (row.at("path").get<std::string>().find("tpm/") == 0) rows_.push_back(row);
    }
  }

  Bytes File(const std::string& path) const {
    return ReadFile(folder_ + "/" + path, size_t{64} << 20).value();
  }
  std::vector<json> OfKind(const std::string& start) const {
    std::vector<json> out;
    for (const json& row : rows_) {
      if (row.at("kind").get<std::string>().find(start) == 0) out.push_back(row);
    }
    return out;
  }
  std::string PathOf(const json& row) const { return row.at("path"); }

  std::string folder_;
  std::vector<json> rows_;
};

void ExpectHeader(const AttestHeader& header, const json& expected) {
  EXPECT_EQ(ToHex(header.qualified_signer), expected.at("qualified_signer").get<std::string>());
  EXPECT_EQ(ToHex(header.extra_data), expected.at("extra_data").get<std::string>());
  EXPECT_EQ(header.clock.clock_ms, expected.at("clock"));
  EXPECT_EQ(header.clock.reset_count, expected.at("reset_count"));
  EXPECT_EQ(header.clock.restart_count, expected.at("restart_count"));
  EXPECT_EQ(header.clock.safe, expected.at("safe") == 1);
}

TEST_F(WiderCorpusTest, EveryQuoteReadsAsListed) {
  const std::vector<json> rows = OfKind("TPMS_ATTEST quote");
  EXPECT_GE(rows.size(), 9u);
  for (const json& row : rows) {
    SCOPED_TRACE(PathOf(row));
    const json& expected = row.at("expected").at("attest");
    BG_ASSERT_OK_AND_ASSIGN(const QuoteInfo info, ParseQuote(File(PathOf(row))));
    ExpectHeader(info.header, expected);
    EXPECT_EQ(ToHex(info.pcr_digest), expected.at("pcr_digest").get<std::string>());
    const std::string selection = expected.at("selection").at(0);
    EXPECT_EQ(registers::Format(info.selection),
              registers::Format(*registers::ParseSelection(selection)));
    EXPECT_THAT(ParseCertify(File(PathOf(row))), Refuses(Reason::kCertifyType));
  }
}

TEST_F(WiderCorpusTest, EveryCertificationReadsAsListed) {
  const std::vector<json> rows = OfKind("TPMS_ATTEST certify");
  EXPECT_GE(rows.size(), 6u);
  for (const json& row : rows) {
    SCOPED_TRACE(PathOf(row));
    BG_ASSERT_OK_AND_ASSIGN(const CertifyInfo info, ParseCertify(File(PathOf(row))));
    ExpectHeader(info.header, row.at("expected").at("attest"));
    std::string area = PathOf(row);
    area.replace(area.rfind("certinfo"), 8, "pubarea");
    BG_ASSERT_OK_AND_ASSIGN(const Public key, Public::FromTpmt(File(area)));
    EXPECT_EQ(key.Name(), info.name);
    EXPECT_THAT(ParseQuote(File(PathOf(row))), Refuses(Reason::kQuoteType));
  }
}

TEST_F(WiderCorpusTest, EveryCreationIsNeitherQuoteNorCertification) {
  for (const json& row : OfKind("TPMS_ATTEST creation")) {
    EXPECT_THAT(ParseQuote(File(PathOf(row))), Refuses(Reason::kQuoteType));
    EXPECT_THAT(ParseCertify(File(PathOf(row))), Refuses(Reason::kCertifyType));
  }
}

TEST_F(WiderCorpusTest, EveryPublicAreaReads) {
  size_t read = 0;
  for (const json& row : OfKind("TPMT_PUBLIC")) {
    SCOPED_TRACE(PathOf(row));
    EXPECT_THAT(Public::FromTpmt(File(PathOf(row))), IsOk());
    ++read;
  }
  for (const json& row : OfKind("TPM2B_PUBLIC")) {
    SCOPED_TRACE(PathOf(row));
    const Bytes file = File(PathOf(row));
    BG_ASSERT_OK_AND_ASSIGN(const Public area, Public::FromTpm2b(file));
    EXPECT_EQ(area.Tpm2b(), file);
    ++read;
  }
  EXPECT_GE(read, 12u);
}

TEST_F(WiderCorpusTest, EverySignatureReads) {
  const std::vector<json> rows = OfKind("TPMT_SIGNATURE");
  EXPECT_GE(rows.size(), 10u);
  for (const json& row : rows)
    EXPECT_THAT(ParseSignature(File(PathOf(row))), IsOk()) << PathOf(row);
}

struct SignedRow {
  const char *ak, *attest, *signature;
  bool sized;  // the area is a TPM2B_PUBLIC
};

TEST_F(WiderCorpusTest, SignaturesOfCoherentSetsHold) {
  const SignedRow rows[] = {
      {"tpm/keylime_keylime/keylime-ak.pub", "tpm/keylime_keylime/keylime-quote.out",
       "tpm/keylime_keylime/keylime-quotesig.out", true},
      {"tpm/osresearch_safeboot/t490-ak.pub", "tpm/osresearch_safeboot/t490-quote.out",
       "tpm/osresearch_safeboot/t490-quote.sig", false},
  };
  for (const SignedRow& row : rows) {
    SCOPED_TRACE(row.ak);
    const Bytes area = File(row.ak);
    BG_ASSERT_OK_AND_ASSIGN(const Public ak,
                            row.sized ? Public::FromTpm2b(area) : Public::FromTpmt(area));
    BG_ASSERT_OK_AND_ASSIGN(const Signature signature, ParseSignature(File(row.signature)));
    Bytes attest = File(row.attest);
    EXPECT_THAT(VerifySignature(ak, attest, signature), IsOk());
    attest.back() ^= 1;
    EXPECT_THAT(VerifySignature(ak, attest, signature), Refuses(Reason::kSigInvalid));
  }
}

}  // namespace
}  // namespace bootgate::tpm2
