// Packages as rpmbuild makes them, not as we think that it does: what we read of one is what rpm
// itself says of it.
#include <unistd.h>  // getpid

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/reference/sources/rpm.h"
#include "gmock/gmock.h"

namespace bootgate::gatekeeper::reference {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::UnorderedElementsAreArray;

// Programs, a link, configuration, a ghost, one content under three names, empty ones, a large one,
// a name that is not ASCII.
constexpr char kSpec[] = R"(
Name: tried
Epoch: 4
Version: 1.2
Release: 3
Summary: every sort of file that a package has
License: MIT
BuildArch: noarch
%global debug_package %{nil}
%global __os_install_post %{nil}
%description
For a test.
%install
root=%{buildroot}
mkdir -p $root/usr/bin $root/usr/lib/tried $root/etc $root/var/lib/tried $root/usr/share/tried
printf '#!/bin/sh\necho tool\n' > $root/usr/bin/tool
ln -s tool $root/usr/bin/alias
echo 'word = 1' > $root/etc/tried.conf
echo state > $root/var/lib/tried/state
echo shared > $root/usr/lib/tried/one
ln $root/usr/lib/tried/one $root/usr/lib/tried/two
ln $root/usr/lib/tried/one $root/usr/bin/three
: > $root/usr/lib/tried/empty
: > $root/usr/lib/tried/empty-one
ln $root/usr/lib/tried/empty-one $root/usr/lib/tried/empty-two
seq 1 1500000 > $root/usr/share/tried/large
echo text > "$root/usr/share/tried/größe und maß"
%files
%attr(0755,root,root) /usr/bin/tool
/usr/bin/alias
%config(noreplace) /etc/tried.conf
%ghost /var/lib/tried/state
%attr(0644,root,root) /usr/lib/tried/*
%attr(0755,root,root) /usr/bin/three
%attr(0644,root,root) /usr/share/tried
)";

using Sums = std::vector<std::pair<std::string, std::string>>;  // path, hex SHA-256

std::string OutputOf(const std::string& command) {
  FILE* const pipe = popen(command.c_str(), "r");
  std::string out;
  if (pipe == nullptr) return out;
  char piece[4096];
  while (const size_t n = fread(piece, 1, sizeof piece, pipe)) out.append(piece, n);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return out;
}

// Files that have a digest: not folders, links, ghosts.
Sums SaidByRpm(const std::string& file) {
  Sums out;
  const std::string text = OutputOf(
      absl::StrCat("rpm -qp --qf '[%{FILENAMES}\\t%{FILEDIGESTS}\\t%{FILEFLAGS}\\n]' ", file));
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> parts = absl::StrSplit(line, '\t');
    constexpr int kGhost = 64;  // RPMFILE_GHOST
    if (parts.size() == 3 && !parts[1].empty() && (std::stoi(parts[2]) & kGhost) == 0)
      out.emplace_back(parts[0], parts[1]);
  }
  return out;
}

Sums ReadByUs(const SetDraft& draft) {
  Sums out;
  for (const SetItem& item : draft.items) out.emplace_back(item.path, ToHex(item.digest));
  return out;
}

class BuiltRpmTest : public ::testing::TestWithParam<const char*> {
 protected:
  BuiltRpmTest() : folder_(absl::StrCat(::testing::TempDir(), "built_rpm_", getpid())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~BuiltRpmTest() override { fs::remove_all(folder_); }

  void SetUp() override {
    if (std::system("command -v rpmbuild >/dev/null 2>&1") != 0) GTEST_SKIP() << "no rpmbuild";
    const std::string spec = folder_ + "/tried.spec";
    ASSERT_THAT(WriteFileAtomically(spec, AsBytes(kSpec), 0644), IsOk());
    OutputOf(absl::StrCat("LC_ALL=C.UTF-8 rpmbuild -ba --quiet --define '_topdir ", folder_,
                          "' --define '_binary_payload ", GetParam(), "' ", spec, " 2>&1"));
  }

  std::string folder_;
};

TEST_P(BuiltRpmTest, HasTheFilesThatRpmSays) {
  const std::string file = folder_ + "/RPMS/noarch/tried-1.2-3.noarch.rpm";
  SetDraft draft;
  ASSERT_THAT(AddRpm(file, WhichFiles::kAll, &draft), IsOk());
  const Sums expected = SaidByRpm(file);
  EXPECT_EQ(expected.size(), 10u);
  EXPECT_THAT(ReadByUs(draft), UnorderedElementsAreArray(expected));
  for (const SetItem& item : draft.items)
    EXPECT_EQ(item.package, (Package{"tried", "4:1.2-3", "rpm:noarch"})) << item.path;

  SetDraft programs;
  ASSERT_THAT(AddRpm(file, WhichFiles::kExecutables, &programs), IsOk());
  Sums executable;
  for (const auto& sum : expected) {
    // One content has one mode, whatever name has it.
    if (sum.first == "/usr/bin/tool" || sum.second == expected[1].second) executable.push_back(sum);
  }
  EXPECT_THAT(ReadByUs(programs), UnorderedElementsAreArray(executable));
}

TEST_P(BuiltRpmTest, OfASourcePackageNothingIsInstalled) {
  SetDraft draft;
  const absl::Status status =
      AddRpm(folder_ + "/SRPMS/tried-1.2-3.src.rpm", WhichFiles::kAll, &draft);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(draft.items, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Payloads, BuiltRpmTest,
                         ::testing::Values("w1.zstdio", "w1.xzdio", "w1.gzdio", "w1.bzdio"),
                         [](const auto& row) { return std::string(row.param).substr(3); });

}  // namespace
}  // namespace bootgate::gatekeeper::reference
