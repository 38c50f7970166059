// `selftest`: would this host pass a policy, finding by finding, before it joins anything.
#pragma once

#include <string>
#include <vector>

#include "agent/app/config.h"
#include "agent/app/verbs.h"
#include "common/base/exit_code.h"

namespace bootgate::agent::app {

struct SelftestWords {
  std::string policy_file, reference_file;
  std::vector<std::string> set_files;
  std::string selection = "sha256:0-14";
};

// 0: would pass. 6: would be denied. 7: its evidence would be refused.
ExitCode SelftestVerb(const Config& config, const SelftestWords& words, OutputFormat format);

}  // namespace bootgate::agent::app
