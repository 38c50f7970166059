#include "gatekeeper/service/agents_codec.h"

#include <string>

#include "bootgate/v1/agents.pb.h"
#include "common/bytes/writer.h"
#include "common/ima/mixed_list.h"
#include "common/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::service {
namespace {

using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;

v1::Chunk ChunkOf(v1::Chunk::Kind kind, size_t size) {
  v1::Chunk chunk;
  chunk.set_kind(kind);
  chunk.set_data(std::string(size, 'x'));
  return chunk;
}

class EvidenceAssemblerTest : public ::testing::Test {
 protected:
  ByteBudget budget_{1000};
  EvidenceAssembler assembler_{{.boot_log = 100, .user_log = 50, .ima = 200}, budget_};
};

TEST_F(EvidenceAssemblerTest, JoinsChunksOfAKind) {
  ASSERT_THAT(assembler_.Add(v1::EvidenceHeader()), IsOk());
  ASSERT_THAT(assembler_.Add(ChunkOf(v1::Chunk::BOOT_LOG, 60)), IsOk());
  ASSERT_THAT(assembler_.Add(ChunkOf(v1::Chunk::IMA_AFTER_QUOTE, 5)), IsOk());
  ASSERT_THAT(assembler_.Add(ChunkOf(v1::Chunk::USER_LOG, 20)), IsOk());
  ASSERT_THAT(assembler_.Add(ChunkOf(v1::Chunk::BOOT_LOG, 40)), IsOk());
  ASSERT_THAT(assembler_.Add(ChunkOf(v1::Chunk::USER_LOG, 30)), IsOk());
  EXPECT_EQ(assembler_.evidence().boot_log.size(), 100u);
  EXPECT_EQ(assembler_.evidence().user_log.size(), 50u);
  EXPECT_EQ(assembler_.evidence().ima.after_quote.size(), 5u);
}

TEST_F(EvidenceAssemblerTest, BoundsHoldForTheWholeNotForTheChunk) {
  ASSERT_THAT(assembler_.Add(v1::EvidenceHeader()), IsOk());
  ASSERT_THAT(assembler_.Add(ChunkOf(v1::Chunk::BOOT_LOG, 100)), IsOk());
  EXPECT_THAT(assembler_.Add(ChunkOf(v1::Chunk::BOOT_LOG, 1)), Refuses(Reason::kMessageTooLarge));
  EXPECT_THAT(assembler_.Add(ChunkOf(v1::Chunk::USER_LOG, 51)), Refuses(Reason::kMessageTooLarge));
  ASSERT_THAT(assembler_.Add(ChunkOf(v1::Chunk::IMA_BEFORE_QUOTE, 150)), IsOk());
  EXPECT_THAT(assembler_.Add(ChunkOf(v1::Chunk::IMA_AFTER_QUOTE, 51)),
              Refuses(Reason::kMessageTooLarge));
}

TEST_F(EvidenceAssemblerTest, OrderAndKindsAreChecked) {
  EXPECT_THAT(assembler_.Add(ChunkOf(v1::Chunk::BOOT_LOG, 1)), Refuses(Reason::kMessageMalformed));
  ASSERT_THAT(assembler_.Add(v1::EvidenceHeader()), IsOk());
  EXPECT_THAT(assembler_.Add(v1::EvidenceHeader()), Refuses(Reason::kMessageMalformed));
  EXPECT_THAT(assembler_.Add(ChunkOf(v1::Chunk::KIND_UNSPECIFIED, 1)),
              Refuses(Reason::kMessageMalformed));
  EXPECT_THAT(assembler_.Add(ChunkOf(static_cast<v1::Chunk::Kind>(77), 1)),
              Refuses(Reason::kMessageMalformed));
}

TEST_F(EvidenceAssemblerTest, MemoryIsSharedAndGivenBack) {
  ByteBudget small(50);
  {
    EvidenceAssembler first({.boot_log = 100}, small), second({.boot_log = 100}, small);
    ASSERT_THAT(first.Add(v1::EvidenceHeader()), IsOk());
    ASSERT_THAT(second.Add(v1::EvidenceHeader()), IsOk());
    ASSERT_THAT(first.Add(ChunkOf(v1::Chunk::BOOT_LOG, 40)), IsOk());
    EXPECT_THAT(second.Add(ChunkOf(v1::Chunk::BOOT_LOG, 20)), Refuses(Reason::kTooManyRequests));
  }
  EvidenceAssembler third({.boot_log = 100}, small);
  ASSERT_THAT(third.Add(v1::EvidenceHeader()), IsOk());
  EXPECT_THAT(third.Add(ChunkOf(v1::Chunk::BOOT_LOG, 50)), IsOk());
}

// A list cut short must look neither like a lagging nor like an altered one.
TEST_F(EvidenceAssemblerTest, WhatBrokeOffIsNotEvidence) {
  EXPECT_THAT(assembler_.CheckWhole(), Refuses(Reason::kMessageMalformed));
  v1::EvidenceHeader header;
  header.set_evidence_bytes(30);
  ASSERT_THAT(assembler_.Add(header), IsOk());
  ASSERT_THAT(assembler_.Add(ChunkOf(v1::Chunk::BOOT_LOG, 10)), IsOk());
  EXPECT_THAT(assembler_.CheckWhole(), Refuses(Reason::kMessageMalformed));
  ASSERT_THAT(assembler_.Add(ChunkOf(v1::Chunk::IMA_AFTER_QUOTE, 20)), IsOk());
  EXPECT_THAT(assembler_.CheckWhole(), IsOk());
  ASSERT_THAT(assembler_.Add(ChunkOf(v1::Chunk::IMA_AFTER_QUOTE, 1)), IsOk());
  EXPECT_THAT(assembler_.CheckWhole(), Refuses(Reason::kMessageMalformed));
}

TEST_F(EvidenceAssemblerTest, MoreThanFitsIsRefusedWhenItIsAnnounced) {
  v1::EvidenceHeader header;
  header.set_evidence_bytes(351);
  EXPECT_THAT(assembler_.Add(header), Refuses(Reason::kMessageTooLarge));
}

v1::EvidenceHeader HeaderThatSaysAll() {
  v1::EvidenceHeader header;
  header.mutable_identity_key()->set_public_area("identity");
  header.add_other_keys()->set_public_area("one");
  v1::CertifiedKey* const two = header.add_other_keys();
  two->set_public_area("two");
  two->set_certify_attest("attest");
  two->set_certify_signature("signature");
  header.set_request_key("{}");
  v1::CustomClaim* const claim = header.add_custom_claims();
  claim->set_name("zone");
  claim->set_value("7");
  claim->set_value_type("Integer");
  header.set_rp_data("data");
  header.set_want_token(true);
  return header;
}

TEST_F(EvidenceAssemblerTest, TakesKeysAndWhatTheHostSays) {
  ASSERT_THAT(assembler_.Add(HeaderThatSaysAll()), IsOk());
  const evidence::Evidence& evidence = assembler_.evidence();
  ASSERT_EQ(evidence.identity_keys.size(), 1u);
  ASSERT_EQ(evidence.other_keys.size(), 2u);
  EXPECT_EQ(evidence.other_keys[0].public_area, ToBytes(AsBytes("one")));
  EXPECT_EQ(evidence.other_keys[1].certify_attest, ToBytes(AsBytes("attest")));
  EXPECT_EQ(evidence.other_keys[1].certify_signature, ToBytes(AsBytes("signature")));
  EXPECT_EQ(evidence.statement.request_key, "{}");
  EXPECT_EQ(evidence.statement.rp_data, ToBytes(AsBytes("data")));
  ASSERT_EQ(evidence.statement.custom_claims.size(), 1u);
  EXPECT_EQ(evidence.statement.custom_claims[0].name, "zone");
  EXPECT_EQ(evidence.statement.custom_claims[0].value, "7");
  EXPECT_EQ(evidence.statement.custom_claims[0].value_type, "Integer");
  EXPECT_TRUE(evidence.want_token);
}

struct TooMuch {
  const char* name;
  void (*change)(v1::EvidenceHeader&);
};
void PrintTo(const TooMuch& row, std::ostream* os) { *os << row.name; }

class TooMuchTest : public EvidenceAssemblerTest, public ::testing::WithParamInterface<TooMuch> {};

TEST_P(TooMuchTest, IsRefused) {
  v1::EvidenceHeader header = HeaderThatSaysAll();
  GetParam().change(header);
  EXPECT_THAT(assembler_.Add(header), Refuses(Reason::kMessageTooLarge));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, TooMuchTest,
    ::testing::ValuesIn(std::vector<TooMuch>{
        {"ThreeOtherKeys", [](v1::EvidenceHeader& h) { h.add_other_keys(); }},
        {"OtherKey",
         [](v1::EvidenceHeader& h) {
           h.mutable_other_keys(1)->set_public_area(std::string(evidence::kMaxSmallPart + 1, 'k'));
         }},
        {"RequestKey",
         [](v1::EvidenceHeader& h) {
           h.set_request_key(std::string(evidence::kMaxRequestKey + 1, ' '));
         }},
        {"RpData",
         [](v1::EvidenceHeader& h) { h.set_rp_data(std::string(evidence::kMaxRpData + 1, 'r')); }},
        {"CustomClaims",
         [](v1::EvidenceHeader& h) {
           for (size_t i = 0; i < evidence::kMaxCustomClaims; ++i) h.add_custom_claims();
         }},
        {"CustomName",
         [](v1::EvidenceHeader& h) {
           h.mutable_custom_claims(0)->set_name(std::string(evidence::kMaxCustomName + 1, 'n'));
         }},
        {"CustomValue",
         [](v1::EvidenceHeader& h) {
           h.mutable_custom_claims(0)->set_value(std::string(evidence::kMaxCustomValue + 1, 'v'));
         }},
        {"CustomType",
         [](v1::EvidenceHeader& h) {
           h.mutable_custom_claims(0)->set_value_type(std::string(600, 't'));
         }},
    }),
    [](const auto& row) { return std::string(row.param.name); });

class MixedListTest : public EvidenceAssemblerTest {
 protected:
  void SetUp() override {
    ASSERT_THAT(assembler_.Add(v1::EvidenceHeader()), IsOk());
    book_.Learn(record_, 1);
    ASSERT_EQ(book_.size(), 1u);
  }

