// Findings that would fail a host, made milder where configuration or a waiver says so: what one
// judgement goes by, beside policy and reference. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/softening/actions.h"
#include "gatekeeper/softening/waiver.h"

namespace bootgate::gatekeeper::softening {

struct Softening {
  Actions actions;
  std::vector<Waiver> waivers;  // that stand for this host now
};

// Gives each failing finding its action, and makes a warning of those that come to kObserve or that
// a waiver covers; a sentence says so. What is not of DENY's class stays as it is. Doing it twice
// changes nothing.
void Soften(const Softening& softening, std::vector<Finding>* findings);

// Whether a waiver looks at paths: those are not kept with what is known of a list.
bool LooksAtPaths(const Softening& softening);

// For evidence that is judged again elsewhere: one line of JSON, and back. kInvalidArgument.
std::string SofteningText(const Softening& softening);
absl::StatusOr<Softening> ReadSoftening(absl::string_view text);

}  // namespace bootgate::gatekeeper::softening
