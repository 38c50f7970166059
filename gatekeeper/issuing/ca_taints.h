// Taints of CAs as all gatekeepers of a store know them: documents of the kind "ca-taint", assigned
// to the CA's key id.
#pragma once

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::issuing {

inline constexpr char kCaTaintKind[] = "ca-taint";

// Key ids, lower-case hex.
absl::StatusOr<std::set<std::string>> TaintedCas(store::Store& store);

struct CaTaint {
  std::string key_id;  // lower-case hex
  std::string ca_id, why;
};
// Never taken back: another CA is made instead. With the audit row of the step, whose actor and
// time are the taint's.
absl::Status PutCaTaint(store::Store& store, const CaTaint& taint, const store::AuditRow& audit);

}  // namespace bootgate::gatekeeper::issuing
