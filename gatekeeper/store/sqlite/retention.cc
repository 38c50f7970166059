#include "gatekeeper/store/sqlite/retention.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "gatekeeper/store/sqlite/incidents.h"
#include "gatekeeper/store/sqlite/write.h"

namespace bootgate::gatekeeper::store::sqlite {
namespace {

// Closed long enough ago, and with evidence: oldest first.
absl::StatusOr<std::vector<std::string>> OldIncidents(Connection& db, absl::Time before,
                                                      int limit) {
  BG_ASSIGN_OR_RETURN(Statement select,
                      db.Prepare("SELECT id FROM incidents WHERE state = 'closed' AND closed_at < ?"
                                 " AND EXISTS (SELECT 1 FROM evidence WHERE owner = incidents.id)"
                                 " ORDER BY closed_at, id LIMIT ?"));
  select.Bind(before, limit);
  std::vector<std::string> ids;
  for (;;) {
    BG_ASSIGN_OR_RETURN(const bool more, select.Step());
    if (!more) return ids;
    ids.push_back(select.Text(0));
  }
}

absl::StatusOr<int64_t> RemoveVerdicts(Connection& db, absl::Time before, int limit) {
  BG_ASSIGN_OR_RETURN(
      Statement remove,
      db.Prepare("DELETE FROM verdicts WHERE id IN (SELECT v.id FROM verdicts AS v WHERE v.at < ?1"
                 " AND v.id != (SELECT last.id FROM verdicts AS last"
                 " WHERE last.host_id = v.host_id ORDER BY last.at DESC, last.id DESC LIMIT 1)"
                 " AND NOT EXISTS (SELECT 1 FROM incidents AS i WHERE i.host_id = v.host_id"
                 " AND v.id IN (i.first_verdict_id, i.last_verdict_id)"
                 " AND (i.state != 'closed'"
                 " OR EXISTS (SELECT 1 FROM evidence WHERE owner = i.id)))"
                 " ORDER BY v.at, v.id LIMIT ?2)"));
  BG_RETURN_IF_ERROR(remove.Bind(before, limit).Run());
  return db.ChangedRows();
}

// Who revoked one stays to be told.
absl::StatusOr<int64_t> RemoveCredentials(Connection& db, absl::Time before, int limit) {
  BG_ASSIGN_OR_RETURN(Statement remove,
                      db.Prepare("DELETE FROM credentials WHERE serial IN (SELECT serial"
                                 " FROM credentials WHERE revoked = 0 AND not_after < ?1"
                                 " ORDER BY not_after LIMIT ?2)"));
  BG_RETURN_IF_ERROR(remove.Bind(before, limit).Run());
  return db.ChangedRows();
}

AuditRow AuditOf(const Swept& swept, const std::string& actor, absl::Time now) {
  AuditRow row;
  row.at = now;
  row.actor = actor;
  row.action = "retention";
  row.detail_json =
      absl::StrCat("{\"verdicts\":", swept.verdicts, ",\"incidents\":", swept.incidents,
                   ",\"blobs\":", swept.blobs, ",\"credentials\":", swept.credentials, "}");
  return row;
}

}  // namespace

absl::StatusOr<Swept> SweepOld(Connection& db, const Retention& retention, const std::string& actor,
                               absl::Time now) {
  Swept swept;
  const int limit = std::max(retention.limit, 0);
  BG_ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                      OldIncidents(db, retention.evidence_before, limit));
  for (const std::string& id : ids) {
    BG_ASSIGN_OR_RETURN(const int64_t blobs, RemoveEvidence(db, id));
    swept.blobs += blobs;
    ++swept.incidents;
  }
  BG_ASSIGN_OR_RETURN(swept.verdicts, RemoveVerdicts(db, retention.verdicts_before, limit));
  BG_ASSIGN_OR_RETURN(swept.credentials, RemoveCredentials(db, retention.verdicts_before, limit));
  swept.more = swept.incidents >= limit || swept.verdicts >= limit || swept.credentials >= limit;
  if (swept.incidents + swept.verdicts + swept.credentials > 0)
    BG_RETURN_IF_ERROR(AppendAudit(db, AuditOf(swept, actor, now)));
  return swept;
}

}  // namespace bootgate::gatekeeper::store::sqlite
