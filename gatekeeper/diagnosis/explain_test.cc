#include "gatekeeper/diagnosis/explain.h"

#include "common/eventlog/event_type.h"
#include "common/eventlog/explain/log_editor_test.h"
#include "common/eventlog/log_builder.h"
#include "common/eventlog/replay.h"
#include "common/testing/corpus.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::diagnosis {
namespace {

using bootgate::testing::CorpusFile;
using bootgate::testing::LogEditor;
using crypto::HashAlg;
using eventlog::Log;
using registers::RegisterBank;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// The registers that a log leads to, as a TPM would quote them.
std::vector<RegisterBank> QuoteOf(const Log& log) {
  std::vector<RegisterBank> banks;
  for (const HashAlg alg : log.banks()) {
    RegisterBank bank = eventlog::ReplayBank(log, alg).bank;
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      if (!bank.Has(i)) bank.Set(i, eventlog::ValueAtStart(log, alg, i));
    }
    banks.push_back(bank);
  }
  return banks;
}

TEST(Explain, ATrueLogMatchesInEveryBank) {
  const Bytes bytes = CorpusFile("boots/good/eventlog.bin");
  const Log log = Log::Parse(bytes);
  const Diagnosis diagnosis = Explain(log, QuoteOf(log), nullptr);
  ASSERT_THAT(diagnosis.banks, SizeIs(3));
  EXPECT_TRUE(diagnosis.AllMatch());
  EXPECT_EQ(diagnosis.banks[0].matched, 0xffffffu);
}

TEST(Explain, ImasRegisterIsNeitherMatchedNorWrong) {
  const Bytes bytes = CorpusFile("boots/good/eventlog.bin");
  const Log log = Log::Parse(bytes);
  std::vector<RegisterBank> quote = QuoteOf(log);
  quote[1].Set(10, crypto::Hash(quote[1].alg(), AsBytes("IMA")));
  const Diagnosis diagnosis = Explain(log, quote, nullptr);
  EXPECT_TRUE(diagnosis.AllMatch());
  EXPECT_EQ(diagnosis.banks[1].matched, 0xffffffu & ~(1u << 10));
  EXPECT_EQ(diagnosis.banks[1].not_in_log, 1u << 10);
}

TEST(Explain, OneBankAloneThatDiffersIsSaidToBeWrong) {
  const Bytes bytes = CorpusFile("boots/good/eventlog.bin");
  const Log log = Log::Parse(bytes);
  std::vector<RegisterBank> quote = QuoteOf(log);
  quote[1].Set(4, crypto::Hash(quote[1].alg(), AsBytes("another")));
  const Diagnosis diagnosis = Explain(log, quote, nullptr);
  EXPECT_THAT(diagnosis.banks[0].unexplained, IsEmpty());
  ASSERT_THAT(diagnosis.banks[1].unexplained, SizeIs(1));
  EXPECT_THAT(diagnosis.banks[1].unexplained[0].why.text,
              HasSubstr("only digests of bank sha256 are wrong"));
}

TEST(Explain, ADroppedEventIsFoundInTheLogOfASimilarBoot) {
  const Bytes good = CorpusFile("boots/good/eventlog.bin");
  const Log similar = Log::Parse(good);
  const Bytes cut = LogEditor(good).Drop(33).Finish();  // shim
  const Log log = Log::Parse(cut);
  const std::vector<RegisterBank> quote = QuoteOf(similar);
  EXPECT_THAT(std::string(Name(Explain(log, quote, nullptr).banks[0].unexplained.at(0).why.cause)),
              "unknown");
  const Diagnosis diagnosis = Explain(log, quote, &similar);
  for (const BankDiagnosis& bank : diagnosis.banks) {
    ASSERT_THAT(bank.unexplained, SizeIs(1));
    EXPECT_EQ(bank.unexplained[0].register_index, 4u);
    EXPECT_EQ(Name(bank.unexplained[0].why.cause), "event_missing");
    EXPECT_THAT(bank.unexplained[0].why.text, HasSubstr("event 33 of the other log"));
    EXPECT_THAT(bank.unexplained[0].why.text, HasSubstr("shimx64.efi"));
  }
}

TEST(Explain, AForgedCommandLineIsToldWithTheTrueOneOfASimilarBoot) {
  const Bytes good = CorpusFile("boots/good/eventlog.bin");
  const Bytes bad = CorpusFile("boots/cmdline-changed/eventlog.bin");
  LogEditor forged(bad);
  forged.Replace(63, LogEditor(good).Record(63));
  const Bytes bytes = forged.Finish();
  const Log log = Log::Parse(bytes), truth = Log::Parse(bad);
  const Diagnosis diagnosis = Explain(log, QuoteOf(truth), &truth);
  ASSERT_THAT(diagnosis.banks[1].unexplained, SizeIs(1));
  const eventlog::Explanation& why = diagnosis.banks[1].unexplained[0].why;
  EXPECT_EQ(Name(why.cause), "event_replaced");
  EXPECT_THAT(why.events, ElementsAre(63));
  EXPECT_THAT(why.text, HasSubstr("init=/bin/bash nokaslr"));
}

}  // namespace
}  // namespace bootgate::gatekeeper::diagnosis
