#include "gatekeeper/policy/reads.h"

#include <algorithm>

#include "gatekeeper/policy/selection.h"

namespace bootgate::gatekeeper::policy {
namespace {

void AddConditions(const std::vector<Rule>& rules, ReadTypes& reads) {
  for (const Rule& rule : rules) {
    for (const Condition& condition : rule.conditions) {
      const std::string* const type = TypeSelected(condition);
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
