#include "gatekeeper/appraisal/user_log.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/cel/coverage.h"
#include "common/cel/replay.h"
#include "common/eventlog/replay.h"
#include "common/registers/selection.h"
#include "gatekeeper/appraisal/notes.h"
#include "gatekeeper/appraisal/user_log_rules.h"
#include "gatekeeper/claims/bounded_findings.h"

namespace bootgate::gatekeeper::appraisal {
namespace {

using registers::RegisterBank;

constexpr size_t kMaxWords = 200;  // bytes of host text in a finding

class UserLogAppraiser : private Notes {
 public:
  UserLogAppraiser(const eventlog::Log& boot_log, const cel::Log& user_log, UserLogAppraisal* out)
      : Notes(out->findings, out->claims, out->coverage),
        boot_log_(boot_log),
        user_log_(user_log),
        out_(*out) {}

  void Run(const std::vector<RegisterBank>& quoted) {
    for (const cel::Defect& defect : user_log_.defects()) ReportDefect(defect);
    bool replayed = !quoted.empty();
    for (const RegisterBank& bank : quoted) replayed &= AppraiseBank(bank);
    AddClaim("userLogReplayed", replayed && !HasFailure());
    NoteNvRecords();
    bounded_.Close(Severity::kFail, &out_.findings);
  }

 private:
  // A last record that broke off may or may not have been measured: the registers tell.
  void ReportDefect(const cel::Defect& defect) {
    if (!bounded_.Take(defect.reason)) return;
    const bool fatal = defect.reason != Reason::kCelTruncated;
    Finding& finding = Add(defect.reason, fatal ? Severity::kFail : Severity::kWarning,
                           absl::StrCat("User-space log: ", defect.text, "."));
    finding.event = defect.record;
  }

  // Whether all quoted registers that the log is about follow from it.
  bool AppraiseBank(const RegisterBank& quoted) {
    const cel::Replay replay =
        cel::ReplayBank(user_log_, eventlog::ReplayBank(boot_log_, quoted.alg()).bank);
    for (const cel::Defect& defect : replay.defects) ReportDefect(defect);
    const std::string name(crypto::Name(quoted.alg()));
    uint32_t matched = 0;
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      const auto value = quoted.Get(i);
      if (((replay.extended >> i) & 1u) != 0 && value && *value == replay.bank.Get(i))
        matched |= 1u << i;
    }
    if (matched != 0) {
      Checked(absl::StrCat("user-space log replayed to quoted PCR ", registers::FormatMask(matched),
                           " (", name, ")"));
    }
    const uint32_t unquoted = replay.extended & ~quoted.mask();
    if (unquoted != 0) {
      NotChecked(
          absl::StrCat("user-space log, PCR ", registers::FormatMask(unquoted), " (", name, ")"),
          "the quote does not cover them");
    }
    CheckTexts(quoted.alg(), matched);
    CheckPlaces(quoted);
    NotePhase(quoted.alg(), matched);
    return matched == (replay.extended & quoted.mask());
  }

  void CheckTexts(crypto::HashAlg alg, uint32_t matched) {
    for (const cel::Record& record : user_log_.records()) {
      if (!record.pcr || ((matched >> *record.pcr) & 1u) == 0) continue;
      if (cel::CoverageOf(record, alg) != cel::Coverage::kMismatch) continue;
      if (!bounded_.Take(Reason::kLogEventDigest)) continue;
      Finding& finding =
          Add(Reason::kLogEventDigest, Severity::kFail,
              absl::StrCat("Record ", record.number, " of the user-space log says \"",
                           Printable(*record.untrusted_text, kMaxWords),
                           "\", and that is not what was measured."));
      finding.register_index = record.pcr;
      finding.event = record.number;
      finding.expected = record.DigestOf(alg)->hex();
      finding.actual = crypto::Hash(alg, AsBytes(*record.untrusted_text)).hex();
    }
  }

  // Whatever the registers hold: such a record explains what a boot log should.
  void CheckPlaces(const RegisterBank& quoted) {
    for (const cel::Record& record : user_log_.records()) {
      if (!record.pcr || !quoted.Has(*record.pcr) || record.DigestOf(quoted.alg()) == nullptr ||
          cel::CoverageOf(record, quoted.alg()) == cel::Coverage::kMismatch ||
          IsOfUserSpace(record, quoted.alg()) || !bounded_.Take(Reason::kCelRegister)) {
        continue;
      }
      Finding& finding =
          Add(Reason::kCelRegister, Severity::kFail,
              absl::StrCat("Record ", record.number, " of the user-space log extends PCR ",
                           *record.pcr, " (", crypto::Name(quoted.alg()),
                           ") with something that systemd does not measure there."));
      finding.register_index = record.pcr;
      finding.event = record.number;
    }
  }

  // Said once, by the first bank that proves it.
  void NotePhase(crypto::HashAlg alg, uint32_t matched) {
    if (phase_noted_) return;
    const cel::Facts facts = cel::FactsOf(user_log_, alg, matched);
    if (facts.phases.empty()) return;
    phase_noted_ = true;
    Claim& claim = out_.claims.emplace_back();
    claim.type = "userLogPhase";
    claim.value = facts.phases.back();
  }

  void NoteNvRecords() {
    size_t count = 0;
    for (const cel::Record& record : user_log_.records()) count += record.nv_index ? 1 : 0;
    if (count == 0) return;
    NotChecked(absl::StrCat(count, " user-space records about NvPCRs"),
               "a quote covers no NV index");
  }

  const eventlog::Log& boot_log_;
  const cel::Log& user_log_;
  UserLogAppraisal& out_;
  BoundedFindings bounded_;
  bool phase_noted_ = false;
};

}  // namespace

RegisterBank AfterUserLog(const cel::Log* user_log, const RegisterBank& after_boot) {
  return user_log == nullptr ? after_boot : cel::ReplayBank(*user_log, after_boot).bank;
}

std::vector<RegisterBank> BeforeUserSpace(const tpm2::QuotedPcrs& quoted,
                                          const eventlog::Log& boot_log, const cel::Log& user_log) {
  std::vector<RegisterBank> out;
  for (const RegisterBank& bank : quoted.banks()) {
    const RegisterBank booted = eventlog::ReplayBank(boot_log, bank.alg()).bank;
    const uint32_t extended = cel::ReplayBank(user_log, booted).extended;
    RegisterBank& before = out.emplace_back(bank);
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      if (bank.Has(i) && ((extended >> i) & 1u) != 0)
        before.Set(i, booted.Get(i).value_or(crypto::Digest(bank.alg())));
    }
  }
  return out;
}

std::string UserRecordsInWords(const cel::Log* user_log, uint32_t register_index) {
  if (user_log == nullptr) return "";
  const auto count = std::ranges::count_if(
      user_log->records(), [&](const cel::Record& record) { return record.pcr == register_index; });
  if (count == 0) return "";
  return absl::StrCat(" and ", count, count == 1 ? " record" : " records",
                      " of the user-space log");
}

UserLogAppraisal AppraiseUserLog(const tpm2::QuotedPcrs& quoted, const eventlog::Log& boot_log,
                                 const cel::Log& user_log) {
  UserLogAppraisal out;
  if (!user_log.empty()) UserLogAppraiser(boot_log, user_log, &out).Run(quoted.banks());
  return out;
}

}  // namespace bootgate::gatekeeper::appraisal
