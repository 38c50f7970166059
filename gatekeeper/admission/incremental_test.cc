// A list that is judged in pieces must come to what it comes to when it is judged at once.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/admission/made_boot_test.h"
#include "gatekeeper/session/entry_book.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::admission {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the made boots
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr char kPermitAll[] = R"(version=1.0;
authorizationrules { => permit(); };
issuancerules { };
)";

const policy::Policy& PermitAll() {
  policy::ParseError error;
  static const auto* const policy =
      new policy::Policy(policy::Policy::Read(kPermitAll, &error).value());
  return *policy;
}

// A boot in two banks, and a list with something to say about: files that are not listed, and an
// entry of another register.
struct Boot {
  Boot() {
    log = FirmwareLog({HashAlg::kSha384, HashAlg::kSha256}).Finish();
    ListBuilder builder;
    AddAggregate(builder, log);
    for (const char* path : {"/bin/a", "/bin/b", "/bin/c", "/bin/a"}) builder.Ng(path, path);
    builder.Ng("/bin/other-register", "x", 11);
    builder.Ng("/bin/d", "/bin/d");
    list = builder.Finish();
    const ima::List parsed = ima::List::Parse(list);
    for (const ima::Entry& entry : parsed.entries()) ends.push_back(entry.offset);
    ends.push_back(list.size());
  }

  ByteView Entries(size_t first, size_t end) const {
    return ByteView(list).subspan(ends[first], ends[end] - ends[first]);
  }
  size_t size() const { return ends.size() - 1; }
  tpm2::QuotedPcrs QuoteAfter(size_t entries) const {
    const ByteView part = Entries(0, entries);
    return QuoteOver(
        {Registers(log, part, HashAlg::kSha384), Registers(log, part, HashAlg::kSha256)});
  }

  Bytes log, list;
  std::vector<size_t> ends;  // where entries begin, and where the last one ends
};

reference::Reference WarnsOfAllBut(const Boot& boot, size_t known) {
  const eventlog::Log log = eventlog::Log::Parse(boot.log);
  const ima::List list = ima::List::Parse(boot.list);
  return reference::Learn({.log = log,
                           .banks = {HashAlg::kSha256, HashAlg::kSha384},
                           .mask = 0,
                           .ima = &list,
                           .ima_entries = known,
                           .unlisted = reference::Unlisted::kWarn});
}

class Pieces : public ::testing::Test {
 protected:
  Judged JudgePart(size_t first, size_t end, const ImaProgress* before,
                   const ima::DigestsAt* known_templates = nullptr) const {
    const tpm2::QuotedPcrs quoted = boot_.QuoteAfter(end);
    return JudgeAndKeep({.quoted = quoted,
                         .boot_log = boot_.log,
                         .ima = {.list = boot_.Entries(first, end),
                                 .bound_entries = end - first,
                                 .before = before,
                                 .known_templates = known_templates},
                         .logs_bound = true,
                         .policy = &PermitAll(),
                         .reference = &reference_,
                         .boot_options = {.allowed_banks = {HashAlg::kSha256, HashAlg::kSha384}}});
  }

  // The entries past the ones that are known. An entry of another register is known only once one
  // of PCR 10 followed it.
  Judged JudgeFurther(const Judged& known, size_t end) const {
    return JudgePart(known.ima->entries, end, &*known.ima);
  }

  static std::vector<std::string> Facts(const Verdict& verdict) {
    std::vector<std::string> facts = {std::string(Name(verdict.outcome))};
    for (const Finding& f : verdict.findings) {
      facts.push_back(absl::StrCat(Code(f.code), " ", Name(f.severity), " ",
                                   f.event.has_value() ? *f.event : 0, " ", f.text));
    }
    for (const Claim& claim : verdict.claims)
      facts.push_back(absl::StrCat(claim.type, "=", DisplayText(claim.value)));
    for (const NotChecked& row : verdict.coverage.not_checked) facts.push_back(row.what + row.why);
    std::sort(facts.begin(), facts.end());
    return facts;
  }

  const Boot boot_;
  const reference::Reference reference_ = WarnsOfAllBut(boot_, 2);
};

