// Files that somebody else had a hand on, and folders that take no more.
#include <linux/magic.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "agent/identity/installed_credential.h"
#include "agent/identity/join_state.h"
#include "agent/identity/own_file.h"
#include "agent/identity/plaintext.h"
#include "agent/identity/stored_credential.h"
#include "common/base/files.h"
#include "common/crypto/private_key.h"
#include "common/crypto/random.h"
#include "common/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::agent::identity {
namespace {

using ::bootgate::testing::HasCode;
using ::bootgate::testing::IsOk;
using ::bootgate::testing::Refuses;
using desk::ScratchFolder;

struct Poison {
  const char* name;
  // Does something to the file at `path`; `aside` is a path beside it.
  std::function<void(const std::string& path, const std::string& aside)> change;
};
void PrintTo(const Poison& row, std::ostream* os) { *os << row.name; }

std::string Whole(const std::string& path) { return ReadTextFile(path, 1 << 22).value(); }
void Put(const std::string& path, const std::string& text, mode_t mode = 0600) {
  ASSERT_THAT(WriteFileAtomically(path, AsBytes(text), mode), IsOk());
}

const Poison kPoisons[] = {
    {"Garbage", [](auto& path, auto&) { Put(path, "garbage"); }},
    {"Empty", [](auto& path, auto&) { Put(path, ""); }},
    {"Cut", [](auto& path, auto&) { Put(path, Whole(path).substr(0, Whole(path).size() / 2)); }},
    {"Oversize", [](auto& path, auto&) { Put(path, std::string(size_t{3} << 20, ' ')); }},
    {"Nested", [](auto& path, auto&) { Put(path, std::string(1 << 19, '[')); }},
    {"Zeros", [](auto& path, auto&) { Put(path, std::string(4096, '\0')); }},
    {"GroupWritable", [](auto& path, auto&) { ASSERT_EQ(chmod(path.c_str(), 0620), 0); }},
    {"WorldReadable", [](auto& path, auto&) { ASSERT_EQ(chmod(path.c_str(), 0604), 0); }},
    {"FolderOpenToOthers",
     [](auto& path, auto&) {
       ASSERT_EQ(chmod(std::filesystem::path(path).parent_path().c_str(), 0770), 0);
     }},
    {"Link",
     [](auto& path, auto& aside) {
       std::filesystem::rename(path, aside);
       std::filesystem::create_symlink(aside, path);
     }},
    {"Fifo",
     [](auto& path, auto&) {
       ASSERT_THAT(RemoveFile(path), IsOk());
       ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
     }},
    {"AnotherOwner",
     [](auto& path, auto&) {
       if (geteuid() != 0) GTEST_SKIP() << "needs to be root to give files away";
       ASSERT_EQ(chown(path.c_str(), 65534, 65534), 0);
     }},
};

class A64_Poisoned : public ::testing::TestWithParam<Poison> {
 protected:
  A64_Poisoned() { EXPECT_THAT(MakeFolder(folder(), 0700), IsOk()); }
  std::string folder() const { return scratch_.path() + "/state"; }
  void Change(const std::string& name) {
    GetParam().change(folder() + "/" + name, scratch_.path() + "/aside");
  }
  const ScratchFolder scratch_;
};

TEST_P(A64_Poisoned, JoinStateIsNotUsed) {
  ASSERT_THAT(SaveJoinState(folder(), {.gatekeeper = "g:1",
                                       .ca_pem = "-----BEGIN CERTIFICATE-----\n",
                                       .cluster_id = "c",
                                       .host_id = "h-1",
                                       .ek_name = Bytes(34, 1)}),
              IsOk());
  ASSERT_THAT(LoadJoinState(folder()), IsOk());
  Change("join.json");
  if (IsSkipped()) return;
  EXPECT_THAT(LoadJoinState(folder()), Refuses(Reason::kStateCorrupt));
}

TEST_P(A64_Poisoned, SealedCredentialIsNotUsedAndCanBeRemovedAndStoredAnew) {
  StoredCredential credential;
  credential.payload = Bytes(100, 1);
  credential.selection = registers::ParseSelection("sha256:7").value();
  credential.not_after = absl::FromUnixSeconds(1800000000);
  ASSERT_THAT(StoreCredential(folder(), credential), IsOk());
  Change("credential.json");
  if (IsSkipped()) return;
  EXPECT_THAT(LoadStoredCredential(folder()), Refuses(Reason::kStateCorrupt));
  ASSERT_THAT(RemoveStoredCredential(folder()), IsOk());
  ASSERT_EQ(chmod(folder().c_str(), 0700), 0);
  ASSERT_THAT(StoreCredential(folder(), credential), IsOk());
  EXPECT_THAT(LoadStoredCredential(folder()), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Files, A64_Poisoned, ::testing::ValuesIn(kPoisons),
                         [](const auto& row) { return std::string(row.param.name); });

evidence::SealedPayload Payload(size_t secret_bytes) {
  evidence::SealedPayload payload;
  payload.chain_pem = "chain";
  payload.private_key_pem = SecretBytes(AsBytes("key"));
  payload.secrets.emplace("disk.key", SecretBytes(Bytes(secret_bytes, 's')));
  return payload;
}

TEST(Installed, WhatIsNotOursIsNeitherUsedNorKept) {
  const ScratchFolder scratch;
  const std::string folder = scratch.path() + "/run";
  EXPECT_THAT(ReadInstalled(folder), HasCode(absl::StatusCode::kNotFound));
  EXPECT_EQ(InstalledUntil(folder), std::nullopt);
  ASSERT_THAT(InstallCredential(folder, Payload(4)), IsOk());
  EXPECT_THAT(ReadInstalled(folder), Refuses(Reason::kStateCorrupt));
  EXPECT_EQ(InstalledUntil(folder), absl::InfinitePast());
}

TEST(Installed, LinkInPlaceOfTheSecretsLeadsNowhere) {
  const ScratchFolder scratch;
  const std::string folder = scratch.path() + "/run", elsewhere = scratch.path() + "/elsewhere";
  for (const std::string& made : {folder, elsewhere}) ASSERT_THAT(MakeFolder(made, 0700), IsOk());
  Put(elsewhere + "/precious", "x");
  std::filesystem::create_symlink(elsewhere, folder + "/secrets");
  ASSERT_THAT(InstallCredential(folder, Payload(4)), IsOk());
  EXPECT_TRUE(FileExists(elsewhere + "/precious"));
  EXPECT_FALSE(FileExists(elsewhere + "/disk.key"));
  EXPECT_TRUE(FileExists(folder + "/secrets/disk.key"));
}

TEST(Installed, LeavesNothingOfAProcessThatWasKilledWhileWriting) {
  const ScratchFolder scratch;
  for (const char* name : {"/key.pem.new", "/cert.pem.new"}) Put(scratch.path() + name, "half");
  ASSERT_THAT(RemoveInstalledCredential(scratch.path()), IsOk());
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

// ---- Folders that take no more

// Files of this process may not grow past a size: writing fails as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit narrow = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &narrow);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_ = {};
};

size_t FilesIn(const std::string& folder) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    files += entry.is_regular_file() ? 1 : 0;
  return files;
}

TEST(FullDisk, NothingIsInstalledByHalves) {
  const ScratchFolder scratch;
  ASSERT_THAT(InstallCredential(scratch.path(), Payload(4)), IsOk());
  {
    const FullDisk full(1000);
    EXPECT_THAT(InstallCredential(scratch.path(), Payload(4000)),
                Refuses(Reason::kStateUnwritable));
  }
  EXPECT_EQ(FilesIn(scratch.path()), 0u);
  EXPECT_THAT(InstallCredential(scratch.path(), Payload(4000)), IsOk());
}

TEST(FullDisk, OldStateStaysWhole) {
  const ScratchFolder scratch;
  StoredCredential credential;
  credential.payload = Bytes(10, 1);
  credential.selection = registers::ParseSelection("sha256:7").value();
  ASSERT_THAT(StoreCredential(scratch.path(), credential), IsOk());
  credential.payload = Bytes(4000, 2);
  {
    const FullDisk full(1000);
    EXPECT_THAT(StoreCredential(scratch.path(), credential), Refuses(Reason::kStateUnwritable));
  }
  BG_ASSERT_OK_AND_ASSIGN(const StoredCredential back, LoadStoredCredential(scratch.path()));
  EXPECT_EQ(back.payload, Bytes(10, 1));
  EXPECT_EQ(FilesIn(scratch.path()), 1u);
}

TEST(ReadOnlyFolder, IsToldAndNothingIsLeft) {
  const ScratchFolder scratch;
  // A plain file in place of the folder: nobody, root neither, makes files in it.
  Put(scratch.path() + "/run", "");
  EXPECT_THAT(InstallCredential(scratch.path() + "/run", Payload(4)),
              Refuses(Reason::kStateUnwritable));
  EXPECT_EQ(FilesIn(scratch.path()), 1u);
}

TEST(Plaintext, GoesOnlyIntoMemory) {
  const ScratchFolder scratch;
  struct statfs here = {};
  ASSERT_EQ(statfs(scratch.path().c_str(), &here), 0);
  if (here.f_type != TMPFS_MAGIC) {
    const absl::Status refused = RequireMemory(scratch.path() + "/not/made/yet");
    EXPECT_THAT(refused, Refuses(Reason::kStateUnwritable));
    EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr("require_tmpfs"));
  }
  struct statfs shared = {};
  if (statfs("/dev/shm", &shared) != 0 || shared.f_type != TMPFS_MAGIC)
    GTEST_SKIP() << "no tmpfs at /dev/shm";
  EXPECT_THAT(RequireMemory("/dev/shm/bootgate-not-made-yet"), IsOk());
}

}  // namespace
}  // namespace bootgate::agent::identity
