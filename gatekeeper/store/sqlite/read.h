// Rows to records. Errors as of store.h: kNotFound, RECORD_CORRUPT for one row, STORE.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/store/sqlite/connection.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::store::sqlite {

absl::StatusOr<host::HostRecord> ReadHost(Connection& db, const std::string& id);
absl::StatusOr<std::vector<host::HostRecord>> ReadHosts(Connection& db,
                                                        std::vector<std::string>* corrupt);
absl::StatusOr<std::vector<host::HostRecord>> ReadHostsAfter(Connection& db,
                                                             const std::string& after, int limit,
                                                             const std::vector<host::Trust>& trusts,
                                                             std::vector<std::string>* corrupt);
absl::StatusOr<std::map<host::Trust, int64_t>> ReadHostCounts(Connection& db);
absl::StatusOr<VerdictRow> ReadVerdict(Connection& db, const std::string& id);
absl::StatusOr<std::vector<VerdictRow>> ReadVerdicts(Connection& db, const std::string& host_id,
                                                     const std::string& behind, int limit);
absl::StatusOr<std::vector<CredentialRow>> ReadCredentials(Connection& db,
                                                           const std::string& host_id);
absl::StatusOr<bool> ReadIsRevoked(Connection& db, const std::string& serial);
absl::StatusOr<CredentialRow> ReadCredential(Connection& db, const std::string& serial);
absl::StatusOr<std::vector<RevokedRow>> ReadRevoked(Connection& db, int64_t after, absl::Time now);
absl::StatusOr<int64_t> ReadLastRevocation(Connection& db);
absl::StatusOr<Bytes> ReadBlob(Connection& db, const std::string& sha256_hex);

// The token if it may be used: JOIN_TOKEN_UNKNOWN, _EXPIRED, _USED.
absl::StatusOr<JoinToken> ReadUsableJoinToken(Connection& db, const JoinTokenUse& use);

absl::StatusOr<JoinToken> ReadJoinToken(Connection& db, const std::string& id);
absl::StatusOr<std::vector<JoinToken>> ReadJoinTokens(Connection& db);

absl::StatusOr<InventoryRow> ReadInventoryRow(Connection& db, const std::string& ek);
absl::StatusOr<std::vector<InventoryRow>> ReadInventory(Connection& db, const std::string& after,
                                                        int limit);
absl::StatusOr<int64_t> ReadInventoryCount(Connection& db);

absl::StatusOr<DocumentRow> ReadDocument(Connection& db, const std::string& kind,
                                         const std::string& id);
absl::StatusOr<std::vector<DocumentRow>> ReadDocuments(Connection& db, const std::string& kind);
absl::StatusOr<std::vector<AssignmentRow>> ReadAssignments(Connection& db, const std::string& kind);
absl::StatusOr<std::vector<AssignmentRow>> ReadSteps(Connection& db, const std::string& kind);
absl::StatusOr<int64_t> ReadNewestStep(Connection& db, const std::string& kind);  // 0: none
absl::StatusOr<std::vector<VersionRow>> ReadVersions(Connection& db, const std::string& kind,
                                                     const std::string& name);
absl::StatusOr<std::vector<EffectRow>> ReadEffects(Connection& db, int limit);
absl::StatusOr<std::vector<AuditRow>> ReadAudit(Connection& db, int64_t after_sequence, int limit);
absl::StatusOr<AuditHead> ReadAuditHead(Connection& db);
absl::StatusOr<std::vector<CheckpointRow>> ReadCheckpoints(Connection& db);
absl::StatusOr<AnswerRow> ReadAnswer(Connection& db, const std::string& actor,
                                     const std::string& key);

// Moves whenever another connection, of whatever process, has committed since the last call.
absl::StatusOr<int64_t> ReadDataVersion(Connection& db);

}  // namespace bootgate::gatekeeper::store::sqlite
