// The gatekeeper's judging of an IMA list, without a gatekeeper: entries by themselves, by
// reference sets and by the keys that signed files, as they are read.
//
// All judging is that of the gatekeeper (gatekeeper/appraisal/ima, gatekeeper/reference); here it
// is put together for a list of any length, in a fixed amount of memory.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/ima/entry.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/reference/ima_rules.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/judge_entries.h"

namespace bootgate::gatekeeper::cli {

struct ImaJudging {
  std::vector<std::shared_ptr<const reference::ImaSet>> sets;
  reference::ImaRules rules;
  absl::Time at;
};

struct ImaListJudged {
  uint64_t entries = 0;
  uint64_t violations = 0;
  reference::JudgedEntries counts;  // without its findings
  std::vector<Finding> findings;    // by entry
  Coverage coverage;                // what was not checked
};

class ImaListJudge {
 public:
  // kInvalidArgument names the pattern or key of a set that cannot be used.
  static absl::StatusOr<std::unique_ptr<ImaListJudge>> Make(ImaJudging judging);
  virtual ~ImaListJudge() = default;

  // In order. The bytes of the entry must stay until the next Flush.
  virtual void Add(const ima::Entry& entry) = 0;
  virtual void Flush() = 0;
  virtual ImaListJudged Finish() = 0;  // once
};

}  // namespace bootgate::gatekeeper::cli
