#include "gatekeeper/admission/set_shelf.h"

#include <filesystem>

#include "common/base/files.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::admission {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SetPtr SetWith(absl::string_view path) {
  reference::SetDraft draft;
  draft.items = {::bootgate::testing::Item(path, "content")};
  return ::bootgate::testing::Opened(draft).value();
}

class SetShelfTest : public ::testing::Test {
 protected:
  SetShelfTest() : folder_(::testing::TempDir() + "set-shelf-" + std::to_string(getpid())) {
    std::filesystem::remove_all(folder_);
  }
  ~SetShelfTest() override { std::filesystem::remove_all(folder_); }
  const std::string folder_;
};

TEST_F(SetShelfTest, StoredSetsAreFoundWithoutARestartAndSharedByAll) {
  SetShelf shelf(folder_);
  const SetPtr a = SetWith("/a"), b = SetWith("/b");
  EXPECT_THAT(shelf.Find({a->id(), b->id()}), IsEmpty());
  BG_ASSERT_OK_AND_ASSIGN(const std::string file, StoreSet(folder_, *a));
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const std::vector<SetPtr> found = shelf.Find({b->id(), a->id()});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]->id(), a->id());
  EXPECT_THAT(shelf.Find({a->id()}), ElementsAre(found[0]));
}

TEST_F(SetShelfTest, AFileWithAnotherContentIsNotTheSet) {
  const SetPtr a = SetWith("/a"), b = SetWith("/b");
  BG_ASSERT_OK_AND_ASSIGN(const std::string file, StoreSet(folder_, *a));
  ASSERT_TRUE(WriteFileAtomically(file, b->file(), 0600).ok());
  EXPECT_THAT(SetShelf(folder_).Find({a->id()}), IsEmpty());
  ASSERT_TRUE(WriteFileAtomically(file, AsBytes("nothing"), 0600).ok());
  EXPECT_THAT(SetShelf(folder_).Find({a->id()}), IsEmpty());
}

}  // namespace
}  // namespace bootgate::gatekeeper::admission
