// Signed checkpoints of the audit trail: "at this time the chain had this value at this row".
//
// The chain alone finds what was changed in place; who makes the whole chain anew is found by a
// checkpoint that was signed before, best one that was kept outside the store (each is a log line,
// too).
//
// Signed: ECDSA P-256 over SHA-256("bootgate/v1/audit-checkpoint" ‖ row number ‖ time ‖ chain
// value), each field with its length before it.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/private_key.h"
#include "common/crypto/public_key.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::audit {

// Hex SHA-256 of the SubjectPublicKeyInfo.
std::string CheckpointKeyId(const crypto::PublicKey& key);

// Public halves of the keys that are believed, by CheckpointKeyId.
using CheckpointKeys = std::map<std::string, crypto::PublicKey>;

// From a PEM text with one or more. kInvalidArgument.
absl::StatusOr<CheckpointKeys> CheckpointKeysFromPem(absl::string_view pem);

absl::StatusOr<store::CheckpointRow> SignCheckpoint(const crypto::PrivateKey& key,
                                                    const store::AuditHead& head, absl::Time at);

// kDataLoss AUDIT_BROKEN: signed by a key that is none of these, or not signed by it.
absl::Status CheckCheckpoint(const store::CheckpointRow& checkpoint, const CheckpointKeys& keys);

}  // namespace bootgate::gatekeeper::audit
