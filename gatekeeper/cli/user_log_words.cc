#include "gatekeeper/cli/user_log_words.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/hex.h"
#include "common/cel/coverage.h"
#include "gatekeeper/appraisal/user_log_rules.h"

namespace bootgate::gatekeeper::cli {
namespace {

using crypto::HashAlg;

constexpr size_t kMaxWords = 512;  // bytes of one record's text
constexpr HashAlg kByStrength[] = {HashAlg::kSha256, HashAlg::kSha384, HashAlg::kSha512,
                                   HashAlg::kSm3_256, HashAlg::kSha1};

bool HasBank(const cel::Log& log, HashAlg alg, bool of_pcrs) {
  return std::ranges::any_of(log.records(), [&](const cel::Record& record) {
    return record.pcr.has_value() == of_pcrs && record.DigestOf(alg) != nullptr;
  });
}

std::string RegisterOf(const cel::Record& record) {
  if (record.pcr) return absl::StrCat(*record.pcr);
  const std::string index = absl::StrCat("NV ", NvIndexName(*record.nv_index));
  return record.untrusted_nv_name.empty()
             ? index
             : absl::StrCat(index, " ", Printable(record.untrusted_nv_name, 64));
}

}  // namespace

std::string NvIndexName(uint32_t nv_index) { return absl::StrFormat("0x%08x", nv_index); }

HashAlg StrongestBankOf(const cel::Log& log) {
  for (const HashAlg alg : kByStrength) {
    if (HasBank(log, alg, true) || HasBank(log, alg, false)) return alg;
  }
  return HashAlg::kSha256;
}

std::vector<HashAlg> BanksOf(const cel::Log& log) {
  std::vector<HashAlg> out;
  for (const HashAlg alg : kByStrength) {
    if (HasBank(log, alg, true)) out.push_back(alg);
  }
  std::ranges::sort(out);
  return out;
}

std::string RecordMark(const cel::Record& record, HashAlg bank) {
  const bool has = record.DigestOf(bank) != nullptr || record.digests.empty();
  switch (cel::CoverageOf(record, has ? bank : record.digests.front().alg())) {
    case cel::Coverage::kCovered:
      return "yes";
    case cel::Coverage::kNotCovered:
      return "no";
    case cel::Coverage::kMismatch:
      return "WRONG";
  }
  __builtin_unreachable();
}

std::vector<std::vector<std::string>> RecordRows(const cel::Log& log,
                                                 std::optional<uint32_t> only) {
  const HashAlg bank = StrongestBankOf(log);
  std::vector<std::vector<std::string>> rows;
  for (const cel::Record& record : log.records()) {
    if (only && record.pcr != *only) continue;
    rows.push_back({absl::StrCat(record.number), RegisterOf(record),
                    record.untrusted_type.empty() ? "-" : Printable(record.untrusted_type, 64),
                    RecordMark(record, bank),
                    record.untrusted_text ? Printable(*record.untrusted_text, kMaxWords) : "-"});
  }
  return rows;
}

std::vector<cel::Defect> WrongRecords(const cel::Log& log) {
  const HashAlg bank = StrongestBankOf(log);
  std::vector<cel::Defect> out;
  for (const cel::Record& record : log.records()) {
    if (out.size() >= cel::kMaxDefects) break;
    if (RecordMark(record, bank) == "WRONG") {
      out.push_back({Reason::kLogEventDigest, record.offset, record.number,
                     absl::StrCat("record ", record.number, " says \"",
                                  Printable(*record.untrusted_text, kMaxWords),
                                  "\", and that is not what was measured")});
    } else if (record.pcr && record.DigestOf(bank) != nullptr &&
               !appraisal::IsOfUserSpace(record, bank)) {
      out.push_back({Reason::kCelRegister, record.offset, record.number,
                     absl::StrCat("record ", record.number, " extends PCR ", *record.pcr,
                                  " with something that systemd does not measure there")});
    }
  }
  return out;
}

void SayUserDefects(const cel::Log& log, std::ostream& err) {
  for (const cel::Defect& defect : log.defects()) {
    err << "warning: " << Code(defect.reason) << ": " << defect.text << "\n";
  }
  for (const cel::Defect& wrong : WrongRecords(log)) {
    err << "warning: " << Code(wrong.reason) << ": " << wrong.text << "\n";
  }
}

bool HasDefects(const cel::Log& log) { return !log.defects().empty(); }

}  // namespace bootgate::gatekeeper::cli