  absl::Status Rebuilt(ByteView mixed) {
    v1::Chunk chunk;
    chunk.set_kind(v1::Chunk::IMA_BEFORE_QUOTE_MIXED);
    for (const uint8_t byte : mixed) {  // items need not begin with a chunk
      chunk.set_data(std::string(1, static_cast<char>(byte)));
      if (const absl::Status added = assembler_.Add(chunk); !added.ok()) return added;
    }
    return assembler_.Rebuild(book_);
  }

  Bytes Named() const {
    Bytes mixed;
    ima::AppendNamed(ima::RecordName(record_).view(), &mixed);
    return mixed;
  }

  // Register 10, template "ima": 20 bytes of file digest, a name's length and the name.
  static Bytes SomeRecord() {
    bytes::Writer out;
    out.U32Le(10).Raw(Bytes(20, 7)).U32Le(3).Raw(AsBytes("ima"));
    out.Raw(Bytes(20, 8)).U32Le(4).Raw(AsBytes("/bin"));
    return out.Finish();
  }

  const Bytes record_ = SomeRecord();
  session::EntryBook book_{size_t{1} << 20};
};

TEST_F(MixedListTest, NamesBecomeRecords) {
  Bytes mixed = Named();
  ima::AppendRecord(Bytes(5, 1), &mixed);
  ASSERT_THAT(Rebuilt(mixed), IsOk());
  Bytes expected = record_;
  expected.insert(expected.end(), 5, 1);
  EXPECT_EQ(assembler_.evidence().ima.before_quote, expected);
  EXPECT_EQ(assembler_.known_templates().size(), 1u);  // of the one that came by name
}

TEST_F(MixedListTest, RecordsInFullBringNoDigest) {
  Bytes mixed;
  ima::AppendRecord(record_, &mixed);
  ASSERT_THAT(Rebuilt(mixed), IsOk());
  EXPECT_EQ(assembler_.evidence().ima.before_quote, record_);
  EXPECT_EQ(assembler_.known_templates().size(), 0u);
}

TEST_F(MixedListTest, UnknownNameAsksForEverything) {
  Bytes mixed = Named();
  mixed.back() ^= 1;
  EXPECT_THAT(Rebuilt(mixed), Refuses(Reason::kRetryResync));
}

TEST_F(MixedListTest, RebuiltListIsBoundedToo) {
  Bytes mixed;
  for (int i = 0; i < 5; ++i) ima::AppendNamed(ima::RecordName(record_).view(), &mixed);
  ASSERT_LT(mixed.size(), 200u);
  ASSERT_GT(5 * record_.size(), 200u);
  EXPECT_THAT(Rebuilt(mixed), Refuses(Reason::kMessageTooLarge));
}

TEST_F(MixedListTest, CutItemAndTwoFormsAreMalformed) {
  Bytes mixed = Named();
  mixed.pop_back();
  EXPECT_THAT(Rebuilt(mixed), Refuses(Reason::kMessageMalformed));
  ASSERT_THAT(assembler_.Add(ChunkOf(v1::Chunk::IMA_BEFORE_QUOTE, 1)), IsOk());
  EXPECT_THAT(assembler_.Rebuild(book_), Refuses(Reason::kMessageMalformed));
}

TEST(NamesIn, AreWholeAndNotTooMany) {
  v1::KnownEntriesRequest request;
  EXPECT_THAT(NamesIn(request), IsOk());
  request.set_names(std::string(33, 'x'));
  EXPECT_THAT(NamesIn(request), Refuses(Reason::kMessageMalformed));
  request.set_names(std::string(32 * kMaxNames, 'x'));
  EXPECT_THAT(NamesIn(request), IsOk());
  request.set_names(std::string(32 * (kMaxNames + 1), 'x'));
  EXPECT_THAT(NamesIn(request), Refuses(Reason::kMessageTooLarge));
}

TEST(EncodeDecision, AnswerToTheWorstBootFitsTheAgentsBound) {
  Verdict verdict(OutcomeClass::kDeny);
  Finding finding;
  finding.code = Reason::kImaDigest;
  finding.text = std::string(500, 'x');
  verdict.findings.assign(20000, finding);
  v1::SubmitResponse message;
  Encode(admission::Decision(std::move(verdict)), &message);
  EXPECT_EQ(static_cast<size_t>(message.findings_size()), kMaxDisclosed + 1);
  EXPECT_EQ(message.findings(message.findings_size() - 1).text(), "and 19900 more findings");
  EXPECT_LT(message.ByteSizeLong(), size_t{1} << 19);
}

TEST_F(EvidenceAssemblerTest, HeaderPartsAreBounded) {
  v1::EvidenceHeader header;
  header.mutable_quote()->set_attest(std::string(evidence::kMaxSmallPart + 1, 'x'));
  EXPECT_THAT(assembler_.Add(header), Refuses(Reason::kMessageTooLarge));
}

TEST(DecodeQuote, UnknownBankAndTooManyValues) {
  ByteBudget budget(1000);
  v1::EvidenceHeader header;
  header.mutable_quote()->add_values()->set_bank(0x1000b);
  EXPECT_THAT(EvidenceAssembler({.boot_log = 1}, budget).Add(header),
              Refuses(Reason::kMessageMalformed));
  v1::EvidenceHeader many;
  for (size_t i = 0; i <= evidence::kMaxPcrValues; ++i)
    many.mutable_quote()->add_values()->set_bank(0xb);
  EXPECT_THAT(EvidenceAssembler({.boot_log = 1}, budget).Add(many),
              Refuses(Reason::kMessageTooLarge));
}

TEST(DecodeBegin, PartsAreBounded) {
  v1::BeginEnrollmentRequest request;
  for (int i = 0; i < 9; ++i) request.add_ek_intermediates("x");
  EXPECT_THAT(Decode(request), Refuses(Reason::kMessageTooLarge));
  v1::BeginEnrollmentRequest large;
  large.set_ek_certificate(std::string(20000, 'x'));
  EXPECT_THAT(Decode(large), Refuses(Reason::kMessageTooLarge));
}

}  // namespace
}  // namespace bootgate::gatekeeper::service
