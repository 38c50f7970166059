#include "gatekeeper/appraisal/ima/boot_aggregate.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/ima/fields.h"
#include "common/ima/replay.h"

namespace bootgate::gatekeeper::appraisal::ima_list {
namespace {

constexpr uint32_t kImaRegister = 10;

bool IsAggregate(const ima::Entry& entry) {
  return entry.register_index == kImaRegister && !entry.violation && !entry.HoldsBuffer() &&
         entry.path == "boot_aggregate";
}

}  // namespace

void AggregateCheck::Check(const ima::Entry& entry) {
  const bool first = input_.first_entry + entry.number == 0;
  if (IsAggregate(entry)) {
    if (!first && !input_.kexec_allowed) ReportSecond(entry);
    if (first || input_.kexec_allowed) Compare(entry);
  } else if (first) {
    Add(Reason::kImaAggregateMissing, entry, "The IMA list does not begin with boot_aggregate.");
  }
}

void AggregateCheck::Finish() {
  std::vector<Finding> closing;
  bound_.Close(Severity::kFail, &closing);
  for (const Finding& finding : closing) notes_.Add(finding.code, finding.severity, finding.text);
}

Finding& AggregateCheck::Add(Reason code, const ima::Entry& entry, std::string text) {
  Finding& finding = notes_.Add(code, Severity::kFail, std::move(text));
  finding.register_index = kImaRegister;
  finding.event = static_cast<uint32_t>(input_.first_entry + entry.number);
  return finding;
}

void AggregateCheck::ReportSecond(const ima::Entry& entry) {
  if (!bound_.Take(Reason::kImaKexec)) return;
  Add(Reason::kImaKexec, entry,
      absl::StrCat("IMA entry ", input_.first_entry + entry.number,
                   " is a second boot_aggregate: another boot's list was joined on, or the "
                   "kernel was started by kexec."));
}

void AggregateCheck::Compare(const ima::Entry& entry) {
  const auto alg = ima::DigestAlg(entry.digest_name);
  const registers::RegisterBank* const bank = alg && input_.bank ? input_.bank(*alg) : nullptr;
  const auto known =
      bank != nullptr ? ima::BootAggregates(*bank) : std::vector<ima::BootAggregateValue>();
  if (known.empty()) {
    if (std::exchange(unknown_said_, true)) return;
    notes_.NotChecked("boot_aggregate of the IMA list",
                      input_.bank ? absl::StrCat("it is in ", Printable(entry.digest_name, 32),
                                                 ", and the quote does not cover PCR 0-9 of that "
                                                 "bank")
                                  : "it needs the quoted PCR 0-9");
    return;
  }
  const auto same = [&](const ima::BootAggregateValue& value) {
    return SameBytes(value.digest.view(), entry.file_digest);
  };
  if (std::ranges::any_of(known, same)) {
    if (entry.number == 0) notes_.Checked("boot_aggregate against the quoted registers");
    return;
  }
  if (!bound_.Take(Reason::kImaBootAggregate)) return;
  Finding& finding = Add(Reason::kImaBootAggregate, entry,
                         "boot_aggregate is not that of the quoted registers: list and boot do "
                         "not belong together.");
  finding.expected = known.front().digest.hex();
  finding.actual = ToHex(entry.file_digest);
}

}  // namespace bootgate::gatekeeper::appraisal::ima_list
