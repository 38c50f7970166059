// Settings that make a check weaker than the default does: allowed, and never in silence. They
// stand in the configuration alone; the log, /metrics and the verbs about hosts tell of them.
#pragma once

#include <string>
#include <vector>

#include "gatekeeper/app/config.h"

namespace bootgate::gatekeeper::app {

struct WeakOption {
  std::string key;    // "ek.mode"
  std::string value;  // as set
  std::string why;    // what it lets through, a sentence
};
std::vector<WeakOption> WeakOptions(const Config& config);

// A line each: "warning: ek.mode = chain: ...". Empty when there is none.
std::string WeakOptionsText(const Config& config);

}  // namespace bootgate::gatekeeper::app
