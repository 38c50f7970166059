// What applies to a host, of what stands. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::rollout {

inline constexpr char kPolicyKind[] = "policy";
inline constexpr char kReferenceKind[] = "reference";
inline constexpr char kSignerKind[] = "policy-signer";

// Borrowed from the Assignments; nullptr: nothing.
struct Applied {
  const store::AssignmentRow* enforced = nullptr;
  // What would be enforced for this host if everything that is reported on were enforced where it
  // is assigned; nullptr when that is nothing new.
  const store::AssignmentRow* candidate = nullptr;
};

// All standing assignments of one kind, as Store::ListAssignments gives them.
class Assignments {
 public:
  Assignments() = default;
  explicit Assignments(std::vector<store::AssignmentRow> rows);

  // The most specific selector that fits wins: selector.h.
  Applied For(const std::map<std::string, std::string>& labels) const;
  // Of exactly this selector.
  Applied Of(const std::string& selector) const;

  const std::vector<store::AssignmentRow>& rows() const { return rows_; }

 private:
  std::vector<store::AssignmentRow> rows_;  // the most specific first
};

}  // namespace bootgate::gatekeeper::rollout
