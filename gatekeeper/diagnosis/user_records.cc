#include "gatekeeper/diagnosis/user_records.h"

#include <span>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/registers/bank.h"

namespace bootgate::gatekeeper::diagnosis {
namespace {

using cel::Record;
using crypto::Digest;
using eventlog::Cause;
using eventlog::Explanation;
using registers::Extended;

constexpr size_t kMaxWords = 128;  // bytes of one record's type or text

Digest ExtendedBy(Digest value, const Record& record) {
  return Extended(value, *record.DigestOf(value.alg()));
}

Digest ExtendedByAll(Digest value, std::span<const Record* const> records) {
  for (const Record* const record : records) value = ExtendedBy(value, *record);
  return value;
}

Explanation StoppedEarly(const std::vector<const Record*>& records, size_t seen) {
  return {.cause = Cause::kStoppedEarly,
          .events = {},
          .text = absl::StrCat("the TPM saw ", seen == 0 ? "none" : "only the first ",
                               seen == 0 ? "" : absl::StrCat(seen), " of its ", records.size(),
                               " records of the user-space log: ", SayRecord(*records[seen]),
                               seen + 1 == records.size() ? "" : " and what follows it",
                               " never reached it")};
}

// The one change at record `i` that leads to `quoted`; `before` is the register ahead of it.
std::optional<Explanation> ChangedAt(std::span<const Record* const> records, size_t i,
                                     const Digest& before, const Digest& quoted) {
  const std::span<const Record* const> rest = records.subspan(i + 1);
  if (ExtendedByAll(before, rest) == quoted) {
    return Explanation{.cause = Cause::kEventNotExtended,
                       .events = {},
                       .text = absl::StrCat("the TPM never saw ", SayRecord(*records[i]))};
  }
  const Digest after = ExtendedBy(before, *records[i]);
  if (ExtendedByAll(ExtendedBy(after, *records[i]), rest) == quoted) {
    return Explanation{.cause = Cause::kExtendedTwice,
                       .events = {},
                       .text = absl::StrCat(SayRecord(*records[i]),
                                            " was extended twice, and the log has it once")};
  }
  if (rest.empty()) return std::nullopt;
  const Digest swapped = ExtendedBy(ExtendedBy(before, *rest.front()), *records[i]);
  if (ExtendedByAll(swapped, rest.subspan(1)) != quoted) return std::nullopt;
  return Explanation{.cause = Cause::kSwapped,
                     .events = {},
                     .text = absl::StrCat(SayRecord(*records[i]), " and ", SayRecord(*rest.front()),
                                          " were extended the other way round")};
}

}  // namespace

std::vector<const Record*> RecordsOf(const cel::Log& log, crypto::HashAlg alg, uint32_t index) {
  std::vector<const Record*> out;
  for (const Record& record : log.records()) {
    if (record.pcr == index && record.DigestOf(alg) != nullptr) out.push_back(&record);
  }
  return out;
}

std::string SayRecord(const Record& record) {
  return absl::StrCat(
      "record ", record.number, " of the user-space log (",
      record.untrusted_type.empty() ? "no type" : Printable(record.untrusted_type, kMaxWords),
      record.untrusted_text ? absl::StrCat(": ", Printable(*record.untrusted_text, kMaxWords)) : "",
      ")");
}

std::optional<Explanation> ExplainByRecords(const std::vector<const Record*>& records,
                                            const Digest& from, const Digest& quoted) {
  Digest value = from;
  for (size_t seen = 0; seen < records.size(); ++seen) {
    if (value == quoted) return StoppedEarly(records, seen);
    value = ExtendedBy(value, *records[seen]);
  }
  if (records.size() > kMaxRecordsChanged) return std::nullopt;
  Digest before = from;
  for (size_t i = 0; i < records.size(); ++i) {
    if (auto found = ChangedAt(records, i, before, quoted)) return found;
    before = ExtendedBy(before, *records[i]);
  }
  return std::nullopt;
}

}  // namespace bootgate::gatekeeper::diagnosis
