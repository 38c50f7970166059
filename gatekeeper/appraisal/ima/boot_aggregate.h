// Does the list belong to this boot? Its first entry must be boot_aggregate, and that of the
// registers which the kernel found.
//
// A kernel started by kexec goes on with the list of the one before and adds an aggregate of its
// own. Where that is allowed every one of them must be right; else a second one is IMA_KEXEC,
// because another boot's list joined on looks the same.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "common/ima/entry.h"
#include "common/registers/bank.h"
#include "gatekeeper/appraisal/notes.h"
#include "gatekeeper/claims/bounded_findings.h"

namespace bootgate::gatekeeper::appraisal::ima_list {

struct AggregateInput {
  uint64_t first_entry = 0;  // entries of this boot that came before the first one
  bool kexec_allowed = false;
  // The registers that the kernel found, in this algorithm's bank; nullptr: not known. Without
  // this function there is no quote.
  std::function<const registers::RegisterBank*(crypto::HashAlg)> bank;
};

// Entry by entry, in order; `notes` must outlive it.
class AggregateCheck {
 public:
  AggregateCheck(AggregateInput input, Notes& notes) : input_(std::move(input)), notes_(notes) {}

  void Check(const ima::Entry& entry);
  void Finish();  // once, at the end

 private:
  Finding& Add(Reason code, const ima::Entry& entry, std::string text);
  void ReportSecond(const ima::Entry& entry);
  void Compare(const ima::Entry& entry);

  const AggregateInput input_;
  Notes& notes_;
  BoundedFindings bound_;
  bool unknown_said_ = false;
};

}  // namespace bootgate::gatekeeper::appraisal::ima_list
