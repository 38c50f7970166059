#include "common/base/reason.h"

#include <algorithm>

#include "absl/strings/cord.h"

namespace bootgate {
namespace {

constexpr absl::string_view kReasonPayload = "bootgate.dev/reason";

using enum OutcomeClass;

// What to do next, where many codes share it.
constexpr char kRetryAttest[] =
    "The agent asks for a new challenge by itself; if it repeats, suspect the path between host "
    "and gatekeeper.";
constexpr char kSuspectHost[] =
    "Treat the message as forged or the agent as broken; compare the agent's version with the "
    "gatekeeper's.";
constexpr char kInvestigate[] =
    "Investigate the host; it stays quarantined until an operator resolves it and it boots "
    "cleanly.";
constexpr char kReenrol[] = "Run `bootgate-agent join` with a fresh join file.";
constexpr char kCheckLog[] =
    "Compare the log with one from a healthy host of the same model; update the firmware if it "
    "writes such logs by itself.";
constexpr char kRelearn[] =
    "If the change was planned, learn a new reference from a good boot and activate it; else "
    "investigate the host.";
constexpr char kOurFault[] =
    "Read the gatekeeper's log; the host is not at fault and its state did not change.";

constexpr ReasonInfo kTable[] = {
    {Reason::kQuoteMagic, "QUOTE_MAGIC", kReject,
     "The signed structure does not begin with TPM_GENERATED: no TPM made it.", kSuspectHost},
    {Reason::kQuoteType, "QUOTE_TYPE", kReject,
     "The signed structure is an attestation of another kind than a quote.", kSuspectHost},
    {Reason::kQuoteSelectionEmpty, "QUOTE_SELECTION_EMPTY", kReject, "The quote covers no PCR.",
     kSuspectHost},
    {Reason::kQuoteSelectionMismatch, "QUOTE_SELECTION_MISMATCH", kReject,
     "The quote covers other PCRs than the challenge asked for.",
     "Check that the asked banks are allocated in the TPM (tpm2_getcap pcrs)."},
    {Reason::kQuoteDigestMismatch, "QUOTE_DIGEST_MISMATCH", kReject,
     "The PCR values sent do not give the digest the TPM signed.", kRetryAttest},
    {Reason::kPcrNotQuoted, "PCR_NOT_QUOTED", kReject,
     "A PCR value was sent that the quote does not cover.", kSuspectHost},
    {Reason::kBankNotAllowed, "BANK_NOT_ALLOWED", kReject,
     "The host offers only PCR banks below the configured floor.",
     "Allocate the SHA-256 bank in the firmware set-up or with tpm2_pcrallocate."},
    {Reason::kBankNotFirmwareMeasured, "BANK_NOT_FIRMWARE_MEASURED", kReject,
     "The quoted bank was never extended by the firmware, so anyone could have filled it.",
     "Quote a bank that the firmware measures, or enable this bank in the firmware."},
    {Reason::kSigScheme, "SIG_SCHEME", kReject,
     "The signature's scheme or hash is not the attestation key's.", kSuspectHost},
    {Reason::kSigInvalid, "SIG_INVALID", kReject,
     "The signature is not that of the key that should have made it.",
     "Of evidence: treat the message as forged or the agent as broken. Of a file: have it signed "
     "with one of the keys that were given."},
    {Reason::kTpmMarshal, "TPM_MARSHAL", kReject, "A TPM structure is malformed.", kSuspectHost},
    {Reason::kCertifyMagic, "CERTIFY_MAGIC", kReject,
     "The key certification does not begin with TPM_GENERATED.", kSuspectHost},
    {Reason::kCertifyType, "CERTIFY_TYPE", kReject,
     "The key certification is an attestation of another kind.", kSuspectHost},
    {Reason::kNonceAbsent, "NONCE_ABSENT", kReject, "The quote carries no qualifying data.",
     kSuspectHost},
    {Reason::kNonceUnknown, "NONCE_UNKNOWN", kReject,
     "The challenge was not issued by this gatekeeper, or it has restarted since.", kRetryAttest},
    {Reason::kNonceUsed, "NONCE_USED", kReject, "The challenge was answered before.", kRetryAttest},
    {Reason::kNonceExpired, "NONCE_EXPIRED", kReject, "The challenge was answered too late.",
     kRetryAttest},
    {Reason::kNonceBinding, "NONCE_BINDING", kReject,
     "The challenge was issued to another host, key or purpose.", kSuspectHost},
    {Reason::kNonceMismatch, "NONCE_MISMATCH", kReject,
     "The quote's qualifying data is not the hash over challenge, host and logs.", kRetryAttest},
    {Reason::kAkUnknown, "AK_UNKNOWN", kReject,
     "The quote was signed by another key than the enrolled attestation key.", kReenrol},
    {Reason::kAkQualifiedName, "AK_QUALIFIED_NAME", kReject,
     "The signer's qualified name is not that of the enrolled key in its hierarchy.", kReenrol},
    {Reason::kClockRollback, "CLOCK_ROLLBACK", kReject,
     "The TPM's reset counter or clock went back.",
     "If the TPM was cleared, `host accept-clear HOST --reason ...` at the gatekeeper; else look "
     "for a "
     "restored snapshot or a second machine with the same TPM."},
    {Reason::kTpmCloneSuspected, "TPM_CLONE_SUSPECTED", kDeny,
     "Two machines answer with the same TPM: their clocks and counters take turns.",
     "Find both machines by the finding's two lines and stop one: a virtual TPM was copied or a "
     "snapshot runs twice. Then `host accept-clear HOST --reason ...`."},
    {Reason::kTpmResetAnomaly, "TPM_RESET_ANOMALY", kDeny,
     "The TPM was reset although the host did not boot: a history could have been replayed into "
     "it.",
     kInvestigate},
    {Reason::kEkCertKeyMismatch, "EK_CERT_KEY_MISMATCH", kReject,
     "The EK certificate is for another key than the EK shown.",
     "Check the TPM's NV certificate; a board swap needs a new certificate."},
    {Reason::kEkCertMissing, "EK_CERT_MISSING", kReject,
     "The host shows no EK certificate and its EK is not in the inventory.",
     "Add the EK's digest to the inventory after checking the machine by hand."},
    {Reason::kEkChainUntrusted, "EK_CHAIN_UNTRUSTED", kReject,
     "The EK certificate does not lead to a configured TPM vendor root.",
     "Review the issuer named in the message (`ek root show FILE`), then add it (`ek root add "
     "FILE`)."},
    {Reason::kEkChainExpired, "EK_CHAIN_EXPIRED", kReject,
     "A certificate in the EK's chain is not valid now.",
     "Check the gatekeeper's clock and the certificate's dates."},
    {Reason::kEkCertProfile, "EK_CERT_PROFILE", kReject,
     "The EK certificate does not have the form the TCG profile demands.",
     "Inspect the certificate; if it is the vendor's genuine form, report it."},
    {Reason::kEkTemplate, "EK_TEMPLATE", kReject, "The EK is not made from a TCG template.",
     "The agent must use the default EK templates."},
    {Reason::kEkNotBound, "EK_NOT_BOUND", kReject,
     "The TPM is genuine, but neither inventory nor an operator says that it is one of ours.",
     "bootgate-gatekeeper host approve HOST, or ek inventory import FILE."},
    {Reason::kCertParse, "CERT_PARSE", kReject, "A certificate is malformed.", kSuspectHost},
    {Reason::kKeyWeak, "KEY_WEAK", kReject, "A key is too short or otherwise unfit.",
     "Use RSA 2048 or larger, or P-256 or larger."},
    {Reason::kKeyTooLarge, "KEY_TOO_LARGE", kReject, "A key is larger than any TPM makes.",
     kSuspectHost},
    {Reason::kEkRevoked, "EK_REVOKED", kReject,
     "The TPM's vendor has revoked a certificate of the EK chain.",
     "Replace the TPM, or remove the CRL if the vendor withdrew it."},
    {Reason::kEkRevocationUnknown, "EK_REVOCATION_UNKNOWN", kReject,
     "Whether the EK chain is revoked cannot be told: a CRL is missing or out of date.",
     "Load the vendor's present CRL (`ek crl add FILE`), or set ek.revocation to soft."},
    {Reason::kTpmDistrusted, "TPM_DISTRUSTED", kDeny,
     "The TPM, or the CA that certified it, is on the list of those not to be trusted.",
     "Replace the TPM, or take it off the list with `ek distrust remove`."},
    {Reason::kTpmFirmwareVulnerable, "TPM_FIRMWARE_VULNERABLE", kDeny,
     "The TPM's firmware has a published weakness.",
     "Update the TPM's firmware; the finding names the advisory."},
    {Reason::kCertProfile, "CERT_PROFILE", kReject,
     "A certificate has contents that none of its kind may have.", kSuspectHost},
    {Reason::kPemFormat, "PEM_FORMAT", kReject,
     "A PEM text holds something else than exactly what is wanted there.",
     "Give one object of the kind named, and nothing else around it."},
    {Reason::kUnsignedDuplicate, "UNSIGNED_DUPLICATE", kReject,
     "A value that a signature covers stands a second time outside it.", kSuspectHost},
    {Reason::kPcrResettable, "POLICY_PCR_RESETTABLE", kError,
     "A policy or a selection relies on a PCR that anybody can reset (16, 23).",
     "Leave it out; only where it is meant, set allow_resettable in the policy or the "
     "configuration."},
    {Reason::kAkAttributes, "AK_ATTRIBUTES", kReject,
     "The attestation key lacks an attribute that keeps it in its TPM, or has one too many.",
     "Let the agent create its key; imported keys are refused."},
    {Reason::kAkNameAlg, "AK_NAME_ALG", kReject,
     "The attestation key's name algorithm is not allowed.", "Use SHA-256, SHA-384 or SHA-512."},
    {Reason::kAkScheme, "AK_SCHEME", kReject,
     "The attestation key's signing scheme is not allowed.",
     "Use RSASSA, RSAPSS or ECDSA with SHA-256 or longer."},
    {Reason::kAkNameMismatch, "AK_NAME_MISMATCH", kReject,
     "The activation was for another attestation key.", kReenrol},
    {Reason::kAkChainUntrusted, "AK_CHAIN_UNTRUSTED", kReject,
     "The attestation key's certificate does not lead to a configured cloud provider's root.",
     "Add the provider's root after checking it: `ek root add --for ak FILE`."},
    {Reason::kActivationFailed, "ACTIVATION_FAILED", kReject,
     "The credential activation's answer is wrong.",
     "The AK and EK are not in one TPM, or the answer was altered; join again."},
    {Reason::kActivationUnknown, "ACTIVATION_UNKNOWN", kReject, "No such activation is open.",
     kReenrol},
    {Reason::kActivationExpired, "ACTIVATION_EXPIRED", kReject,
     "The activation was answered too late or too often.", kReenrol},
    {Reason::kHostIdBound, "HOST_ID_BOUND", kReject, "The host id belongs to another TPM.",
     "A TPM swap is an operator's verb, never the agent's."},
    {Reason::kHostIdSyntax, "HOST_ID_SYNTAX", kReject,
     "The host id is not of the form h- and 32 hexadecimal digits.", kSuspectHost},
    {Reason::kHostUnknown, "HOST_UNKNOWN", kReject, "No host of that id is enrolled here.",
     "`host list` names those that are; a host that is new runs `bootgate-agent join` with a join "
     "file."},
    {Reason::kHostNotApproved, "HOST_NOT_APPROVED", kReject,
     "The host is enrolled and waits for an operator's approval.",
     "bootgate-gatekeeper host approve HOST"},
    {Reason::kHostRetired, "HOST_RETIRED", kReject, "The host was retired.",
     "If it comes back into service, `host reinstate HOST --reason ...` at the gatekeeper, then "
     "join."},
    {Reason::kPeerHostMismatch, "PEER_HOST_MISMATCH", kReject,
     "The client certificate names another host than the message.", kSuspectHost},
    {Reason::kPeerCertRevoked, "PEER_CERT_REVOKED", kReject, "The client certificate was revoked.",
     "The host must attest without it and be admitted again."},
    {Reason::kJoinTokenUnknown, "JOIN_TOKEN_UNKNOWN", kReject, "The join token is not known.",
     "Create one: bootgate-gatekeeper join-token create"},
    {Reason::kJoinTokenExpired, "JOIN_TOKEN_EXPIRED", kReject,
     "The join token has expired, or was revoked.",
     "Create one: bootgate-gatekeeper join-token create"},
    {Reason::kJoinTokenUsed, "JOIN_TOKEN_USED", kReject,
     "The join token was used as often as it may be.",
     "Create one: bootgate-gatekeeper join-token create"},
    {Reason::kLogTruncated, "LOG_TRUNCATED", kDeny, "The boot log ends inside an event.",
     kCheckLog},
    {Reason::kLogTrailing, "LOG_TRAILING", kDeny,
     "Bytes follow the boot log's last event that are neither events nor padding.", kCheckLog},
    {Reason::kLogMissing, "LOG_MISSING", kDeny,
     "There is no boot log although firmware has extended PCRs.",
     "Debian's GRUB leaves no log when Secure Boot is off; start the kernel by its EFI stub or "
     "turn Secure Boot on."},
    {Reason::kLogPcrIndex, "LOG_PCR_INDEX", kDeny, "An event names a PCR that does not exist.",
     kCheckLog},
    {Reason::kLogDigests, "LOG_DIGESTS", kDeny,
     "An event's digests are not those of the announced banks.", kCheckLog},
    {Reason::kLogLimit, "LOG_LIMIT", kDeny, "The boot log is larger than any genuine one.",
     kCheckLog},
    {Reason::kLogSpecId, "LOG_SPEC_ID", kDeny, "The boot log's header is malformed.", kCheckLog},
    {Reason::kLogNoAction, "LOG_NO_ACTION", kDeny,
     "An informational event stands where it must not or carries a digest.", kCheckLog},
    {Reason::kLogReplayPcr0, "LOG_REPLAY_PCR0", kDeny,
     "PCR 0 does not follow from the log with the start value the log claims.", kInvestigate},
    {Reason::kLogPcrMismatch, "LOG_PCR_MISMATCH", kDeny,
     "The boot log does not lead to the PCR value that the TPM quoted: the log was altered or is "
     "incomplete.",
     kInvestigate},
    {Reason::kLogBankDivergence, "LOG_BANK_DIVERGENCE", kDeny,
     "The log tells different stories in different banks.", kInvestigate},
    {Reason::kLogEventDigest, "LOG_EVENT_DIGEST", kDeny,
     "An event's data does not hash to its digest although its type demands it.", kInvestigate},
    {Reason::kLogSeparator, "LOG_SEPARATOR", kDeny,
     "A PCR lacks its separator, or has an error separator or several.", kInvestigate},
    {Reason::kLogUnexpectedType, "LOG_UNEXPECTED_TYPE", kDeny,
     "An event's type is none that belongs into its PCR: relabelled events would be overlooked.",
     kInvestigate},
    {Reason::kLogEsl, "LOG_ESL", kDeny,
     "A signature list (PK, KEK, db, dbx) is malformed; nothing of it was used.", kCheckLog},
    {Reason::kLogString, "LOG_STRING", kDeny, "A name or text in an event is not valid UTF-16.",
     kCheckLog},
    {Reason::kLogSbDuplicate, "LOG_SB_DUPLICATE", kDeny,
     "A Secure Boot variable was measured more than once: which one counted cannot be told.",
     kInvestigate},
    {Reason::kLogAfterSeparator, "LOG_AFTER_SEPARATOR", kDeny,
     "An event of the firmware's phase stands after its PCR's separator.", kInvestigate},
    {Reason::kLogAuthenticode, "LOG_AUTHENTICODE", kDeny,
     "An image's digest is of a file that the log does not hold: only reference values can tell "
     "what it is.",
     "Compare with a reference learned from a good host."},
    {Reason::kLogQuirk, "LOG_QUIRK", kDeny,
     "A known departure of this firmware from the specification was tolerated.",
     "Nothing to do; a firmware update may remove it."},
    {Reason::kLogUnbound, "LOG_UNBOUND", kReject, "A log was sent that the quote does not name.",
     kRetryAttest},
    {Reason::kPcrUnexplained, "PCR_UNEXPLAINED", kDeny,
     "A PCR is not at its start value and no event explains it.",
     "If software extends it at run time, list it in runtime_extended; else investigate."},
    {Reason::kCelParse, "CEL_PARSE", kDeny,
     "A record of the user-space measurement log cannot be read.", kCheckLog},
    {Reason::kCelTruncated, "CEL_TRUNCATED", kDeny,
     "The last record of the user-space measurement log was not written to its end.",
     "Boot the host again; whether the register was extended all the same the quote tells."},
    {Reason::kCelLimit, "CEL_LIMIT", kDeny,
     "The user-space measurement log is larger or nested deeper than any genuine one.", kCheckLog},
    {Reason::kCelDigests, "CEL_DIGESTS", kDeny,
     "A record of the user-space measurement log lacks a digest of the quoted bank, or has one "
     "that is none.",
     kCheckLog},
    {Reason::kCelRegister, "CEL_REGISTER", kDeny,
     "A record of the user-space measurement log is about no PCR or NV index, or about one that "
     "user space does not extend so.",
     kCheckLog},
    {Reason::kImaTruncated, "IMA_TRUNCATED", kDeny, "The IMA list ends inside an entry.",
     kInvestigate},
    {Reason::kImaTemplate, "IMA_TEMPLATE", kDeny,
     "An IMA entry is malformed or of an unknown template.", kInvestigate},
    {Reason::kImaTemplateHash, "IMA_TEMPLATE_HASH", kDeny,
     "An IMA entry's listed hash is not the hash of its content.", kInvestigate},
    {Reason::kImaTemplateLegacy, "IMA_TEMPLATE_LEGACY", kDeny,
     "The IMA list uses the old template with cut names and SHA-1.",
     "Boot with ima_template=ima-ng or ima-sig."},
    {Reason::kImaLimit, "IMA_LIMIT", kDeny, "The IMA list is larger than the configured bound.",
     "Raise the bound or narrow the IMA policy."},
    {Reason::kImaPcrMismatch, "IMA_PCR_MISMATCH", kDeny,
     "The IMA list does not lead to the quoted PCR 10: it was altered, or entries are missing.",
     kInvestigate},
    {Reason::kImaMissing, "IMA_MISSING", kDeny,
     "There is no IMA list although PCR 10 was extended.",
     "Check the agent's ima_list path and its permission to read it."},
    {Reason::kImaBootAggregate, "IMA_BOOT_AGGREGATE", kDeny,
     "The list's boot_aggregate is not that of the quoted PCRs: list and boot do not belong "
     "together.",
     kInvestigate},
    {Reason::kImaViolation, "IMA_VIOLATION", kDeny,
     "A file was written while it was measured, so what ran is unknown.",
     "Find what writes the file; exclude it from measurement if that is legitimate."},
    {Reason::kImaDigest, "IMA_DIGEST", kDeny,
     "A file ran or was read whose content is not the reference's.", kRelearn},
    {Reason::kImaUnlisted, "IMA_UNLISTED", kDeny,
     "A file ran or was read that the reference does not know.", kRelearn},
    {Reason::kImaPolicyDiffers, "IMA_POLICY_DIFFERS", kDeny,
     "The host's IMA policy measures other things than the reference's did.",
     "Learn a reference from a boot with the same IMA policy."},
    {Reason::kRetryLogBehind, "RETRY_LOG_BEHIND", kReject,
     "The IMA list sent does not reach the quoted PCR 10 yet.",
     "The agent tries again by itself; after several times it counts as a mismatch."},
    {Reason::kRetryResync, "RETRY_RESYNC", kReject,
     "The part of the IMA list that was sent does not continue what is known of this host.",
     "The agent asks again by itself and then sends the whole list."},
    {Reason::kImaAggregateMissing, "IMA_BOOT_AGGREGATE_MISSING", kDeny,
     "The IMA list does not begin with boot_aggregate: nothing ties it to this boot.",
     kInvestigate},
    {Reason::kImaKexec, "IMA_KEXEC", kDeny,
     "The IMA list has a second boot_aggregate: the kernel was started by kexec, or another boot's "
     "list was joined on.",
     "Where hosts start kernels by kexec, say so in the reference: \"kexec\": true."},
    {Reason::kImaOutdated, "IMA_OUTDATED", kDeny,
     "A file ran or was read that an update has replaced: outdated_package.",
     "Update the package on this host; to give it more time, merge the sets with a longer grace."},
    {Reason::kImaDigestAlg, "IMA_DIGEST_ALG", kDeny,
     "An IMA entry's digest is of an algorithm that the reference does not allow.",
     "Boot with ima_hash=sha256; only where that cannot be, list the algorithm in the reference."},
    {Reason::kImaKeyring, "IMA_KEYRING", kDeny,
     "A key was loaded into a keyring that the reference does not list for it.",
     "Find who loaded the key; if it is yours, add its SHA-256 to the reference."},
    {Reason::kImaSignature, "IMA_SIGNATURE", kDeny,
     "A file's signature is missing, or no key that the reference trusts made it.", kInvestigate},
    {Reason::kImaSetMissing, "IMA_SET_MISSING", kReject,
     "The reference names a set of files that is not here, so nobody can be judged by it.",
     "bootgate-gatekeeper reference ima push SET, on each gatekeeper."},
    {Reason::kReferenceEventMissing, "REFERENCE_EVENT_MISSING", kDeny,
     "An event of the reference boot did not happen.", kRelearn},
    {Reason::kReferenceEventUnexpected, "REFERENCE_EVENT_UNEXPECTED", kDeny,
     "An event happened that the reference boot does not have.", kRelearn},
    {Reason::kReferenceEventChanged, "REFERENCE_EVENT_CHANGED", kDeny,
     "An event measured something else than in the reference boot.", kRelearn},
    {Reason::kReferenceRegister, "REFERENCE_REGISTER", kDeny,
     "A PCR has another value than the reference's.", kRelearn},
    {Reason::kReferenceBankMissing, "REFERENCE_BANK_MISSING", kDeny,
     "The reference has no values for the quoted bank.",
     "Learn the reference from evidence that quotes this bank."},
    {Reason::kReferenceParse, "REFERENCE_PARSE", kError, "The reference file cannot be read.",
     "Correct it at the place named, or make it anew."},
    {Reason::kSecureBootOff, "SECURE_BOOT_OFF", kDeny, "Secure Boot was off at this boot.",
     "Turn Secure Boot on in the firmware and boot again."},
    {Reason::kNoPolicy, "NO_POLICY", kDeny, "No policy is assigned to this host.",
     "Activate one: bootgate-gatekeeper policy activate FILE"},
    {Reason::kPolicyDeny, "POLICY_DENY", kDeny, "A rule of the policy denies this host.",
     "Read the rule at the line named."},
    {Reason::kPolicyNotPermitted, "POLICY_NOT_PERMITTED", kDeny,
     "No rule of the policy permits this host.",
     "Compare the claims of the verdict with the policy's conditions."},
    {Reason::kPolicyError, "POLICY_ERROR", kDeny, "A rule of the policy could not be computed.",
     "Correct the rule at the line named."},
    {Reason::kPolicyBudget, "POLICY_BUDGET", kError,
     "The policy needs more work for this host's evidence than one evaluation may take.",
     "Let its queries keep less; `policy explain FILE --evidence DIR` tells at which rule it "
     "ends."},
    {Reason::kPolicyParse, "POLICY_PARSE", kError, "The policy text cannot be read.",
     "Correct it at the line and column named; `policy check` tells more."},
    {Reason::kPolicyPcrMask, "POLICY_PCR_MASK", kDeny,
     "The quote lacks a PCR that the policy requires.", "Ask for it in quote.selection."},
    {Reason::kPolicyRollback, "POLICY_ROLLBACK", kReject,
     "The policy is older than one that was enforced for these hosts.",
     "Go back with `policy rollback --reason TEXT`, or force it with --force --reason TEXT."},
    {Reason::kPolicyWouldDeny, "POLICY_WOULD_DENY", kReject,
     "Hosts that are admitted now would be denied by this policy.",
     "Read `policy diff`; correct the policy, or accept the number with --accept-changes N."},
    {Reason::kQuarantined, "QUARANTINED", kDeny,
     "The host is quarantined; good evidence alone does not end that.",
     "Resolve the incident; then a new boot with good evidence is admitted."},
    {Reason::kKeyNotAttested, "KEY_NOT_ATTESTED", kReject,
     "A key that the host presents is not certified by the attestation key.", kSuspectHost},
    {Reason::kKeyAttributes, "KEY_ATTRIBUTES", kReject,
     "The identity key could be used without the PCR policy or leave its TPM.", kSuspectHost},
    {Reason::kKeyPolicy, "KEY_POLICY", kReject,
     "The identity key is bound to other PCR values than those attested.",
     "PCRs moved between making the key and the quote; the agent tries again."},
    {Reason::kCsrProfile, "CSR_PROFILE", kReject,
     "The request asks for certificate contents that are not the host's to choose.", kSuspectHost},
    {Reason::kCsrKeyNotAttested, "CSR_KEY_NOT_ATTESTED", kReject,
     "The request's key is not the key that the TPM certified.", kSuspectHost},
    {Reason::kSealStateMoved, "SEAL_STATE_MOVED", kDeny,
     "The release PCR is already capped in this boot, so nothing is sealed.",
     "Boot the host again."},
    {Reason::kSealApproval, "SEAL_APPROVAL", kReject,
     "The approval of another PCR state is not signed by our key, or is for another host.",
     "Make it anew with `approval create`."},
    {Reason::kOperatorQuarantine, "OPERATOR_QUARANTINE", kDeny, "An operator cut the host off.",
     "Ask who did and why with `quarantine show`; it comes back as after any quarantine."},
    {Reason::kBrakeEngaged, "BRAKE_ENGAGED", kDeny,
     "More hosts failed at once than the mass-failure brake lets through; this one is held.",
     "Find the common cause, often a policy or a reference; then `brake release`."},
    {Reason::kHostState, "HOST_STATE", kReject, "The host is not in a state for this.",
     "See `host show`; the message names the states that it is for."},
    {Reason::kSecondApprover, "SECOND_APPROVER", kReject,
     "Who resolved the incident may not release the host as well.",
     "Have another operator with the role approver release it."},
    {Reason::kIncidentUnknown, "INCIDENT_UNKNOWN", kReject, "There is no incident of that id.",
     "See `incident list`."},
    {Reason::kIncidentState, "INCIDENT_STATE", kReject, "The incident is not in a state for this.",
     "See `incident show`; the message names what it is waiting for."},
    {Reason::kVerdictUnknown, "VERDICT_UNKNOWN", kReject, "There is no verdict of that id.",
     "See `verdict list`; old ones are removed after the configured time."},
    {Reason::kEvidenceGone, "EVIDENCE_GONE", kReject,
     "There is no such evidence, or none any more.",
     "Evidence is removed after the configured time; exported archives still hold it."},
    {Reason::kArchive, "ARCHIVE", kReject, "The archive is not as it was exported.",
     "Export the incident again with `incident export`."},
    {Reason::kWaiver, "WAIVER", kReject, "The waiver says something that no waiver may say.",
     "Name findings that can be waived, hosts, an owner, a reason and an expiry."},
    {Reason::kWaiverUnknown, "WAIVER_UNKNOWN", kReject, "There is no waiver of that id.",
     "See `waiver list`."},
    {Reason::kOperatorCertificate, "OPERATOR_CERTIFICATE", kReject,
     "The caller showed no operator's certificate of this cluster that is valid and not revoked.",
     "Have one made with `ca operator issue`, and show it with --identity."},
    {Reason::kRoleDenied, "ROLE_DENIED", kReject, "The caller's roles do not allow this.",
     "`whoami` tells the roles; an admin can issue a certificate with others."},
    {Reason::kRevisionStale, "REVISION_STALE", kReject,
     "Somebody else has changed it since it was read.", "Look at it again, then repeat."},
    {Reason::kIdempotencyKey, "IDEMPOTENCY_KEY", kReject,
     "The idempotency key was used for another request, or its request broke off.",
     "A new key for a new request; of one that broke off, look first how far it came."},
    {Reason::kSelector, "SELECTOR", kReject, "The selector or filter cannot be read.",
     "Write NAME=VALUE pairs with commas between them."},
    {Reason::kPageToken, "PAGE_TOKEN", kReject, "The page token is not one of this list.",
     "Begin again with the first page."},
    {Reason::kWatchToken, "WATCH_TOKEN", kReject,
     "The watch cannot go on from there: the token is of another store, or ahead of it.",
     "Watch without a token: a snapshot comes first."},
    {Reason::kAuditBroken, "AUDIT_BROKEN", kError,
     "Rows of the audit trail were changed, removed or replaced.",
     "Compare with checkpoints that were kept elsewhere; treat the gatekeeper as compromised."},
    {Reason::kJwsParse, "JWS_PARSE", kReject, "A signed text, a key or a token is malformed.",
     "Send it as it was made: three base64url parts, no white space, no member twice."},
    {Reason::kJwsAlg, "JWS_ALG", kReject,
     "The text names no algorithm, one that is not accepted, or one that does not fit the key.",
     "Sign with RS256, PS256, ES256 or ES384, whichever belongs to the signer's key."},
    {Reason::kJwsSignature, "JWS_SIGNATURE", kReject,
     "The signature was not made by this key, or not over this text.",
     "Treat the text as forged or altered; check that the key set is the issuer's present one."},
    {Reason::kSignerUntrusted, "SIGNER_UNTRUSTED", kReject,
     "The signer is none of the configured ones.",
     "Sign with a key whose certificates lead to a configured root, or have it configured."},
    {Reason::kTokenExpired, "TOKEN_EXPIRED", kReject, "The token is not valid at this time.",
     "Have the host attest again; compare the clocks of issuer and relying party."},
    {Reason::kMessageTooLarge, "MESSAGE_TOO_LARGE", kLimit, "The message is larger than the bound.",
     "Check the sizes of boot log and IMA list against the gatekeeper's limits."},
    {Reason::kMessageMalformed, "MESSAGE_MALFORMED", kReject,
     "The message lacks a part or has one that makes no sense.", kSuspectHost},
    {Reason::kTooManyRequests, "TOO_MANY_REQUESTS", kLimit, "Too many requests are open.",
     "Try again later."},
    {Reason::kClaimReserved, "CLAIM_RESERVED", kReject,
     "The host sent a claim that only the gatekeeper makes.", kSuspectHost},
    {Reason::kServerAuth, "SERVER_AUTH", kReject, "The gatekeeper did not prove its identity.",
     "Check address and CA of the join file; a man in the middle looks the same."},
    {Reason::kStore, "STORE", kError, "The store could not be read or written.", kOurFault},
    {Reason::kRecordCorrupt, "RECORD_CORRUPT", kError, "A stored record cannot be read.",
     kOurFault},
    {Reason::kAuditUnavailable, "AUDIT_UNAVAILABLE", kError,
     "The audit trail cannot be written, so nothing is decided.", kOurFault},
    {Reason::kCa, "CA", kError, "The certificate authority could not sign.", kOurFault},
    {Reason::kCaKey, "CA_KEY", kError,
     "A key of the certificate authority cannot be used: locked, missing, or its holder does not "
     "answer.",
     "Give the passphrase or PIN where ca.toml says, or connect the key's holder."},
    {Reason::kInternal, "INTERNAL", kError, "The gatekeeper failed.", kOurFault},
    {Reason::kStateCorrupt, "STATE_CORRUPT", kError,
     "A file that the agent keeps is damaged or open to others.",
     "Find out who changed it, remove it and join again."},
    {Reason::kStateUnwritable, "STATE_UNWRITABLE", kError,
     "A file of the agent cannot be written: the file system is full, read-only, or no tmpfs.",
     "Make room, mount it writable, or use a tmpfs; nothing was half written."},
    {Reason::kWorkloadDenied, "WORKLOAD_DENIED", kReject,
     "The process at the agent's socket is none that the configuration lets in.",
     "Add its user or group to workload.allow of the agent's configuration."},
    {Reason::kTpm, "TPM", kError, "The TPM refused a command.",
     "See the TPM's own code in the message."},
    {Reason::kTpmMissing, "TPM_MISSING", kError, "No TPM answers at the configured TCTI.",
     "Check that /dev/tpmrm0 exists and that the agent's user is in its group (tss)."},
    {Reason::kTpmPcrChanged, "TPM_PCR_CHANGED", kError, "PCRs kept changing while the TPM worked.",
     "The agent tries again by itself."},
    {Reason::kTpmPolicy, "TPM_POLICY", kError,
     "The TPM's PCRs are not those the object is bound to.",
     "Attest again to get a credential for the present state."},
    {Reason::kTpmLockout, "TPM_LOCKOUT", kError, "The TPM is in dictionary-attack lockout.",
     "Clear the lockout with tpm2_dictionarylockout."},
    {Reason::kTpmIntegrity, "TPM_INTEGRITY", kError,
     "The TPM found a blob altered or made for another key.", "The agent asks for a new one."},
    {Reason::kTpmResponseHmac, "TPM_RESPONSE_HMAC", kError,
     "A response from the TPM was altered on its way.",
     "Suspect the bus between processor and TPM."},
    {Reason::kTpmReplaced, "TPM_REPLACED", kError,
     "The TPM in this machine is not the one that joined.",
     "If the part was changed, `host swap-tpm` at the gatekeeper, then join again."},
    {Reason::kTpmHierarchy, "TPM_HIERARCHY", kError,
     "The TPM's endorsement hierarchy is disabled or has a password.",
     "Enable it in the firmware set-up, or clear its password (tpm2_changeauth -c e)."},
    {Reason::kTpmResources, "TPM_RESOURCES", kError,
     "The TPM has no room for an object or a session: other software holds all of it.",
     "Use /dev/tpmrm0, or find who leaves sessions (tpm2_getcap handles-loaded-session)."},
    {Reason::kTpmFailure, "TPM_FAILURE", kError, "The TPM is in failure mode.",
     "Switch the machine off and on; if it stays so, replace the TPM."},
};

static_assert(
    sizeof(kTable) / sizeof(kTable[0]) ==
        [] {
          size_t n = 0;
#define BOOTGATE_COUNT_(id, name) ++n;
          BOOTGATE_REASONS(BOOTGATE_COUNT_)
#undef BOOTGATE_COUNT_
          return n;
        }(),
    "a reason code has no row, or has two");

constexpr bool RowsInOrder() {
  for (size_t i = 0; i < sizeof(kTable) / sizeof(kTable[0]); ++i) {
    if (static_cast<size_t>(kTable[i].reason) != i) return false;
  }
  return true;
}
static_assert(RowsInOrder(), "the rows stand in the order of the enum");

}  // namespace

absl::string_view Name(OutcomeClass outcome) {
  switch (outcome) {
    case kAdmit:
      return "ADMIT";
    case kDeny:
      return "DENY";
    case kReject:
      return "REJECT";
    case kLimit:
      return "LIMIT";
    case kError:
      return "ERROR";
  }
  __builtin_unreachable();
}

const ReasonInfo& Info(Reason reason) { return kTable[static_cast<size_t>(reason)]; }
absl::string_view Code(Reason reason) { return Info(reason).code; }
absl::Span<const ReasonInfo> AllReasons() { return kTable; }

std::optional<Reason> ReasonFromCode(absl::string_view code) {
  const auto row = std::find_if(std::begin(kTable), std::end(kTable),
                                [&](const ReasonInfo& info) { return info.code == code; });
  if (row == std::end(kTable)) return std::nullopt;
  return row->reason;
}

absl::Status Refuse(absl::StatusCode status_code, Reason reason, absl::string_view message) {
  return WithReason(absl::Status(status_code, message), reason);
}
absl::Status Malformed(Reason reason, absl::string_view message) {
  return Refuse(absl::StatusCode::kInvalidArgument, reason, message);
}
absl::Status NotAuthentic(Reason reason, absl::string_view message) {
  return Refuse(absl::StatusCode::kUnauthenticated, reason, message);
}
absl::Status NotPermitted(Reason reason, absl::string_view message) {
  return Refuse(absl::StatusCode::kPermissionDenied, reason, message);
}

std::optional<Reason> ReasonOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kReasonPayload);
  if (!payload.has_value()) return std::nullopt;
  return ReasonFromCode(std::string(*payload));
}

absl::Status WithReason(absl::Status status, Reason reason) {
  if (!status.ok() && !status.GetPayload(kReasonPayload).has_value()) {
    status.SetPayload(kReasonPayload, absl::Cord(Code(reason)));
  }
  return status;
}

}  // namespace bootgate
