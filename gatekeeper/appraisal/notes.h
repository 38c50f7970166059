// Where an appraisal collects what it finds: findings, claims, and what was and was not looked at.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "gatekeeper/claims/finding.h"

namespace bootgate::gatekeeper::appraisal {

// Writes into an appraisal's own lists, which must outlive it.
class Notes {
 public:
  Notes(std::vector<Finding>& findings, std::vector<Claim>& claims, Coverage& coverage)
      : findings_(findings), claims_(claims), coverage_(coverage) {}

  // The finding, for the caller to add register, event and values to; good until the next Add.
  Finding& Add(Reason code, Severity severity, std::string text) {
    Finding& finding = findings_.emplace_back();
    finding.code = code;
    finding.severity = severity;
    finding.text = std::move(text);
    return finding;
  }

  void AddClaim(std::string type, ClaimValue value) {
    Claim& claim = claims_.emplace_back();
    claim.type = std::move(type);
    claim.value = std::move(value);
  }

  void Checked(std::string what) { coverage_.checked.push_back(std::move(what)); }
  void NotChecked(std::string what, std::string why) {
    coverage_.not_checked.push_back({std::move(what), std::move(why)});
  }

  bool Found(Reason code) const {
    return std::ranges::any_of(findings_, [&](const Finding& f) { return f.code == code; });
  }

  bool HasFailure() const {
    return std::ranges::any_of(findings_,
                               [](const Finding& f) { return f.severity == Severity::kFail; });
  }

 private:
  std::vector<Finding>& findings_;
  std::vector<Claim>& claims_;
  Coverage& coverage_;
};

}  // namespace bootgate::gatekeeper::appraisal
