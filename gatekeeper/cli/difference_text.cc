#include "gatekeeper/cli/difference_text.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;
using rollout::Change;
using rollout::Difference;

void AddRows(const std::vector<Change>& changes, std::vector<std::vector<std::string>>* rows) {
  for (const Change& change : changes) {
    rows->push_back({change.host_id, OrDash(change.hostname),
                     absl::StrCat(OrDash(change.from), " -> ", change.to),
                     absl::StrJoin(change.codes, " "), change.why});
  }
}

ordered_json ToJson(const std::vector<Change>& changes) {
  ordered_json out = ordered_json::array();
  for (const Change& change : changes) {
    out.push_back({{"host", change.host_id},
                   {"name", Printable(change.hostname)},
                   {"from", change.from},
                   {"to", change.to},
                   {"codes", change.codes},
                   {"why", change.why}});
  }
  return out;
}

}  // namespace

void PrintDifference(const Difference& difference, std::ostream& out) {
  out << difference.hosts << " hosts: " << difference.same << " the same, "
      << difference.to_deny.size() << " would be denied, " << difference.to_admit.size()
      << " would be admitted, " << difference.not_compared.size() << " not compared\n";
  std::vector<std::vector<std::string>> rows;
  AddRows(difference.to_deny, &rows);
  AddRows(difference.to_admit, &rows);
  if (!rows.empty()) out << "\n" << FormatTable({"HOST", "NAME", "CHANGE", "CODES", "WHY"}, rows);
  rows.clear();
  for (const rollout::NotCompared& row : difference.not_compared)
    rows.push_back({row.host_id, row.why});
  if (!rows.empty()) out << "\n" << FormatTable({"NOT COMPARED", "WHY"}, rows);
}

std::string DifferenceJson(const Difference& difference, int indent) {
  ordered_json out = {{"hosts", difference.hosts},
                      {"same", difference.same},
                      {"to_deny", ToJson(difference.to_deny)},
                      {"to_admit", ToJson(difference.to_admit)},
                      {"not_compared", ordered_json::array()}};
  for (const rollout::NotCompared& row : difference.not_compared)
    out["not_compared"].push_back({{"host", row.host_id}, {"why", row.why}});
  return out.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace bootgate::gatekeeper::cli
