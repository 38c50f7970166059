// Reason codes: the stable names of everything Bootgate refuses or finds.
//
// One table (reason.cc) gives each code its class, its meaning and the way out.
// The command line prints it, gRPC carries it in ErrorInfo, the documentation
// is made from it. It lies on the lowest floor because the rooms that read
// bytes from outside are the ones that name what is wrong with them.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace bootgate {

// What answering with this code does to the named host (architecture, "Five outcomes").
enum class OutcomeClass { kAdmit, kDeny, kReject, kLimit, kError };
absl::string_view Name(OutcomeClass outcome);  // "ADMIT", ...

// clang-format off
#define BOOTGATE_REASONS(X)                                                                     \
  /* Quote structure and signature */                                                           \
  X(kQuoteMagic, "QUOTE_MAGIC") X(kQuoteType, "QUOTE_TYPE")                                     \
  X(kQuoteSelectionEmpty, "QUOTE_SELECTION_EMPTY")                                              \
  X(kQuoteSelectionMismatch, "QUOTE_SELECTION_MISMATCH")                                        \
  X(kQuoteDigestMismatch, "QUOTE_DIGEST_MISMATCH") X(kPcrNotQuoted, "PCR_NOT_QUOTED")           \
  X(kBankNotAllowed, "BANK_NOT_ALLOWED")                                                        \
  X(kBankNotFirmwareMeasured, "BANK_NOT_FIRMWARE_MEASURED")                                     \
  X(kSigScheme, "SIG_SCHEME") X(kSigInvalid, "SIG_INVALID") X(kTpmMarshal, "TPM_MARSHAL")       \
  X(kCertifyMagic, "CERTIFY_MAGIC") X(kCertifyType, "CERTIFY_TYPE")                             \
  X(kNonceAbsent, "NONCE_ABSENT") X(kNonceUnknown, "NONCE_UNKNOWN")                             \
  X(kNonceUsed, "NONCE_USED") X(kNonceExpired, "NONCE_EXPIRED")                                 \
  X(kNonceBinding, "NONCE_BINDING") X(kNonceMismatch, "NONCE_MISMATCH")                         \
  X(kAkUnknown, "AK_UNKNOWN") X(kAkQualifiedName, "AK_QUALIFIED_NAME")                          \
  X(kClockRollback, "CLOCK_ROLLBACK")                                                           \
  X(kTpmCloneSuspected, "TPM_CLONE_SUSPECTED") X(kTpmResetAnomaly, "TPM_RESET_ANOMALY")         \
  /* Enrolment, EK, AK, activation */                                                           \
  X(kEkCertKeyMismatch, "EK_CERT_KEY_MISMATCH") X(kEkCertMissing, "EK_CERT_MISSING")            \
  X(kEkChainUntrusted, "EK_CHAIN_UNTRUSTED") X(kEkChainExpired, "EK_CHAIN_EXPIRED")             \
  X(kEkCertProfile, "EK_CERT_PROFILE") X(kEkTemplate, "EK_TEMPLATE")                            \
  X(kEkNotBound, "EK_NOT_BOUND") X(kCertParse, "CERT_PARSE") X(kKeyWeak, "KEY_WEAK")            \
  X(kKeyTooLarge, "KEY_TOO_LARGE")                                                              \
  X(kEkRevoked, "EK_REVOKED") X(kEkRevocationUnknown, "EK_REVOCATION_UNKNOWN")                  \
  X(kTpmDistrusted, "TPM_DISTRUSTED") X(kTpmFirmwareVulnerable, "TPM_FIRMWARE_VULNERABLE")      \
  X(kCertProfile, "CERT_PROFILE") X(kPemFormat, "PEM_FORMAT")                                   \
  X(kUnsignedDuplicate, "UNSIGNED_DUPLICATE") X(kPcrResettable, "POLICY_PCR_RESETTABLE")        \
  X(kAkAttributes, "AK_ATTRIBUTES") X(kAkNameAlg, "AK_NAME_ALG") X(kAkScheme, "AK_SCHEME")      \
  X(kAkNameMismatch, "AK_NAME_MISMATCH") X(kAkChainUntrusted, "AK_CHAIN_UNTRUSTED")             \
  X(kActivationFailed, "ACTIVATION_FAILED")                                                     \
  X(kActivationUnknown, "ACTIVATION_UNKNOWN") X(kActivationExpired, "ACTIVATION_EXPIRED")       \
  X(kHostIdBound, "HOST_ID_BOUND") X(kHostIdSyntax, "HOST_ID_SYNTAX")                           \
  X(kHostUnknown, "HOST_UNKNOWN") X(kHostNotApproved, "HOST_NOT_APPROVED")                      \
  X(kHostRetired, "HOST_RETIRED") X(kPeerHostMismatch, "PEER_HOST_MISMATCH")                    \
  X(kPeerCertRevoked, "PEER_CERT_REVOKED")                                                      \
  X(kJoinTokenUnknown, "JOIN_TOKEN_UNKNOWN") X(kJoinTokenExpired, "JOIN_TOKEN_EXPIRED")         \
  X(kJoinTokenUsed, "JOIN_TOKEN_USED")                                                          \
  /* Boot log */                                                                                \
  X(kLogTruncated, "LOG_TRUNCATED") X(kLogTrailing, "LOG_TRAILING") X(kLogMissing, "LOG_MISSING")\
  X(kLogPcrIndex, "LOG_PCR_INDEX") X(kLogDigests, "LOG_DIGESTS") X(kLogLimit, "LOG_LIMIT")      \
  X(kLogSpecId, "LOG_SPEC_ID") X(kLogNoAction, "LOG_NO_ACTION") X(kLogReplayPcr0, "LOG_REPLAY_PCR0")\
  X(kLogPcrMismatch, "LOG_PCR_MISMATCH") X(kLogBankDivergence, "LOG_BANK_DIVERGENCE")           \
  X(kLogEventDigest, "LOG_EVENT_DIGEST") X(kLogSeparator, "LOG_SEPARATOR")                      \
  X(kLogUnexpectedType, "LOG_UNEXPECTED_TYPE") X(kLogEsl, "LOG_ESL") X(kLogString, "LOG_STRING")\
  X(kLogSbDuplicate, "LOG_SB_DUPLICATE") X(kLogAfterSeparator, "LOG_AFTER_SEPARATOR")           \
  X(kLogAuthenticode, "LOG_AUTHENTICODE") X(kLogQuirk, "LOG_QUIRK")                             \
  X(kLogUnbound, "LOG_UNBOUND") X(kPcrUnexplained, "PCR_UNEXPLAINED")                           \
  X(kCelParse, "CEL_PARSE") X(kCelTruncated, "CEL_TRUNCATED") X(kCelLimit, "CEL_LIMIT")         \
  X(kCelDigests, "CEL_DIGESTS") X(kCelRegister, "CEL_REGISTER")                                 \
  /* IMA */                                                                                     \
  X(kImaTruncated, "IMA_TRUNCATED") X(kImaTemplate, "IMA_TEMPLATE")                             \
  X(kImaTemplateHash, "IMA_TEMPLATE_HASH") X(kImaTemplateLegacy, "IMA_TEMPLATE_LEGACY")         \
  X(kImaLimit, "IMA_LIMIT") X(kImaPcrMismatch, "IMA_PCR_MISMATCH") X(kImaMissing, "IMA_MISSING")\
  X(kImaBootAggregate, "IMA_BOOT_AGGREGATE") X(kImaViolation, "IMA_VIOLATION")                  \
  X(kImaDigest, "IMA_DIGEST") X(kImaUnlisted, "IMA_UNLISTED") X(kImaPolicyDiffers, "IMA_POLICY_DIFFERS")\
  X(kRetryLogBehind, "RETRY_LOG_BEHIND") X(kRetryResync, "RETRY_RESYNC")                        \
  X(kImaAggregateMissing, "IMA_BOOT_AGGREGATE_MISSING") X(kImaKexec, "IMA_KEXEC")               \
  X(kImaOutdated, "IMA_OUTDATED") X(kImaDigestAlg, "IMA_DIGEST_ALG") X(kImaKeyring, "IMA_KEYRING")\
  X(kImaSignature, "IMA_SIGNATURE") X(kImaSetMissing, "IMA_SET_MISSING")                        \
  /* Reference values and policy */                                                             \
  X(kReferenceEventMissing, "REFERENCE_EVENT_MISSING")                                          \
  X(kReferenceEventUnexpected, "REFERENCE_EVENT_UNEXPECTED")                                    \
  X(kReferenceEventChanged, "REFERENCE_EVENT_CHANGED")                                          \
  X(kReferenceRegister, "REFERENCE_REGISTER") X(kReferenceBankMissing, "REFERENCE_BANK_MISSING")\
  X(kReferenceParse, "REFERENCE_PARSE")                                                         \
  X(kSecureBootOff, "SECURE_BOOT_OFF") X(kNoPolicy, "NO_POLICY") X(kPolicyDeny, "POLICY_DENY")  \
  X(kPolicyNotPermitted, "POLICY_NOT_PERMITTED") X(kPolicyError, "POLICY_ERROR")                \
  X(kPolicyBudget, "POLICY_BUDGET") X(kPolicyParse, "POLICY_PARSE")                             \
  X(kPolicyPcrMask, "POLICY_PCR_MASK") X(kPolicyRollback, "POLICY_ROLLBACK")                    \
  X(kPolicyWouldDeny, "POLICY_WOULD_DENY")                                                      \
  X(kQuarantined, "QUARANTINED")                                                                \
  /* Credentials */                                                                             \
  X(kKeyNotAttested, "KEY_NOT_ATTESTED") X(kKeyAttributes, "KEY_ATTRIBUTES")                    \
  X(kKeyPolicy, "KEY_POLICY") X(kCsrProfile, "CSR_PROFILE")                                     \
  X(kCsrKeyNotAttested, "CSR_KEY_NOT_ATTESTED") X(kSealStateMoved, "SEAL_STATE_MOVED")          \
  X(kSealApproval, "SEAL_APPROVAL")                                                             \
  /* Quarantine, incidents, operators */                                                        \
  X(kOperatorQuarantine, "OPERATOR_QUARANTINE") X(kBrakeEngaged, "BRAKE_ENGAGED")               \
  X(kHostState, "HOST_STATE") X(kSecondApprover, "SECOND_APPROVER")                             \
  X(kIncidentUnknown, "INCIDENT_UNKNOWN") X(kIncidentState, "INCIDENT_STATE")                   \
  X(kVerdictUnknown, "VERDICT_UNKNOWN") X(kEvidenceGone, "EVIDENCE_GONE")                       \
  X(kArchive, "ARCHIVE") X(kWaiver, "WAIVER") X(kWaiverUnknown, "WAIVER_UNKNOWN")               \
  X(kOperatorCertificate, "OPERATOR_CERTIFICATE") X(kRoleDenied, "ROLE_DENIED")                 \
  X(kRevisionStale, "REVISION_STALE") X(kIdempotencyKey, "IDEMPOTENCY_KEY")                     \
  X(kSelector, "SELECTOR") X(kPageToken, "PAGE_TOKEN") X(kWatchToken, "WATCH_TOKEN")            \
  X(kAuditBroken, "AUDIT_BROKEN")                                                               \
  /* Signed texts and tokens */                                                                 \
  X(kJwsParse, "JWS_PARSE") X(kJwsAlg, "JWS_ALG") X(kJwsSignature, "JWS_SIGNATURE")             \
  X(kSignerUntrusted, "SIGNER_UNTRUSTED") X(kTokenExpired, "TOKEN_EXPIRED")                     \
  /* Service */                                                                                 \
  X(kMessageTooLarge, "MESSAGE_TOO_LARGE") X(kMessageMalformed, "MESSAGE_MALFORMED")            \
  X(kTooManyRequests, "TOO_MANY_REQUESTS") X(kClaimReserved, "CLAIM_RESERVED")                  \
  X(kServerAuth, "SERVER_AUTH") X(kStore, "STORE") X(kRecordCorrupt, "RECORD_CORRUPT")          \
  X(kAuditUnavailable, "AUDIT_UNAVAILABLE") X(kCa, "CA") X(kCaKey, "CA_KEY")                     \
  X(kInternal, "INTERNAL")                                                                      \
  /* Agent */                                                                                   \
  X(kStateCorrupt, "STATE_CORRUPT") X(kStateUnwritable, "STATE_UNWRITABLE")                     \
  X(kWorkloadDenied, "WORKLOAD_DENIED") X(kTpm, "TPM") X(kTpmMissing, "TPM_MISSING")            \
  X(kTpmPcrChanged, "TPM_PCR_CHANGED") X(kTpmPolicy, "TPM_POLICY") X(kTpmLockout, "TPM_LOCKOUT")\
  X(kTpmIntegrity, "TPM_INTEGRITY") X(kTpmResponseHmac, "TPM_RESPONSE_HMAC")                    \
  X(kTpmReplaced, "TPM_REPLACED") X(kTpmHierarchy, "TPM_HIERARCHY")                             \
  X(kTpmResources, "TPM_RESOURCES") X(kTpmFailure, "TPM_FAILURE")
