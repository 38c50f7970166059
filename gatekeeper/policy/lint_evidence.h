// Which rules permit on evidence: claims that a host that must not be admitted lacks.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gatekeeper/policy/ast.h"

namespace bootgate::gatekeeper::policy {

// Follows the rules in their order: what a rule adds is worth what it was made from.
class Evidence {
 public:
  // Whether the rule's conditions cannot all hold on a host that proves nothing.
  bool Demanded(const Rule& rule) const;
  // Takes in what the rule adds, for the rules after it.
  void Add(const Rule& rule);

 private:
  // What a claim that the policy adds stands for.
  struct Added {
    bool presence = true;  // wherever it is, there was evidence
    bool value = true;     // its value comes from evidence
  };
  bool IsEvidence(const Condition& condition) const;
  bool FromEvidence(const Rule& rule, const Expression& value) const;

  absl::flat_hash_map<std::string, Added> added_;
};

}  // namespace bootgate::gatekeeper::policy
