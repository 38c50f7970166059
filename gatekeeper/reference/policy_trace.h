// What an IMA list shows of the policy it was made under: two lists with different traces are
// comparable only in part.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "common/base/bytes_view.h"

namespace bootgate::gatekeeper::reference {

struct PolicyTrace {
  std::set<std::string> buffers;       // keyrings, critical data
  std::set<std::string> policy_files;  // path and digest
  friend bool operator==(const PolicyTrace&, const PolicyTrace&) = default;
};

// Under which name it is kept for entries that were judged (ImaProgress::notes).
inline constexpr char kPolicyTraceNote[] = "reference/policy-trace";

Bytes Encode(const PolicyTrace& trace);
// nullopt for what Encode does not make.
std::optional<PolicyTrace> DecodePolicyTrace(ByteView encoded);

}  // namespace bootgate::gatekeeper::reference
