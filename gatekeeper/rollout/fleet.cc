#include "gatekeeper/rollout/fleet.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::rollout {
namespace {

constexpr char kAdmit[] = "ADMIT", kDeny[] = "DENY";

absl::Status NotNow(absl::string_view why) { return absl::FailedPreconditionError(why); }

// How one host's two outcomes are found; an error says why they are not.
struct Pair {
  Judged before, after;
};
using Compare =
    std::function<absl::StatusOr<Pair>(const store::VerdictRow& verdict, const Applied& applied)>;

void Count(const host::HostRecord& host, Pair pair, Difference* out) {
  if (pair.before.outcome == pair.after.outcome) {
    ++out->same;
    return;
  }
  const bool denies = pair.after.outcome == kDeny;
  Judged& denying = denies ? pair.after : pair.before;
  Change change;
  change.host_id = host.id;
  change.hostname = host.hostname;
  change.from = pair.before.outcome;
  change.to = pair.after.outcome;
  change.codes = std::move(denying.codes);
  change.why = std::move(denying.why);
  (denies ? out->to_deny : out->to_admit).push_back(std::move(change));
}

absl::StatusOr<Pair> PairOf(store::Store& store, const host::HostRecord& host,
                            const Applied& applied, const Compare& compare) {
  if (host.last_verdict_id.empty()) return NotNow("it has no verdict yet");
  BG_ASSIGN_OR_RETURN(const store::VerdictRow verdict, store.GetVerdict(host.last_verdict_id));
  return compare(verdict, applied);
}

// Hosts that are retired attest no more.
absl::StatusOr<Difference> OverFleet(store::Store& store, const Assignments& assignments,
                                     const std::string& selector, const Compare& compare) {
  std::vector<std::string> corrupt;
  BG_ASSIGN_OR_RETURN(const std::vector<host::HostRecord> hosts, store.ListHosts(&corrupt));
  Difference out;
  for (const host::HostRecord& host : hosts) {
    const Applied applied = assignments.For(host.labels);
    const bool concerned = applied.candidate != nullptr && applied.candidate->selector == selector;
    if (!concerned || host.trust == host::Trust::kRetired) continue;
    ++out.hosts;
    absl::StatusOr<Pair> pair = PairOf(store, host, applied, compare);
    if (pair.ok()) {
      Count(host, *std::move(pair), &out);
    } else {
      out.not_compared.push_back({host.id, Printable(pair.status().message())});
    }
  }
  for (const std::string& id : corrupt)
    out.not_compared.push_back({Printable(id), "its record is corrupt"});
  return out;
}

std::string IdOf(const store::AssignmentRow* row) { return row == nullptr ? "" : row->document_id; }

absl::StatusOr<Pair> Reported(const store::VerdictRow& verdict, const Applied& applied) {
  BG_ASSIGN_OR_RETURN(JudgedTwice judged, ReadJudged(verdict));
  if (!judged.report.has_value() || judged.report->policy_id != IdOf(applied.candidate))
    return NotNow("it has not attested since this policy is reported on");
  if (judged.enforced.policy_id != IdOf(applied.enforced))
    return NotNow("it has not attested since its enforced policy changed");
  if (judged.report->outcome != kAdmit && judged.report->outcome != kDeny)
    return NotNow(absl::StrCat(judged.report->outcome, " by this policy: ", judged.report->why));
  return Pair{std::move(judged.enforced), *std::move(judged.report)};
}

// The standing assignments as if `id` were reported on for `selector` and nothing else were.
absl::StatusOr<Assignments> With(store::Store& store, const std::string& selector,
                                 const std::string& id) {
  BG_ASSIGN_OR_RETURN(std::vector<store::AssignmentRow> rows, store.ListAssignments(kPolicyKind));
  std::erase_if(rows, [](const auto& row) { return row.step == store::Step::kReport; });
  store::AssignmentRow row;
  row.selector = selector;
  row.document_id = id;
  row.step = store::Step::kReport;
  rows.push_back(row);
  return Assignments(std::move(rows));
}

}  // namespace

absl::StatusOr<Difference> ReportedDifference(store::Store& store, const std::string& selector) {
  BG_ASSIGN_OR_RETURN(std::vector<store::AssignmentRow> rows, store.ListAssignments(kPolicyKind));
  const Assignments assignments(std::move(rows));
  if (assignments.Of(selector).candidate == nullptr)
    return absl::NotFoundError("no policy is reported on there");
  return OverFleet(store, assignments, selector, Reported);
}

absl::StatusOr<Difference> PlannedDifference(store::Store& store, const std::string& selector,
                                             const policy::Policy& policy, uint32_t quoted_mask) {
  BG_ASSIGN_OR_RETURN(const Assignments assignments, With(store, selector, policy.id()));
  return OverFleet(
      store, assignments, selector,
      [&](const store::VerdictRow& verdict, const Applied& applied) -> absl::StatusOr<Pair> {
        absl::StatusOr<Pair> reported = Reported(verdict, applied);
        if (reported.ok()) return reported;
        BG_ASSIGN_OR_RETURN(JudgedTwice judged, ReadJudged(verdict));
        BG_ASSIGN_OR_RETURN(Judged planned, Plan(verdict, policy, quoted_mask));
        return Pair{std::move(judged.enforced), std::move(planned)};
      });
}

}  // namespace bootgate::gatekeeper::rollout
