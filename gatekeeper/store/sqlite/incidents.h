// Incidents, their history, and what evidence belongs to what. Writing: inside a transaction, as of
// write.h; errors of reading as of store.h.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gatekeeper/store/sqlite/connection.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::store::sqlite {

// The incident of a Commit with its events and evidence; as store.h says of Commit::incident. The
// events come without one, too, when each names its incident.
absl::Status WriteIncident(Connection& db, const Commit& commit);
// In place of what `owner` had.
absl::Status ReplaceEvidence(Connection& db, const std::string& owner, const EvidenceParts& parts);
// All that `owner` has, and the blobs that nothing names any more. Gives how many blobs went.
absl::StatusOr<int64_t> RemoveEvidence(Connection& db, const std::string& owner);

absl::StatusOr<IncidentRow> ReadIncident(Connection& db, const std::string& id);
absl::StatusOr<std::vector<IncidentRow>> ReadIncidents(Connection& db, const std::string& host_id);
absl::StatusOr<std::vector<IncidentEventRow>> ReadIncidentEvents(Connection& db,
                                                                 const std::string& incident_id);
absl::StatusOr<EvidenceParts> ReadEvidence(Connection& db, const std::string& owner);

}  // namespace bootgate::gatekeeper::store::sqlite
