// `[actions]`, `[waivers]`, `[brake]` and `[quarantine]` of the configuration: what failing comes
// to.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/config/config_file.h"
#include "gatekeeper/quarantine/brake.h"
#include "gatekeeper/quarantine/waivers.h"
#include "gatekeeper/softening/actions.h"

namespace bootgate::gatekeeper::app {

struct QuarantineConfig {
  softening::Actions actions;
  absl::Duration longest_waiver = quarantine::kLongestWaiver;
  quarantine::BrakeOptions brake;
  bool second_approver = false;  // who resolves an incident may not release its host
};

// Complaints name the key; a code that does not exist, or that may not come to this, is one.
void ReadQuarantine(config::ConfigFile& file, QuarantineConfig* out);

// The codes of one action, "A,B". Empty: none.
std::string CodesOf(const softening::Actions& actions, Action action);

}  // namespace bootgate::gatekeeper::app
