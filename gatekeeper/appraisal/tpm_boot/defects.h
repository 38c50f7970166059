// The log's own defects as findings: which of them deny, and which are only told.
#pragma once

#include <set>
#include <utility>

#include "gatekeeper/appraisal/tpm_boot/context.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

// Reports each defect once, whoever met it.
class DefectReporter {
 public:
  explicit DefectReporter(const Context& context) : context_(context) {}
  void Report(const eventlog::Defect& defect);

 private:
  bool LacksOnlyUnquotedBanks(const eventlog::Defect& defect) const;

  const Context& context_;
  std::set<std::pair<Reason, size_t>> reported_;
};

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