// clang-format on

enum class Reason {
#define BOOTGATE_REASON_ENUM_(id, name) id,
  BOOTGATE_REASONS(BOOTGATE_REASON_ENUM_)
#undef BOOTGATE_REASON_ENUM_
};

// One row of the table.
struct ReasonInfo {
  Reason reason;
  absl::string_view code;     // "QUOTE_MAGIC"
  OutcomeClass outcome;       // the class it usually ends in
  absl::string_view meaning;  // one sentence for an operator
  absl::string_view way_out;  // what to do next, one sentence
};

absl::string_view Code(Reason reason);
const ReasonInfo& Info(Reason reason);
absl::Span<const ReasonInfo> AllReasons();
std::optional<Reason> ReasonFromCode(absl::string_view code);

// A Status that carries a reason code. `message` says where and how much, never a secret.
absl::Status Refuse(absl::StatusCode status_code, Reason reason, absl::string_view message);

// Shorthands for the three REJECT codes of the architecture page.
absl::Status Malformed(Reason reason, absl::string_view message);     // kInvalidArgument
absl::Status NotAuthentic(Reason reason, absl::string_view message);  // kUnauthenticated
absl::Status NotPermitted(Reason reason, absl::string_view message);  // kPermissionDenied

// The reason a Status carries; nullopt when it carries none.
std::optional<Reason> ReasonOf(const absl::Status& status);

// The same Status with `reason` attached, unless it already carries one; OK stays OK.
absl::Status WithReason(absl::Status status, Reason reason);

}  // namespace bootgate
