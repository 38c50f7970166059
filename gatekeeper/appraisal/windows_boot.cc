#include "gatekeeper/appraisal/windows_boot.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/eventlog/coverage.h"
#include "common/eventlog/defects.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/sipa/records.h"
#include "common/registers/bank.h"

namespace bootgate::gatekeeper::appraisal {
namespace {

using eventlog::Event;
using eventlog::sipa::Record;
using tpm_boot::Fact;

constexpr uint32_t kSettingsRegister = 12;
constexpr uint32_t kBootRegisters = 1u << 12 | 1u << 13;
constexpr uint32_t kLaunchRegisters = 1u << 19 | 1u << 20;  // after a dynamic launch
constexpr uint32_t kEvCompactHash = 0x0000000c;
// A separator ("WBCL") or a compact hash is this long; a record is at least twice that.
constexpr size_t kShortData = 4;  // bytes

struct FlagRow {
  uint32_t id;
  WindowsFlag WindowsFacts::*fact;
  bool bad;  // the value that speaks against the host
};

constexpr FlagRow kFlags[] = {
    {0x00040001, &WindowsFacts::boot_debugging, true},
    {0x00050001, &WindowsFacts::kernel_debugging, true},
    {0x0005000d, &WindowsFacts::hypervisor_debugging, true},
    {0x00050003, &WindowsFacts::test_signing, true},
    {0x00050021, &WindowsFacts::flight_signing, true},
    {0x00050005, &WindowsFacts::safe_mode, true},
    {0x00050006, &WindowsFacts::win_pe, true},
    {0x00050002, &WindowsFacts::code_integrity, false},
    {0x000a0001, &WindowsFacts::vbs_required, false},
    {0x000a0002, &WindowsFacts::secure_boot_required, false},
    {0x000a0003, &WindowsFacts::iommu_required, false},
    {0x00050030, &WindowsFacts::boot_dma_protection, false},
};

// How much a number speaks against the host; kBad: as much as it can.
using Badness = uint64_t (*)(uint64_t value);
constexpr uint64_t kBad = ~uint64_t{0};

uint64_t ZeroIsBad(uint64_t value) { return value == 0 ? kBad : 0; }
uint64_t LowIsBad(uint64_t value) { return kBad - value; }
uint64_t Neutral(uint64_t) { return 0; }
uint64_t IommuBadness(uint64_t value) { return value == 1 ? 0 : value == 0 ? 1 : kBad; }

struct NumberRow {
  uint32_t id;
  WindowsNumber WindowsFacts::*fact;
  Badness badness;
  bool needs_whole;  // verified only when nothing was left unread
};

constexpr NumberRow kNumbers[] = {
    {0x00050012, &WindowsFacts::vsm_launch_type, ZeroIsBad, true},
    {0x0005000a, &WindowsFacts::hypervisor_launch_type, ZeroIsBad, true},
    {0x000a0007, &WindowsFacts::hvci_policy, ZeroIsBad, true},
    {0x0005000c, &WindowsFacts::iommu_policy, IommuBadness, true},
    {0x000c0002, &WindowsFacts::smm_level, LowIsBad, true},
    {0x00020002, &WindowsFacts::boot_counter, Neutral, false},
    {0x00020005, &WindowsFacts::bitlocker_unlock, Neutral, false},
};

// What is verified outranks what is not; then the worse outranks the better.
template <typename T>
void Keep(const Fact<T>& seen, bool worse, std::optional<Fact<T>>& fact) {
  if (!fact.has_value() || (seen.verified && !fact->verified) ||
      (seen.verified == fact->verified && worse)) {
    fact = seen;
  }
}

class WindowsReader {
 public:
  WindowsReader(const eventlog::Log& log, crypto::HashAlg bank, uint32_t proven)
      : log_(log), bank_(bank), proven_(proven) {}

  WindowsFacts Run() && {
    facts_.whole = IsProven(kSettingsRegister);
    for (const Event& event : log_.events()) {
      if (event.register_index < registers::kCount && event.untrusted_type != eventlog::kEvNoAction)
        ReadEvent(event);
    }
    if (!facts_.whole) WithdrawWhatSpeaksForTheHost();
    return std::move(facts_);
  }

 private:
  bool IsProven(uint32_t index) const { return ((proven_ >> index) & 1u) != 0; }

  static bool IsShort(const Event& event) {
    return event.data.size() <= kShortData && (event.untrusted_type == eventlog::kEvSeparator ||
                                               event.untrusted_type == kEvCompactHash);
  }

  void ReadEvent(const Event& event) {
    const uint32_t bit = 1u << event.register_index;
    if ((bit & (kBootRegisters | kLaunchRegisters | 1u << 14)) == 0) return;
    const bool proven = IsProven(event.register_index);
    const bool verified =
        proven && eventlog::CoverageOf(log_, event, bank_) == eventlog::Coverage::kCovered;
    const bool read = eventlog::sipa::HoldsRecords(event) && ReadRecords(event, verified);
    const bool settled = verified && (read || IsShort(event));
    if (proven && !settled && (bit & (kBootRegisters | kLaunchRegisters)) != 0) {
      facts_.whole = false;
    }
  }

