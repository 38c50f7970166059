#include "gatekeeper/cli/policy_diff.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "gatekeeper/cli/difference_text.h"
#include "gatekeeper/rollout/assignments.h"
#include "gatekeeper/rollout/fleet.h"
#include "gatekeeper/rollout/selector.h"
#include "gatekeeper/rollout/versions.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

struct Compared {
  store::AssignmentRow candidate;
  std::string enforced;  // "" where nothing is enforced for this very selector
  rollout::Difference difference;
};

std::string Named(const store::AssignmentRow* row) {
  return row == nullptr ? "" : rollout::VersionText(row->name, row->version);
}

absl::StatusOr<std::vector<Compared>> CompareAll(const Operator& op,
                                                 const std::optional<std::string>& selector) {
  std::string wanted;
  if (selector.has_value()) {
    BG_ASSIGN_OR_RETURN(wanted, rollout::ReadSelector(*selector));
  }
  BG_ASSIGN_OR_RETURN(std::vector<store::AssignmentRow> rows,
                      op.store.ListAssignments(rollout::kPolicyKind));
  const rollout::Assignments standing(std::move(rows));
  std::vector<Compared> out;
  for (const store::AssignmentRow& row : standing.rows()) {
    if (row.step != store::Step::kReport) continue;
    if (selector.has_value() && row.selector != wanted) continue;
    BG_ASSIGN_OR_RETURN(rollout::Difference difference,
                        rollout::ReportedDifference(op.store, row.selector));
    out.push_back({.candidate = row,
                   .enforced = Named(standing.Of(row.selector).enforced),
                   .difference = std::move(difference)});
  }
  if (out.empty())
    return absl::NotFoundError("no policy is reported on; `policy activate --mode report` does it");
  return out;
}

ordered_json ToJson(const Compared& row) {
  ordered_json out = {{"selector", row.candidate.selector},
                      {"enforced", row.enforced},
                      {"candidate", Named(&row.candidate)},
                      {"since", FormatUtc(row.candidate.at)}};
  out.update(ordered_json::parse(DifferenceJson(row.difference)));
  return out;
}

}  // namespace

ExitCode PolicyDiff(const Operator& op, const std::optional<std::string>& selector) {
  const absl::StatusOr<std::vector<Compared>> all = CompareAll(op, selector);
  if (!all.ok()) return Fail(op.err, all.status());
  if (op.format == OutputFormat::kJson) {
    ordered_json out = ordered_json::array();
    for (const Compared& row : *all) out.push_back(ToJson(row));
    op.out << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    return ExitCode::kSuccess;
  }
  for (const Compared& row : *all) {
    op.out << "for " << rollout::ForWhom(row.candidate.selector) << ": " << Named(&row.candidate)
           << ", reported on since " << FormatUtc(row.candidate.at)
           << (row.enforced.empty() ? "" : absl::StrCat(", against ", row.enforced)) << "\n";
    PrintDifference(row.difference, op.out);
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
