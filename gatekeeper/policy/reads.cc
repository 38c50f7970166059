#include "gatekeeper/policy/reads.h"

#include <algorithm>

namespace bootgate::gatekeeper::policy {
namespace {

// The one type that a condition can select; nullptr when it may be any.
const std::string* TypeOf(const Condition& condition) {
  for (const Comparison& comparison : condition.comparisons) {
    if (comparison.property != Property::kType || comparison.op != Operator::kEqual) continue;
    const auto* literal = std::get_if<ClaimValue>(&comparison.right.form);
    if (literal == nullptr) continue;
    if (const auto* type = std::get_if<std::string>(literal)) return type;
  }
  return nullptr;
}

void AddConditions(const std::vector<Rule>& rules, ReadTypes& reads) {
  for (const Rule& rule : rules) {
    for (const Condition& condition : rule.conditions) {
      const std::string* const type = TypeOf(condition);
      if (type == nullptr) {
        reads.all = true;
      } else {
        reads.types.push_back(*type);
      }
    }
  }
}

}  // namespace

ReadTypes TypesRead(const Program& program) {
  ReadTypes reads;
  AddConditions(program.authorization, reads);
  AddConditions(program.issuance, reads);
  std::ranges::sort(reads.types);
  reads.types.erase(std::unique(reads.types.begin(), reads.types.end()), reads.types.end());
  return reads;
}

}  // namespace bootgate::gatekeeper::policy