  bool ReadRecords(const Event& event, bool verified) {
    const eventlog::sipa::Records read = eventlog::sipa::ReadRecords(event.data);
    if (read.problem.has_value()) {
      NoteProblem(event, *read.problem);
      return false;
    }
    facts_.present |= verified && !read.records.empty();
    for (const Record& record : read.records) ReadRecord(event, record, verified);
    if (((kLaunchRegisters >> event.register_index) & 1u) != 0) {
      Keep(FactOf(event, true, verified), false, facts_.secure_launch);
    }
    return true;
  }

  void NoteProblem(const Event& event, const eventlog::sipa::Problem& problem) {
    eventlog::Defect defect;
    defect.reason = problem.reason;
    defect.offset = event.offset;
    defect.event = event.number;
    defect.register_index = event.register_index;
    defect.text = problem.text;
    eventlog::AddDefect(facts_.problems, std::move(defect));
  }

  template <typename T>
  static Fact<T> FactOf(const Event& event, T value, bool verified) {
    return {.value = value,
            .verified = verified,
            .event = event.number,
            .register_index = event.register_index};
  }

  void ReadRecord(const Event& event, const Record& record, bool verified) {
    for (const FlagRow& row : kFlags) {
      if (row.id != record.id) continue;
      const bool value = record.AsBoolean();
      Keep(FactOf(event, value, verified), value == row.bad, facts_.*row.fact);
      return;
    }
    for (const NumberRow& row : kNumbers) {
      if (row.id != record.id) continue;
      const uint64_t value = record.AsNumber();
      const WindowsNumber& had = facts_.*row.fact;
      const bool worse = had.has_value() && row.badness(value) > row.badness(had->value);
      Keep(FactOf(event, value, verified), worse, facts_.*row.fact);
      return;
    }
  }

  void WithdrawWhatSpeaksForTheHost() {
    for (const FlagRow& row : kFlags) {
      WindowsFlag& fact = facts_.*row.fact;
      if (fact.has_value() && fact->value != row.bad) fact->verified = false;
    }
    for (const NumberRow& row : kNumbers) {
      WindowsNumber& fact = facts_.*row.fact;
      if (row.needs_whole && fact.has_value() && row.badness(fact->value) != kBad) {
        fact->verified = false;
      }
    }
  }

  const eventlog::Log& log_;
  const crypto::HashAlg bank_;
  const uint32_t proven_;
  WindowsFacts facts_;
};

template <typename T>
bool IsVerified(const std::optional<Fact<T>>& fact) {
  return fact.has_value() && fact->verified;
}

// On: the hypervisor was told to use it, or VBS, which started, demands it. Off: it was told not
// to. Its default depends on the machine: then nothing is known.
std::optional<bool> IommuEnabled(const WindowsFacts& facts) {
  if (IsVerified(facts.iommu_policy) && facts.iommu_policy->value != 0) {
    return facts.iommu_policy->value == 1;
  }
  const bool vbs = IsVerified(facts.vsm_launch_type) && facts.vsm_launch_type->value != 0;
  if (vbs && IsVerified(facts.iommu_required) && facts.iommu_required->value) return true;
  return std::nullopt;
}

}  // namespace

WindowsFacts ReadWindowsFacts(const eventlog::Log& log, crypto::HashAlg bank,
                              uint32_t proven_registers) {
  return WindowsReader(log, bank, proven_registers).Run();
}

void ReportWindowsBoot(const WindowsFacts& facts, Notes& notes) {
  for (const eventlog::Defect& problem : facts.problems) {
    const bool bomb = problem.reason == Reason::kLogLimit;
    Finding& finding = notes.Add(problem.reason, bomb ? Severity::kFail : Severity::kWarning,
                                 absl::StrCat("Boot log: ", problem.text, "."));
    finding.register_index = problem.register_index;
    finding.event = problem.event;
  }
  if (!facts.present) return;
  const auto add_not = [&](const char* type, const WindowsFlag& fact) {
    if (IsVerified(fact)) notes.AddClaim(type, !fact->value);
  };
  add_not("bootDebuggingDisabled", facts.boot_debugging);
  add_not("notSafeMode", facts.safe_mode);
  add_not("notWinPE", facts.win_pe);
  if (const auto iommu = IommuEnabled(facts)) notes.AddClaim("iommuEnabled", *iommu);
  if (IsVerified(facts.vsm_launch_type)) {
    notes.AddClaim("vbsEnabled", facts.vsm_launch_type->value != 0);
  }
  // Evidence of this kind never holds an enclave's report.
  notes.AddClaim("vbsReportPresent", false);
  if (facts.whole) {
    notes.Checked("what Windows' boot programs measured, from PCR 12 and 13");
  } else {
    notes.NotChecked("the settings that Windows' boot programs measured, as a whole",
                     "some events of PCR 12 or 13 are not covered by their digests, or cannot be "
                     "read: only what speaks against the host was used");
  }
}

}  // namespace bootgate::gatekeeper::appraisal
