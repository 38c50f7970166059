// Comparing a boot with the reference, event by event.
#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/replay.h"
#include "gatekeeper/claims/bounded_findings.h"
#include "gatekeeper/reference/align.h"
#include "gatekeeper/reference/reference.h"
#include "gatekeeper/reference/register_events.h"
#include "gatekeeper/reference/wording.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr size_t kMaxText = 1024;  // bytes of one sentence
constexpr uint32_t kEvEfiImageFirst = 0x80000003, kEvEfiImageLast = 0x80000005;

// The lower, the more it tells an operator.
int RankOf(uint32_t register_index, uint32_t type, absl::string_view key, absl::string_view words) {
  if (key == "var:SecureBoot") return 0;
  if (absl::StrContains(words, "command line") || absl::StrContains(key, "cmdline")) return 1;
  if (register_index == 7) return 2;
  if (type >= kEvEfiImageFirst && type <= kEvEfiImageLast) return 3;
  return absl::StartsWith(key, "ipl:") ? 4 : 5;
}

struct RankedFinding {
  int rank = 0;
  Finding finding;
};

class LogComparer {
 public:
  LogComparer(const eventlog::Log& log, crypto::HashAlg bank)
      : log_(log), bank_(bank), replay_(eventlog::ReplayBank(log, bank).bank) {}

  void CompareRegister(uint32_t index, const RegisterReference& expected) {
    const crypto::Digest value = replay_.Get(index).value_or(crypto::Digest(bank_));
    if (value == expected.value) return;
    const std::vector<const eventlog::Event*> events = EventsOf(log_, bank_, index);
    const std::vector<Difference> differences = Align(Expected(expected), Actual(events));
    for (const Difference& difference : differences) Report(index, expected, events, difference);
    if (differences.empty()) ReportValue(index, expected.value, value);
  }

  std::vector<Finding> Take() {
    std::stable_sort(
        found_.begin(), found_.end(), [](const RankedFinding& a, const RankedFinding& b) {
          const auto order = [](const RankedFinding& f) {
            return std::make_tuple(f.rank, f.finding.code != Reason::kReferenceEventChanged,
                                   f.finding.register_index, f.finding.event);
          };
          return order(a) < order(b);
        });
    std::vector<Finding> out;
    BoundedFindings bound;
    for (RankedFinding& ranked : found_) {
      if (bound.Take(ranked.finding.code)) out.push_back(std::move(ranked.finding));
    }
    bound.Close(Severity::kFail, &out);
    return out;
  }

 private:
  static std::vector<AlignEvent> Expected(const RegisterReference& expected) {
    std::vector<AlignEvent> events;
    for (const ReferenceEvent& e : expected.events) events.push_back({e.digest, e.type, e.key});
    return events;
  }

  std::vector<AlignEvent> Actual(const std::vector<const eventlog::Event*>& events) const {
    std::vector<AlignEvent> out;
    for (const eventlog::Event* e : events) {
      out.push_back({DigestOf(log_, *e, bank_), e->untrusted_type, KeyOf(*e)});
    }
    return out;
  }

  void Report(uint32_t index, const RegisterReference& expected,
              const std::vector<const eventlog::Event*>& events, const Difference& difference) {
    const ReferenceEvent* was =
        difference.reference ? &expected.events[*difference.reference] : nullptr;
    const eventlog::Event* is = difference.host ? events[*difference.host] : nullptr;
    if (was != nullptr && is != nullptr)
      ReportChanged(index, *was, *is);
    else if (was != nullptr)
      ReportMissing(index, *was, *difference.reference);
    else
      ReportUnexpected(index, *is);
  }

  Finding& Add(int rank, Reason code, uint32_t index, std::string text) {
    Finding finding;
    finding.code = code;
    finding.severity = Severity::kFail;
    finding.register_index = index;
    finding.text = Printable(text, kMaxText);
    found_.push_back({rank, std::move(finding)});
    return found_.back().finding;
  }

  void ReportChanged(uint32_t index, const ReferenceEvent& was, const eventlog::Event& is) {
    const std::string words = WordsFor(log_, is, bank_);
    const crypto::Digest digest = DigestOf(log_, is, bank_);
    const bool moved = digest == was.digest;
    Finding& finding = Add(RankOf(index, was.type, was.key, was.description),
                           Reason::kReferenceEventChanged, index,
                           absl::StrCat("PCR ", index, ": ",
                                        moved ? absl::StrCat(words, " came in another order")
                                              : SayChange(was.description, words),
                                        "."));
    finding.event = is.number;
    const bool same_words = words == was.description;
    finding.expected = Printable(same_words ? was.digest.hex() : was.description);
    finding.actual = Printable(same_words ? digest.hex() : words);
  }

  void ReportMissing(uint32_t index, const ReferenceEvent& was, size_t position) {
    Finding& finding = Add(
        RankOf(index, was.type, was.key, was.description), Reason::kReferenceEventMissing, index,
        absl::StrCat("PCR ", index, ": event ", position + 1,
                     " of the reference did not happen: ", was.description, "."));
    finding.expected = Printable(was.description);
  }

  void ReportUnexpected(uint32_t index, const eventlog::Event& is) {
    const std::string words = WordsFor(log_, is, bank_);
    Finding& finding =
        Add(RankOf(index, is.untrusted_type, KeyOf(is), words), Reason::kReferenceEventUnexpected,
            index, absl::StrCat("PCR ", index, ": not in the reference: ", words, "."));
    finding.event = is.number;
    finding.actual = Printable(words);
  }

  // The same events and yet another value: the register started elsewhere.
  void ReportValue(uint32_t index, const crypto::Digest& expected, const crypto::Digest& actual) {
    Finding& finding =
        Add(RankOf(index, 0, "", ""), Reason::kReferenceRegister, index,
            absl::StrCat("PCR ", index,
                         " has the events of the reference but started from another value."));
    finding.expected = expected.hex();
    finding.actual = actual.hex();
  }

  const eventlog::Log& log_;
  const crypto::HashAlg bank_;
  const registers::RegisterBank replay_;
  std::vector<RankedFinding> found_;
};

Finding BankMissing(const Reference& reference, crypto::HashAlg bank) {
  Finding finding;
  finding.code = Reason::kReferenceBankMissing;
  finding.severity = Severity::kFail;
  finding.text = absl::StrCat("The reference ", Printable(reference.name, 64),
                              " has no values for bank ", crypto::Name(bank), ".");
  return finding;
}

}  // namespace

std::vector<Finding> CompareLog(const Reference& reference, const eventlog::Log& log,
                                crypto::HashAlg bank, uint32_t mask) {
  const auto known = reference.banks.find(bank);
  if (known == reference.banks.end()) return {BankMissing(reference, bank)};
  LogComparer comparer(log, bank);
  for (const auto& [index, expected] : known->second) {
    if (index == kImaRegister || index >= registers::kCount || ((mask >> index) & 1u) == 0)
      continue;
    comparer.CompareRegister(index, expected);
  }
  return comparer.Take();
}

}  // namespace bootgate::gatekeeper::reference
