#include "common/evidence/evidence.h"

#include <functional>
#include <set>

#include "common/base/hex.h"
#include "gmock/gmock.h"

namespace bootgate::evidence {
namespace {

const Bytes kNonce(32, 0x11), kName(34, 0x22), kLog(100, 0x33), kUser(70, 0x55), kIma(50, 0x44);

QuoteBinding Sample() {
  return {.nonce = kNonce,
          .host_id = "h-00112233445566778899aabbccddeeff",
          .ak_name = kName,
          .cluster_id = "blue",
          .boot_log = kLog,
          .user_log = kUser,
          .ima_first_entry = 7,
          .ima_count = 3,
          .ima_before_quote = kIma};
}

TEST(QualifyingData, IsTheDocumentedHash) {
  // Computed by another program from the form in the architecture page, section 3.
  EXPECT_EQ(ToHex(QualifyingData(Sample())),
            "15ad97739675a6ce534db7a5e240aa901251123ab8c2948ec239013602971c22");
}

TEST(QualifyingData, DependsOnEveryField) {
  const Bytes other(32, 0x99);
  const std::vector<std::function<void(QuoteBinding&)>> changes = {
      [](QuoteBinding&) {},
      [&](QuoteBinding& b) { b.nonce = other; },
      [](QuoteBinding& b) { b.host_id = "h-other"; },
      [&](QuoteBinding& b) { b.ak_name = other; },
      [](QuoteBinding& b) { b.cluster_id = "green"; },
      [&](QuoteBinding& b) { b.boot_log = other; },
      [](QuoteBinding& b) { b.boot_log = {}; },
      [&](QuoteBinding& b) { b.user_log = other; },
      [](QuoteBinding& b) { b.user_log = {}; },
      [](QuoteBinding& b) { std::swap(b.boot_log, b.user_log); },
      [](QuoteBinding& b) { b.ima_first_entry = 8; },
      [](QuoteBinding& b) { b.ima_count = 4; },
      [&](QuoteBinding& b) { b.ima_before_quote = other; }};
  std::set<Bytes> seen;
  for (const auto& change : changes) {
    QuoteBinding binding = Sample();
    change(binding);
    seen.insert(QualifyingData(binding));
  }
  EXPECT_EQ(seen.size(), changes.size());
}

TEST(QualifyingData, AnEmptyStatementChangesNothing) {
  QuoteBinding binding = Sample();
  const Bytes without = QualifyingData(binding);
  const Statement nothing;
  binding.statement = &nothing;
  EXPECT_EQ(QualifyingData(binding), without);
}

// Computed by another program from the form in evidence.h.
TEST(QualifyingData, WithAStatementIsTheDocumentedHash) {
  const Statement statement{
      .request_key = "{\"kty\":\"EC\"}",
      .rp_data = Bytes(3, 0x77),
      .custom_claims = {{"zone", "blue", "String"}, {"rack", "7", "Integer"}}};
  QuoteBinding binding = Sample();
  binding.statement = &statement;
  EXPECT_EQ(ToHex(QualifyingData(binding)),
            "feadcb3012a1dbfe6c13b71496e3c27f79f88b1519a91b7fd9cb445532a17b6c");
}

// Computed by another program from the form in evidence.h.
TEST(QualifyingData, WithAKernelBootIdIsTheDocumentedHash) {
  Statement statement{.kernel_boot_id = "4b1f5a0e-9c7d-4e21-a6f0-d1c2b3a49586"};
  QuoteBinding binding = Sample();
  binding.statement = &statement;
  EXPECT_EQ(ToHex(QualifyingData(binding)),
            "a81cebfc93fb8d0b2853fc561242fe7ae9ebcbb4cdcde54af70763c1add9f040");
  statement.rp_data = Bytes(3, 0x77);
  EXPECT_EQ(ToHex(QualifyingData(binding)),
            "1bb1767f9ae3e7f84d0e61cfc0e437e01fc1607e5b638a9813a57df7cd353ff1");
}

TEST(QualifyingData, DependsOnEveryPartOfTheStatement) {
  const std::vector<Statement> statements = {
      {},
      {.request_key = "k"},
      {.request_key = "l"},
      {.rp_data = ToBytes(AsBytes("k"))},
      {.request_key = "k", .rp_data = ToBytes(AsBytes("k"))},
      {.custom_claims = {{"a", "b", "c"}}},
      {.custom_claims = {{"ab", "", "c"}}},
      {.custom_claims = {{"a", "bc", ""}}},
      {.custom_claims = {{"a", "b", "c"}, {"a", "b", "c"}}},
      {.custom_claims = {{"", "", ""}}},
      {.kernel_boot_id = "k"},
      {.kernel_boot_id = "l"},
      {.request_key = "k", .kernel_boot_id = "k"},
  };
  std::set<Bytes> seen;
  for (const Statement& statement : statements) {
    QuoteBinding binding = Sample();
    binding.statement = &statement;
    seen.insert(QualifyingData(binding));
  }
  EXPECT_EQ(seen.size(), statements.size());
}

TEST(QualifyingData, BytesCannotMoveBetweenNeighbouringFields) {
  QuoteBinding one = Sample(), two = Sample();
  const Bytes name_and_first = [] {
    Bytes bytes = kName;
    bytes.push_back('b');
    return bytes;
  }();
  two.ak_name = name_and_first;
  two.cluster_id = "lue";
  EXPECT_NE(QualifyingData(one), QualifyingData(two));
}

}  // namespace
}  // namespace bootgate::evidence
