// What a list shows at large: counts, which kernel, which keys, whether IMA's policy was measured.
//
// Bounded, whatever the list: names past kMaxNames are counted together.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/ima/entry.h"

namespace bootgate::gatekeeper::cli {

class ImaListSummary {
 public:
  static constexpr size_t kMaxNames = 64;  // of each kind

  void Add(const ima::Entry& entry);

  size_t entries() const { return entries_; }
  size_t violations() const { return violations_; }
  const std::map<std::string, size_t>& templates() const { return templates_; }

  // For people: "key", "value".
  std::vector<std::pair<std::string, std::string>> Lines() const;

 private:
  using Counts = std::map<std::string, size_t>;

  void AddRecord(const ima::Entry& entry);

  size_t entries_ = 0, violations_ = 0, signed_ = 0, aggregates_ = 0;
  Counts templates_, registers_, digests_;
  Counts kernels_, keyrings_, records_, policy_files_;
};

// An entry of the kernel about something else than a file, with the buffer that its digest names.
bool IsProvenRecord(const ima::Entry& entry);

// The file that IMA's policy is loaded from, when it was measured.
bool IsImaPolicy(const ima::Entry& entry);

}  // namespace bootgate::gatekeeper::cli
