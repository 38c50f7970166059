#include "gatekeeper/appraisal/ima/boot_aggregate.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/ima/fields.h"
#include "common/ima/replay.h"
#include "gatekeeper/claims/bounded_findings.h"

namespace bootgate::gatekeeper::appraisal::ima_list {
namespace {

constexpr uint32_t kImaRegister = 10;

bool IsAggregate(const ima::Entry& entry) {
  return entry.register_index == kImaRegister && !entry.violation && !entry.HoldsBuffer() &&
         entry.path == "boot_aggregate";
}

class AggregateCheck {
 public:
  AggregateCheck(const AggregateInput& input, Notes& notes) : input_(input), notes_(notes) {}

  void Run() {
    for (size_t i = 0; i < input_.count; ++i) {
      const ima::Entry entry = input_.entries[i];
      const bool first = input_.first_entry + i == 0;
      if (IsAggregate(entry)) {
        if (!first && !input_.kexec_allowed) ReportSecond(i);
        if (first || input_.kexec_allowed) Compare(entry, i);
      } else if (first) {
        Add(Reason::kImaAggregateMissing, i, "The IMA list does not begin with boot_aggregate.");
      }
    }
    bound_.Close(Severity::kFail, &closing_);
    for (const Finding& finding : closing_)
      notes_.Add(finding.code, finding.severity, finding.text);
  }

 private:
  Finding& Add(Reason code, size_t entry, std::string text) {
    Finding& finding = notes_.Add(code, Severity::kFail, std::move(text));
    finding.register_index = kImaRegister;
    finding.event = static_cast<uint32_t>(input_.first_entry + entry);
    return finding;
  }

  void ReportSecond(size_t entry) {
    if (!bound_.Take(Reason::kImaKexec)) return;
    Add(Reason::kImaKexec, entry,
        absl::StrCat("IMA entry ", input_.first_entry + entry,
                     " is a second boot_aggregate: another boot's list was joined on, or the "
                     "kernel was started by kexec."));
  }

  void Compare(const ima::Entry& entry, size_t number) {
    const auto alg = ima::DigestAlg(entry.digest_name);
    const registers::RegisterBank* const bank = alg ? input_.bank(*alg) : nullptr;
    const auto known =
        bank != nullptr ? ima::BootAggregates(*bank) : std::vector<ima::BootAggregateValue>();
    if (known.empty()) {
      notes_.NotChecked("boot_aggregate of the IMA list",
                        absl::StrCat("it is in ", Printable(entry.digest_name, 32),
                                     ", and the quote does not cover PCR 0-9 of that bank"));
      return;
    }
    const auto same = [&](const ima::BootAggregateValue& value) {
      return SameBytes(value.digest.view(), entry.file_digest);
    };
    if (std::ranges::any_of(known, same)) {
      if (number == 0) notes_.Checked("boot_aggregate against the quoted registers");
      return;
    }
    if (!bound_.Take(Reason::kImaBootAggregate)) return;
    Finding& finding = Add(Reason::kImaBootAggregate, number,
                           "boot_aggregate is not that of the quoted registers: list and boot do "
                           "not belong together.");
    finding.expected = known.front().digest.hex();
    finding.actual = ToHex(entry.file_digest);
  }

  const AggregateInput& input_;
  Notes& notes_;
  BoundedFindings bound_;
  std::vector<Finding> closing_;
};

}  // namespace

void CheckBootAggregates(const AggregateInput& input, Notes& notes) {
  AggregateCheck(input, notes).Run();
}

}  // namespace bootgate::gatekeeper::appraisal::ima_list