TEST_F(Pieces, ComeToTheVerdictOfTheWhole) {
  const Judged whole = JudgePart(0, boot_.size(), nullptr);
  ASSERT_THAT(Facts(whole.verdict), Contains("ADMIT"));
  ASSERT_THAT(Facts(whole.verdict), Contains(HasSubstr("IMA_UNLISTED warning 6 /bin/d")));
  for (size_t first = 1; first <= boot_.size(); ++first) {
    const Judged start = JudgePart(0, first, nullptr);
    ASSERT_TRUE(start.ima.has_value()) << first;
    for (size_t second = first; second <= boot_.size(); ++second) {
      const Judged middle = JudgeFurther(start, second);
      ASSERT_TRUE(middle.ima.has_value()) << first << " " << second;
      const Judged end = JudgeFurther(middle, boot_.size());
      EXPECT_EQ(Facts(end.verdict), Facts(whole.verdict)) << first << " " << second;
      ASSERT_TRUE(end.ima.has_value());
      EXPECT_EQ(end.ima->entries, boot_.size());
      EXPECT_EQ(end.ima->registers, whole.ima->registers);
    }
  }
}

// Every other entry came by its name, with the digest that stands in the book.
TEST_F(Pieces, NamedEntriesComeToTheVerdictOfAListInFull) {
  session::EntryBook book(size_t{1} << 20);
  book.Learn(boot_.list, boot_.size());
  const ima::List parsed = ima::List::Parse(boot_.list);
  ima::DigestsAt known, wrong;
  for (size_t i = 0; i < boot_.size(); i += 2) {
    const ima::Record record = parsed.entries().RecordAt(i);
    const absl::Status read = book.Read(
        ima::RecordName(record.bytes).view(), [&](ByteView bytes, ByteView template_digest) {
          known.Add(record.offset, bytes, *crypto::Digest::From(HashAlg::kSha256, template_digest));
          wrong.Add(record.offset, bytes, crypto::Digest::Ones(HashAlg::kSha256));
          return absl::OkStatus();
        });
    ASSERT_TRUE(read.ok());
  }
  for (size_t end = 1; end <= boot_.size(); ++end) {
    EXPECT_EQ(Facts(JudgePart(0, end, nullptr, &known).verdict),
              Facts(JudgePart(0, end, nullptr).verdict));
  }
  // They are used: wrong ones lead elsewhere.
  EXPECT_EQ(JudgePart(0, boot_.size(), nullptr).verdict.outcome, OutcomeClass::kAdmit);
  EXPECT_NE(JudgePart(0, boot_.size(), nullptr, &wrong).verdict.outcome, OutcomeClass::kAdmit);
}

TEST_F(Pieces, A57_WhatDoesNotContinueIsAskedForAgain) {
  const Judged start = JudgePart(0, 3, nullptr);
  ASSERT_TRUE(start.ima.has_value());
  const auto outcome = [&](const ImaProgress& before) {
    const Judged judged = JudgePart(3, 5, &before);
    EXPECT_FALSE(judged.ima.has_value());
    EXPECT_EQ(judged.verdict.outcome, OutcomeClass::kReject);
    return judged.verdict.findings.at(0).code;
  };
  ImaProgress other = *start.ima;
  other.registers[1].value = crypto::Digest::Ones(other.registers[1].value.alg());
  EXPECT_EQ(outcome(other), Reason::kRetryResync);
  other = *start.ima;
  other.registers.pop_back();  // a bank that was not followed
  EXPECT_EQ(outcome(other), Reason::kRetryResync);
  other = *start.ima;
  other.registers[1].padded_sha1 = !other.registers[1].padded_sha1;
  EXPECT_EQ(outcome(other), Reason::kRetryResync);
  other = *start.ima;
  other.notes.clear();
  EXPECT_EQ(outcome(other), Reason::kRetryResync);
}

TEST_F(Pieces, A58_SecondBootAggregateIsSeenInALaterPiece) {
  Boot joined;
  ListBuilder builder;
  AddAggregate(builder.Raw(joined.list), joined.log);
  joined.ends.back() = joined.list.size();
  joined.list = builder.Finish();
  joined.ends.push_back(joined.list.size());
  const tpm2::QuotedPcrs quoted = joined.QuoteAfter(joined.size());
  const Judged start = JudgePart(0, boot_.size(), nullptr);
  const Judged later =
      JudgeAndKeep({.quoted = quoted,
                    .boot_log = joined.log,
                    .ima = {.list = joined.Entries(boot_.size(), joined.size()),
                            .bound_entries = 1,
                            .before = &*start.ima},
                    .logs_bound = true,
                    .policy = &PermitAll(),
                    .reference = &reference_,
                    .boot_options = {.allowed_banks = {HashAlg::kSha256, HashAlg::kSha384}}});
  EXPECT_EQ(later.verdict.outcome, OutcomeClass::kDeny);
  EXPECT_FALSE(later.ima.has_value());
  EXPECT_THAT(Facts(later.verdict), Contains(HasSubstr("IMA_KEXEC fail 7")));
}

}  // namespace
}  // namespace bootgate::gatekeeper::admission
