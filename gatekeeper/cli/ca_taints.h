// Taints of CAs as all gatekeepers of a store know them: documents of the kind "ca-taint", assigned
// to the CA's key id.
#pragma once

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

inline constexpr char kCaTaintKind[] = "ca-taint";

// Key ids, lower-case hex.
absl::StatusOr<std::set<std::string>> TaintedCas(store::Store& store);

// Never taken back: another CA is made instead. With the audit row of the step.
absl::Status PutCaTaint(const Operator& op, const std::string& key_id, const std::string& ca_id,
                        const std::string& why, const store::AuditRow& audit);

}  // namespace bootgate::gatekeeper::cli
