// Findings of one kind from a hostile list: the first ones in full, the rest as a count.
//
// A list of a million bad entries must not become a verdict of a million sentences.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper {

class BoundedFindings {
 public:
  static constexpr size_t kMaxPerCode = 500;

  // Counts a finding of `code`; true when there is still room to say it in full.
  bool Take(Reason code) { return ++counts_[code] <= kMaxPerCode; }

  // One closing finding per code that had more than fitted.
  void Close(Severity severity, std::vector<Finding>* out) const {
    for (const auto& [code, count] : counts_) {
      if (count <= kMaxPerCode) continue;
      Finding finding;
      finding.code = code;
      finding.severity = severity;
      finding.text = absl::StrCat("and ", count - kMaxPerCode, " more findings of this kind");
      out->push_back(std::move(finding));
    }
  }

 private:
  std::map<Reason, size_t> counts_;
};

}  // namespace bootgate::gatekeeper
