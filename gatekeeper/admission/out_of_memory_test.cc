// Memory that runs out anywhere in judging: an ERROR, never an ADMIT of what would have been
// denied.
//
// This program's operator new fails once, at the allocation that a test names.
#include <atomic>
#include <cstdlib>
#include <new>

#include "gatekeeper/admission/judge.h"
#include "gatekeeper/admission/made_boot_test.h"
#include "gmock/gmock.h"

namespace {
thread_local int64_t allocations_left = -1;  // below zero: never fails

void* Allocate(size_t size) {
  if (allocations_left >= 0 && allocations_left-- == 0) throw std::bad_alloc();
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
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
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return operator new(size, std::nothrow);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace bootgate::gatekeeper::admission {
namespace {

// Claim names and values are short here: copying a std::variant whose text does not fit in place is
// undefined in libstdc++ 12 when memory runs out (it holds such a variant for never valueless).
//
// A boot under a policy and a reference learned from it; `stray` is measured but not in the
// reference.
class OutOfMemoryTest : public ::testing::TestWithParam<const char*> {
 protected:
  static Bytes List(ByteView log, absl::string_view stray) {
    testing::ListBuilder list;
    testing::AddAggregate(list, log).Ng("/bin/a", "a");
    if (!stray.empty()) list.Ng(stray, "x");
    return list.Finish();
  }

  OutOfMemoryTest() {
    const eventlog::Log parsed = eventlog::Log::Parse(log_);
    const Bytes good_bytes = List(log_, "");
    const ima::List good = ima::List::Parse(good_bytes);
    reference::LearnInput learn{.log = parsed, .banks = {testing::HashAlg::kSha256}};
    learn.ima = &good;
    learn.ima_entries = good.entries().size();
    reference_ = reference::Learn(learn);
  }

  const Bytes log_ = testing::FirmwareLog({testing::HashAlg::kSha256}).Finish();
  const Bytes list_ = List(log_, GetParam());
  reference::Reference reference_;
  policy::ParseError error_;
  const policy::Policy policy_ =
      policy::Policy::Read(
          "version=1.0;\nauthorizationrules { [type==\"imaReplayed\", value==true]"
          " => permit(); };\nissuancerules { => issue(type=\"ok\", value=true); };\n",
          &error_)
          .value();
};

TEST_P(OutOfMemoryTest, A74_EndsAsErrorNeverAsAdmit) {
  const tpm2::QuotedPcrs quoted =
      testing::QuoteOver({testing::Registers(log_, list_, testing::HashAlg::kSha256)});
  JudgeInput input{.quoted = quoted, .boot_log = log_, .ima = {}};
  input.ima.list = list_;
  input.policy = &policy_;
  input.reference = &reference_;
  const Verdict whole = Judge(input);
  ASSERT_EQ(whole.outcome, *GetParam() == 0 ? OutcomeClass::kAdmit : OutcomeClass::kDeny);
  int errors = 0, others = 0;
  for (int64_t at = 0;; ++at) {
    ASSERT_LT(at, 100000);
    allocations_left = at;
    const Verdict verdict = Judge(input);
    const bool failed = allocations_left < 0;
    allocations_left = -1;
    if (!failed) break;
    if (verdict.outcome == OutcomeClass::kError) {
      ++errors;
      EXPECT_TRUE(verdict.claims.empty());
      continue;
    }
    // Sorting asks for memory that it can do without: then nothing is missing.
    ++others;
    EXPECT_EQ(verdict.outcome, whole.outcome) << at;
    EXPECT_EQ(verdict.claims, whole.claims) << at;
    EXPECT_EQ(verdict.findings.size(), whole.findings.size()) << at;
  }
  EXPECT_GT(errors, 50);
  EXPECT_LT(others, 5);
}

INSTANTIATE_TEST_SUITE_P(Boots, OutOfMemoryTest, ::testing::Values("", "/bin/stray"),
                         [](const auto& row) { return *row.param == 0 ? "Admitted" : "Denied"; });

}  // namespace
}  // namespace bootgate::gatekeeper::admission
