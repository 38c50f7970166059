#include "gatekeeper/diagnosis/explain.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/decode/describe.h"

namespace bootgate::gatekeeper::diagnosis {
namespace {

constexpr uint32_t kImaRegister = 10;
constexpr size_t kMaxWords = 512;  // bytes of one event's description

std::vector<eventlog::KnownDigest> DigestsOf(const eventlog::Log& similar, crypto::HashAlg alg) {
  std::vector<eventlog::KnownDigest> known;
  for (const eventlog::Event& event : similar.events()) {
    if (!event.Extends() || known.size() >= eventlog::kMaxKnownDigests) continue;
    const std::optional<ByteView> bytes = similar.DigestOf(event, alg);
    if (!bytes.has_value()) continue;
    const absl::StatusOr<crypto::Digest> digest = crypto::Digest::From(alg, *bytes);
    if (!digest.ok()) continue;
    const std::string words = Printable(eventlog::Describe(similar, event, alg), kMaxWords);
    known.push_back(
        {*digest, absl::StrCat("event ", event.number, " of the other log (", words, ")")});
  }
  return known;
}

BankDiagnosis ExplainBank(const eventlog::Log& log, const registers::RegisterBank& quoted,
                          const eventlog::Log* similar) {
  BankDiagnosis out;
  out.bank = quoted.alg();
  out.in_log = log.HasBank(quoted.alg());
  eventlog::ExplainOptions options;
  if (similar != nullptr) options.known = DigestsOf(*similar, quoted.alg());
  out.unexplained = eventlog::ExplainBank(log, quoted, options);
  out.matched = quoted.mask();
  for (const eventlog::Unexplained& row : out.unexplained)
    out.matched &= ~(1u << row.register_index);
  const std::optional<crypto::Digest> ima = quoted.Get(kImaRegister);
  const bool in_boot_log = std::ranges::any_of(log.events(), [](const eventlog::Event& event) {
    return event.register_index == kImaRegister && event.Extends();
  });
  if (ima.has_value() && !ima->IsZero() && !in_boot_log) {
    out.matched &= ~(1u << kImaRegister);
    out.not_in_log |= 1u << kImaRegister;
  }
  return out;
}

// Another bank in which the register is as the log says; nullptr: none.
const BankDiagnosis* BankThatMatches(const Diagnosis& all, uint32_t index) {
  for (const BankDiagnosis& bank : all.banks) {
    if (bank.in_log && ((bank.matched >> index) & 1u) != 0) return &bank;
  }
  return nullptr;
}

void CompareBanks(Diagnosis* all) {
  for (BankDiagnosis& bank : all->banks) {
    for (eventlog::Unexplained& row : bank.unexplained) {
      const BankDiagnosis* const other = BankThatMatches(*all, row.register_index);
      if (!bank.in_log || row.events == 0 || other == nullptr) continue;
      absl::StrAppend(&row.why.text, "; in bank ", crypto::Name(other->bank),
                      " the same events lead to the quoted value, so only digests of bank ",
                      crypto::Name(bank.bank), " are wrong");
    }
  }
}

}  // namespace

bool Diagnosis::AllMatch() const {
  return std::ranges::all_of(banks, [](const BankDiagnosis& b) { return b.unexplained.empty(); });
}

Diagnosis Explain(const eventlog::Log& log, const std::vector<registers::RegisterBank>& quoted,
                  const eventlog::Log* similar) {
  Diagnosis out;
  for (const registers::RegisterBank& bank : quoted) {
    out.banks.push_back(ExplainBank(log, bank, similar));
  }
  CompareBanks(&out);
  return out;
}

}  // namespace bootgate::gatekeeper::diagnosis
