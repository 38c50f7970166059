// Which of the changes between two boots are causes, and which follow from them?
//
// By what an event is about: Secure Boot, then who booted whom, then the command line, then keys,
// images and firmware. What a boot loader measures only because it runs, or only because the
// command line passes through it, is a consequence.
#pragma once

#include <string>
#include <vector>

#include "common/eventlog/log.h"
#include "gatekeeper/diagnosis/diff.h"

namespace bootgate::gatekeeper::diagnosis {

// One change, with its events; borrows the logs. Both null: the register's start differs.
struct SeenChange {
  uint32_t register_index = 0;
  const eventlog::Event* first = nullptr;
  const eventlog::Event* second = nullptr;
  ChangeKind kind = ChangeKind::kChanged;
  std::string text;
};

// At most kMaxCauses sentences, none twice; empty only when there are no changes.
std::vector<std::string> PickCauses(const eventlog::Log& first, const eventlog::Log& second,
                                    std::vector<SeenChange> changes);

// Who took part in the boot, in order: "firmware, shim, GRUB, kernel"; as the log tells it.
std::string BootChain(const eventlog::Log& log);

}  // namespace bootgate::gatekeeper::diagnosis
