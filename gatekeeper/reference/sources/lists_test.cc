// Lists of digests: those of sha256sum, and those that IMA made on a good host.
#include "common/base/hex.h"
#include "common/ima/list_builder.h"
#include "common/testing/corpus.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/sources/good_list.h"
#include "gatekeeper/reference/sources/sums.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

using testing::HasCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::ListBuilder;

const std::string kSha256(64, 'a'), kSha1(40, 'b');

TEST(AddSums, ReadsLinesAsCoreutilsWriteThem) {
  SetDraft draft;
  ASSERT_THAT(AddSums(absl::StrCat("# a comment\n", kSha256, "  /a b\n\n", kSha256, " */c\r\n",
                                   kSha1, "  /d\n\\", kSha256, "  /e\\nf\\\\g\n"),
                      &draft),
              IsOk());
  ASSERT_EQ(draft.items.size(), 4u);
  EXPECT_EQ(draft.items[0].path, "/a b");
  EXPECT_EQ(draft.items[0].alg, DigestAlg::kSha256);
  EXPECT_EQ(draft.items[1].path, "/c");
  EXPECT_EQ(draft.items[2].alg, DigestAlg::kSha1);
  EXPECT_EQ(draft.items[3].path, "/e\nf\\g");
}

TEST(AddSums, ReadsKeylimesFlatList) {
  SetDraft draft;
  ASSERT_THAT(AddSums(testing::CorpusText("keylime/allowlist.txt"), &draft), IsOk());
  ASSERT_EQ(draft.items.size(), 21u);
  EXPECT_EQ(draft.items.front().alg, DigestAlg::kSha1);
  EXPECT_EQ(draft.items.back().kind, DigestKind::kKeyring);
  EXPECT_EQ(draft.items.back().path, ".ima");
  for (const SetItem& item : draft.items) EXPECT_NE(item.path, "boot_aggregate");
}

TEST(AddSums, RefusesLinesThatAreNoneByNumber) {
  for (const std::string& bad :
       {std::string("hello"), kSha256, kSha256 + "  ", kSha256 + " relative-one-space",
        std::string(64, 'g') + "  /a", std::string(62, 'a') + "  /a", "md5000:" + kSha256 + "  /a",
        "\\" + kSha256 + "  /a\\x", kSha256 + "  /" + std::string(4096, 'a')}) {
    SetDraft draft;
    const absl::Status added = AddSums(kSha256 + "  /good\n" + bad, &draft);
    EXPECT_THAT(added, HasCode(absl::StatusCode::kInvalidArgument)) << bad;
    EXPECT_THAT(std::string(added.message()), HasSubstr("line 2")) << bad;
  }
}

TEST(AddGoodList, TakesFilesAndKernelRecords) {
  bytes::Writer record;
  testing::AddField(record, testing::DigestField(crypto::HashAlg::kSha256, "options"));
  testing::AddField(record, testing::PathField("kexec-cmdline"));
  testing::AddField(record, AsBytes("options"));
  const Bytes list = ListBuilder()
                         .Ng("boot_aggregate", "0")
                         .Ng("/usr/bin/a", "1")
                         .Ng("/usr/bin/other-register", "2", 11)
                         .Violation("/usr/bin/violated")
                         .Entry("ima-buf", record.view())
                         .Finish();
  SetDraft draft;
  GoodListCounts counts;
  ASSERT_THAT(AddGoodList(list, &draft, &counts), IsOk());
  ASSERT_EQ(draft.items.size(), 2u);
  EXPECT_EQ(draft.items[0].path, "/usr/bin/a");
  EXPECT_EQ(draft.items[0].kind, DigestKind::kFile);
  EXPECT_EQ(ToHex(draft.items[0].digest),
            crypto::Hash(crypto::HashAlg::kSha256, AsBytes("1")).hex());
  EXPECT_EQ(draft.items[1].path, "kexec-cmdline");
  EXPECT_EQ(draft.items[1].kind, DigestKind::kBuffer);
  EXPECT_EQ(counts.taken, 2u);
  EXPECT_EQ(counts.violations, 1u);
}

TEST(AddGoodList, TakesTheListOfARealHost) {
  SetDraft draft;
  GoodListCounts counts;
  ASSERT_THAT(AddGoodList(testing::CorpusFile("ima/ima-sig.bin"), &draft, &counts), IsOk());
  EXPECT_EQ(counts.taken, 361u);  // all but boot_aggregate
  EXPECT_EQ(counts.violations, 0u);
}

TEST(AddGoodList, ACutListIsRefusedWithThePlace) {
  Bytes list = ListBuilder().Ng("/usr/bin/a", "1").Finish();
  list.pop_back();
  SetDraft draft;
  GoodListCounts counts;
  EXPECT_THAT(AddGoodList(list, &draft, &counts), HasCode(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace bootgate::gatekeeper::reference
