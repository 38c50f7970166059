// A60: lists of any length are read in a fixed amount of memory.
//
// This program's operator new counts the bytes that are in use.
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <sstream>
#include <streambuf>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/ima/list_builder.h"
#include "common/testing/fake_clock.h"
#include "common/testing/sanitizer.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/cli/ima_list_verbs.h"
#include "gatekeeper/reference/imaset/set_builder.h"
#include "gmock/gmock.h"

namespace {
std::atomic<int64_t> in_use{0}, peak{0};  // bytes

void* Allocate(size_t size) {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  const int64_t now = in_use += static_cast<int64_t>(malloc_usable_size(memory));
  if (now > peak) peak = now;
  return memory;
}

void Free(void* memory) noexcept {
  if (memory != nullptr) in_use -= static_cast<int64_t>(malloc_usable_size(memory));
  std::free(memory);
}
}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  try {
    return Allocate(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](size_t size, const std::nothrow_t& tag) noexcept {
  return operator new(size, tag);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { Free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { Free(memory); }
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete[](void* memory) noexcept { Free(memory); }
void operator delete(void* memory, size_t) noexcept { Free(memory); }
void operator delete[](void* memory, size_t) noexcept { Free(memory); }

namespace bootgate::gatekeeper::cli {
namespace {

// Entries. Where each takes long the same is shown by how little a longer list takes more.
constexpr size_t kFew = 4'000, kMany = testing::kAddressSanitizer ? 12'000 : 1'000'000;
constexpr int64_t kMost = int64_t{8} << 20;      // bytes; the product promises 64 MiB for a million
constexpr int64_t kMostMore = int64_t{1} << 16;  // bytes, from kFew to kMany: one piece of a list

// A list that is made while it is read: boot_aggregate, then files that all differ.
class MadeList : public std::streambuf {
 public:
  explicit MadeList(size_t entries) : entries_(entries) {}
  size_t bytes() const { return bytes_; }

 protected:
  int_type underflow() override {
    if (next_ == entries_) return traits_type::eof();
    const std::string path = next_ == 0 ? "boot_aggregate" : absl::StrCat("/usr/bin/file-", next_);
    ++next_;
    piece_ = testing::ListBuilder().Ng(path, path).Finish();
    bytes_ += piece_.size();
    auto* const begin = reinterpret_cast<char*>(piece_.data());
    setg(begin, begin, begin + piece_.size());
    return traits_type::to_int_type(*begin);
  }

 private:
  const size_t entries_;
  size_t next_ = 0, bytes_ = 0;
  Bytes piece_;
};

// Takes everything and keeps nothing.
class Nowhere : public std::streambuf {
 public:
  size_t bytes() const { return bytes_; }

 protected:
  int_type overflow(int_type c) override {
    ++bytes_;
    return c;
  }
  std::streamsize xsputn(const char*, std::streamsize count) override {
    bytes_ += static_cast<size_t>(count);
    return count;
  }

 private:
  size_t bytes_ = 0;
};

struct Took {
  int exit = -1;
  int64_t extra = 0;  // bytes at the peak, over what was there before
  size_t read = 0, written = 0;
};

template <typename Options>
Took RunOn(size_t entries, ExitCode (*verb)(const Options&, const ImaListIo&),
           const Options& options, OutputFormat format) {
  const testing::FakeClock clock(absl::FromUnixSeconds(1'800'000'000));
  MadeList list(entries);
  Nowhere nowhere;
  std::istream in(&list);
  std::ostream out(&nowhere), err(&nowhere);
  const int64_t before = in_use;
  peak = before;
  Took took;
  took.exit = static_cast<int>(verb(options, {format, in, out, err, clock}));
  took.extra = peak - before;
  took.read = list.bytes();
  took.written = nowhere.bytes();
  return took;
}

// What the verb takes for a list does not depend on how long it is.
template <typename Options>
Took RunOnFewAndMany(ExitCode (*verb)(const Options&, const ImaListIo&), const Options& options,
                     OutputFormat format) {
  const Took few = RunOn(kFew, verb, options, format);
  const Took many = RunOn(kMany, verb, options, format);
  EXPECT_GT(few.extra, 0) << "nothing is counted";
  EXPECT_LT(many.extra, kMost);
  EXPECT_LT(many.extra, few.extra + kMostMore);
  EXPECT_GT(many.read, 100 * kMany) << "bytes";
  EXPECT_EQ(many.exit, few.exit);
  return many;
}

TEST(ImaListMemory, A60_AMillionEntriesAreReplayedInAFewMegabytes) {
  EXPECT_EQ(RunOnFewAndMany<std::string>(ImaListReplay, "-", OutputFormat::kJson).exit, 0);
}

TEST(ImaListMemory, A60_ShowWritesAsItReads) {
  for (const OutputFormat format : {OutputFormat::kTable, OutputFormat::kJson}) {
    const Took took = RunOnFewAndMany<ImaListShowOptions>(
        ImaListShow, {.file = "-", .register_index = {}, .filter = ""}, format);
    EXPECT_EQ(took.exit, 0);
    EXPECT_GT(took.written, 100 * kMany);
  }
}

// Also when every entry is bad: findings are bounded.
TEST(ImaListMemory, A60_VerifyNamesBadEntriesInAFixedAmount) {
  const std::string file = ::testing::TempDir() + "ima_list_memory.set";
  reference::SetDraft draft;
  draft.items.push_back(testing::Item("/bin/a", "a"));
  ASSERT_THAT(WriteFileAtomically(file, *reference::WriteSet(draft), 0644), testing::IsOk());
  const Took took = RunOnFewAndMany<ImaListVerifyOptions>(
      ImaListVerify, {.file = "-", .references = {file}}, OutputFormat::kJson);
  EXPECT_EQ(took.exit, 6);
}

}  // namespace
}  // namespace bootgate::gatekeeper::cli
