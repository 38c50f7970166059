#include "gatekeeper/audit/list.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::audit {
namespace {

constexpr int kPageRows = 1000;
constexpr int64_t kMaxLookedAt = 100'000;  // rows of one call

bool IsAction(const std::string& wanted, const std::string& action) {
  absl::string_view noun = wanted;
  return absl::ConsumeSuffix(&noun, "*") ? absl::StartsWith(action, noun) : action == wanted;
}

bool Fits(const AuditFilter& filter, const store::AuditRow& row) {
  return (filter.actor.empty() || row.actor == filter.actor) &&
         (filter.action.empty() || IsAction(filter.action, row.action)) &&
         (filter.subject.empty() || row.subject == filter.subject) && row.at >= filter.since &&
         row.at < filter.until;
}

}  // namespace

absl::StatusOr<AuditPage> ListTrail(store::Store& store, const AuditFilter& filter, int64_t after,
                                    size_t limit) {
  AuditPage out;
  for (int64_t looked_at = 0; looked_at < kMaxLookedAt; looked_at += kPageRows) {
    BG_ASSIGN_OR_RETURN(std::vector<store::AuditRow> rows, store.ListAudit(after, kPageRows));
    for (store::AuditRow& row : rows) {
      after = row.sequence;
      if (!Fits(filter, row)) continue;
      out.rows.push_back(std::move(row));
      if (out.rows.size() == limit) {
        out.next = after;
        return out;
      }
    }
    if (rows.size() < kPageRows) return out;
  }
  out.next = after;
  return out;
}

}  // namespace bootgate::gatekeeper::audit
