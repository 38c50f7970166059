#include "gatekeeper/diagnosis/explain.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/cel/replay.h"
#include "common/eventlog/decode/describe.h"
#include "common/eventlog/replay.h"
#include "gatekeeper/diagnosis/user_records.h"

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

// Registers that stand where the boot log ends, though the user-space log has records of them.
void AddNeverExtended(const eventlog::Log& log, const cel::Replay& joined,
                      const registers::RegisterBank& quoted,
                      std::vector<eventlog::Unexplained>* rows) {
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    const bool there = std::ranges::any_of(
        *rows, [i](const eventlog::Unexplained& row) { return row.register_index == i; });
    const bool told = ((joined.extended >> i) & 1u) != 0 && quoted.Has(i);
    if (there || !told || joined.bank.Get(i) == quoted.Get(i)) continue;
    eventlog::Unexplained& row = rows->emplace_back();
    row.register_index = i;
    row.quoted = *quoted.Get(i);
    row.events =
        static_cast<size_t>(std::ranges::count_if(log.events(), [&](const eventlog::Event& event) {
          return event.register_index == i && event.Extends() &&
                 log.DigestOf(event, quoted.alg()).has_value();
        }));
    row.why.text = "neither the boot log nor the user-space log leads there";
  }
}

// Registers that have records and do not follow from both logs: which record is it?
void ExplainByUserLog(const eventlog::Log& log, const cel::Log& user_log,
                      const registers::RegisterBank& quoted,
                      std::vector<eventlog::Unexplained>* rows) {
  const registers::RegisterBank booted = eventlog::ReplayBank(log, quoted.alg()).bank;
  const cel::Replay joined = cel::ReplayBank(user_log, booted);
  AddNeverExtended(log, joined, quoted, rows);
  for (eventlog::Unexplained& row : *rows) {
    const auto records = RecordsOf(user_log, quoted.alg(), row.register_index);
    if (records.empty()) continue;
    row.replayed = joined.bank.Get(row.register_index).value_or(row.replayed);
    const crypto::Digest from =
        booted.Get(row.register_index).value_or(crypto::Digest(quoted.alg()));
    if (auto why = ExplainByRecords(records, from, row.quoted)) row.why = *std::move(why);
  }
}

void AddRecords(const cel::Log& user_log, crypto::HashAlg alg,
                std::vector<eventlog::KnownDigest>* known) {
  for (const cel::Record& record : user_log.records()) {
    const crypto::Digest* const digest = record.DigestOf(alg);
    if (!record.pcr || digest == nullptr || known->size() >= eventlog::kMaxKnownDigests) continue;
    known->push_back({*digest, SayRecord(record)});
  }
}

BankDiagnosis ExplainBank(const eventlog::Log& log, const registers::RegisterBank& quoted,
                          const eventlog::Log* similar, const cel::Log* user_log) {
  BankDiagnosis out;
  out.bank = quoted.alg();
  out.in_log = log.HasBank(quoted.alg());
  eventlog::ExplainOptions options;
  if (similar != nullptr) options.known = DigestsOf(*similar, quoted.alg());
  registers::RegisterBank booted = quoted;
  if (user_log != nullptr) {
    booted = BeforeUserSpace(log, *user_log, quoted, &out.by_user_log);
    AddRecords(*user_log, quoted.alg(), &options.known);
  }
  out.unexplained = eventlog::ExplainBank(log, booted, options);
  if (user_log != nullptr) ExplainByUserLog(log, *user_log, quoted, &out.unexplained);
  out.matched = quoted.mask();
  for (const eventlog::Unexplained& row : out.unexplained)
    out.matched &= ~(1u << row.register_index);
  const std::optional<crypto::Digest> ima = booted.Get(kImaRegister);
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

registers::RegisterBank BeforeUserSpace(const eventlog::Log& log, const cel::Log& user_log,
                                        const registers::RegisterBank& quoted,
                                        uint32_t* by_user_log) {
  const registers::RegisterBank booted = eventlog::ReplayBank(log, quoted.alg()).bank;
  const cel::Replay joined = cel::ReplayBank(user_log, booted);
  registers::RegisterBank before = quoted;
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    if (((joined.extended >> i) & 1u) == 0 || !quoted.Has(i)) continue;
    if (joined.bank.Get(i) != quoted.Get(i)) continue;
    before.Set(i, booted.Get(i).value_or(crypto::Digest(quoted.alg())));
    *by_user_log |= 1u << i;
  }
  return before;
}

Diagnosis Explain(const eventlog::Log& log, const std::vector<registers::RegisterBank>& quoted,
                  const eventlog::Log* similar, const cel::Log* user_log) {
  Diagnosis out;
  for (const registers::RegisterBank& bank : quoted) {
    out.banks.push_back(ExplainBank(log, bank, similar, user_log));
  }
  CompareBanks(&out);
  return out;
}

}  // namespace bootgate::gatekeeper::diagnosis
