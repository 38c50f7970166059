// What the gatekeeper keeps, as small interfaces. Every backend runs the contract suite beside this
// file; a promise here without a row there is not a promise.
//
// Errors: kAborted (the revision read is not the stored one any more), kNotFound, kAlreadyExists,
// kUnavailable with STORE (the store cannot work), kDataLoss with RECORD_CORRUPT (one row cannot be
// read: only that row suffers).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/host/host.h"

namespace bootgate::gatekeeper::store {

struct JoinToken {
  std::string id;       // public part
  Bytes secret_sha256;  // of the secret part; the secret itself is never stored
  std::map<std::string, std::string> labels;
  int uses_left = 1;
  absl::Time expires_at, created_at;
  bool approves = false;  // hosts that join with it need no further approval
  int uses = 0;           // as made; 0: not known any more
  std::string author;     // empty: not known any more
  std::optional<absl::Time> revoked_at;
};

// Proof of holding a join token, at a time.
struct JoinTokenUse {
  std::string id;
  Bytes secret_sha256;
  absl::Time now;
};

// A TPM that is known before it joins.
struct InventoryRow {
  // Of its EK, in lower case: host id, or the SHA-256 in 64 hex digits of the public area, of the
  // SubjectPublicKeyInfo or of the EK certificate. The store takes any text.
  std::string ek;
  std::map<std::string, std::string> labels;  // the host gets them when it joins
  std::string source;                         // the file it came in
  std::string author;
  absl::Time added_at;
};

struct InventoryChange {
  int64_t added = 0, replaced = 0;
};

struct VerdictRow {
  std::string id;  // "v-" and 32 hex digits
  std::string host_id;
  absl::Time at;
  std::string outcome;  // "ADMIT", "DENY"
  std::string policy_id, reference_id;
  std::string body_json;  // findings, claims, coverage
  host::BootMark boot;
};

struct CredentialRow {
  std::string serial;                        // hex
  std::string host_id, verdict_id, profile;  // "tpm-key", "sealed"
  absl::Time not_before, not_after;
  bool revoked = false;
  std::optional<absl::Time> revoked_at;
  std::string kind = "host";  // "host", "ak", "ek", "svid"
  std::string issuer;         // key id (hex) of the CA that signed it; empty: not known any more
};

// A credential that was revoked, at its place in the order in which they were.
struct RevokedRow {
  int64_t number = 0;  // from 1, never given twice
  CredentialRow credential;
};

struct IncidentRow {
  std::string id;  // "i-" and 16 hex digits
  std::string host_id, first_verdict_id, last_verdict_id;
  absl::Time opened_at, last_at;
  int64_t failures = 1;  // repeated failures fold into one
  std::string state;     // "open", "investigating", "resolved", "closed": the end
  std::string why;
  std::vector<std::string> reasons;
  uint64_t revision = 0;           // of the stored row; 0: never stored
  std::string action = "isolate";  // what it came to: "restrict", "isolate"
  std::string opened_by;           // an operator; empty: a verdict
  std::string assignee;            // an operator's name
  std::string root_cause, disposition, ticket;
  std::string resolved_by, approved_by;  // operators' names
  std::optional<absl::Time> resolved_at, approved_at, closed_at;
};

// One line of an incident's history.
struct IncidentEventRow {
  int64_t sequence = 0;     // given by the store
  std::string incident_id;  // empty in a Commit: of the incident that it writes
  absl::Time at;
  std::string actor;  // as of AuditRow
  std::string kind;   // "opened", "failure", "note", "assigned", "state", ...
  std::string text;
};

// What others are told of: kept in order, so that each of them can ask for what it has not seen.
struct ChangeRow {
  int64_t sequence = 0;  // given by the store, from 1, growing
  absl::Time at;
  std::string kind;           // "trust", "incident", "brake"
  std::string host_id;        // empty: of no single host
  std::string before, after;  // states
  std::string incident_id;    // empty: of none
  std::string why;            // one line
  std::string verdict_id;     // of the evidence that made it; empty: somebody's act
};

// How far one that is told (a webhook) has come, and how it is with the next change.
struct ConsumerRow {
  std::string name;
  int64_t told = 0;         // number of the last change that is done with
  int64_t attempts = 0;     // without success, of the next one
  absl::Time next_attempt;  // of the next one
  std::string last_error;   // of the last attempt; empty: it succeeded
};

// A change that a consumer could not be told, and was given up.
struct DeadLetterRow {
  int64_t sequence = 0;  // given by the store
  std::string consumer;
  int64_t change = 0;
  absl::Time at;
  int64_t attempts = 0;
  std::string error;
};

// Frozen evidence: name of the part -> SHA-256 (hex) of its blob.
using EvidenceParts = std::map<std::string, std::string>;

// A signature over the audit chain up to a row.
struct CheckpointRow {
  int64_t sequence = 0;  // of the audit row
  absl::Time at;
  Bytes chain;         // of that row
  std::string key_id;  // hex SHA-256 of the signer's SubjectPublicKeyInfo
  Bytes signature;
};

// What may go because of its age: A88.
struct Retention {
  absl::Time verdicts_before;  // given before this time
  absl::Time evidence_before;  // of incidents that were closed before this time
  int limit = 1000;            // so many verdicts, and so many incidents' evidence, at most
};

struct Swept {
  int64_t verdicts = 0, incidents = 0, blobs = 0;  // incidents: whose evidence went
  int64_t credentials = 0;
  bool more = false;  // the limit was reached
};

// What was answered to a call that came with an idempotency key.
struct AnswerRow {
  std::string actor, key;
  Bytes request_sha256;  // of method and request: another one under the same key is refused
  Bytes answer;          // BegunAnswer(): there is none yet
  absl::Time at;
};

// Something to do after the commit; done at least once.
struct EffectRow {
  int64_t sequence = 0;  // given by the store
  std::string kind;      // host::Name(Effect)
  std::string host_id, verdict_id;
};

struct AuditRow {
  int64_t sequence = 0;  // given by the store, no gaps
  absl::Time at;
  std::string actor;        // "host h-...", "operator root", "gatekeeper"
  std::string action;       // "verdict", "host.approve", ...
  std::string subject;      // host id, policy id, ...
  std::string detail_json;  // before, after, why
  Bytes chain;              // SHA-256 over the row and the chain value before it; made by the store
};

// The newest audit row's number and chain value, kept apart from the rows: the last rows cannot
// vanish unseen. Sequence 0: no row yet.
struct AuditHead {
  int64_t sequence = 0;
  Bytes chain;
};

// A named piece of configuration with history: policies and references.
struct DocumentRow {
  std::string kind;  // "policy", "reference"
  std::string id;    // hex SHA-256 of the text
  std::string name;
  std::string text;
  std::string author;
  absl::Time created_at;
};

// One version of a named document. Versions of one name are numbered from 1 without gaps.
struct VersionRow {
  std::string kind;  // "policy"
  std::string name;
  int64_t version = 0;
  std::string document_id;
  std::string author;
  absl::Time at;
  std::string upload;  // the signed form it came in; empty: plain text
  std::string signer;  // hex SHA-256 of the signer's certificate; empty: nobody signed
};

// One step in what applies to the hosts of a selector. The history keeps every step; of them result
// the standing assignments: one that is enforced and one that is only reported on.
enum class Step {
  kEnforce,   // enforced from now on; what was reported on for this selector is not any more
  kReport,    // judged beside what is enforced, without effect
  kRollBack,  // enforced again, as before the step that is undone; else as kEnforce
  kEnd,       // nothing is enforced any more (no document); else as kEnforce
  kEndReport  // nothing is reported on any more (no document)
};
absl::string_view Name(Step step);  // "enforce", "report", "roll-back", "end", "end-report"
std::optional<Step> StepFromName(absl::string_view name);

struct AssignmentRow {
  std::string kind;         // "policy", "reference", "policy-signer"
  std::string selector;     // "" is the default; else labels, or what the kind has instead
  std::string document_id;  // empty for kEnd and kEndReport
  std::string author;
  absl::Time at;
  Step step = Step::kEnforce;
  std::string name;  // of the version; empty: the document was assigned without one
  int64_t version = 0;
  std::string why;       // of a step that needs a reason
  int64_t sequence = 0;  // of the step in the history; given by the store
};

// Everything one decision changes, written in one transaction or not at all. The audit row is part
// of it: when it cannot be written, nothing is decided.
struct Commit {
  std::optional<host::HostRecord> host;  // revision as read; the store writes revision + 1
  // A second one, in the same way: one host takes another's place. What is done to "the host" below
  // is done to the first.
  std::optional<host::HostRecord> other_host;
  std::vector<DocumentRow> documents;  // as of PutDocument
  // The newest step of that kind as it was read (0: none); kAborted when it is another by now.
  struct StepSeen {
    std::string kind;
    int64_t newest = 0;
  };
  std::optional<StepSeen> step_seen;
  std::vector<AssignmentRow> steps;  // as of Assign
  std::optional<VerdictRow> verdict;
  std::vector<std::pair<std::string, Bytes>> blobs;  // SHA-256 hex -> frozen evidence
  std::vector<CredentialRow> issued;
  // What `host` uses towards others, not its AK and EK certificates; at the audit row's time. What
  // ended a day before that stays as it is.
  bool revoke_host_credentials = false;
  bool revoke_ek_certificates = false;      // its EK and AK certificates: it does not attest again
  std::vector<std::string> revoke_serials;  // already revoked: stays as it is; unknown: kNotFound
  // Opened; or folded into the host's incident that is not closed: one failure more, the new
  // verdict, time and reasons, all else as it was. An incident of this very id is replaced instead,
  // at the revision that was read (else kAborted).
  std::optional<IncidentRow> incident;
  std::vector<IncidentEventRow> incident_events;
  EvidenceParts incident_evidence;  // added to `incident`; a part that is there stays
  // Of `host`, in place of what was kept: what it was last admitted with.
  std::optional<EvidenceParts> admitted_evidence;
  std::string why;                         // of a change of the host's trust: one line
  std::vector<ChangeRow> changes;          // beside the host's own, which the store makes itself
  std::optional<JoinTokenUse> join_token;  // one use less; errors as of RedeemJoinToken
  std::vector<EffectRow> effects;
  std::vector<AuditRow> audit;  // never empty
};

class Store {
 public:
  virtual ~Store() = default;

  // kAborted when `commit.host` was not read at the stored revision, or a step was taken meanwhile
  // (step_seen). kAlreadyExists: a verdict or a
  // credential of that id is there. kInvalidArgument: no audit row, a blob under a name that is not
  // its digest, a revocation without a host. Returns once all of it is durable.
  virtual absl::Status Apply(const Commit& commit) = 0;

  virtual absl::StatusOr<host::HostRecord> GetHost(const std::string& id) = 0;
  // In order of id; corrupt rows are left out and named in `corrupt` when that is given.
  virtual absl::StatusOr<std::vector<host::HostRecord>> ListHosts(
      std::vector<std::string>* corrupt) = 0;

  // In order of id, at most `limit` behind `after` ("": from the first on); of all states when
  // `trusts` is empty. Corrupt ones as of ListHosts.
  virtual absl::StatusOr<std::vector<host::HostRecord>> ListHostsAfter(
      const std::string& after, int limit, const std::vector<host::Trust>& trusts,
      std::vector<std::string>* corrupt) = 0;

  // How many hosts there are in each state; states without a host are left out. Reads no record.
  virtual absl::StatusOr<std::map<host::Trust, int64_t>> CountHosts() = 0;

  virtual absl::StatusOr<VerdictRow> GetVerdict(const std::string& id) = 0;
  // Newest first, at most `limit`, of one host ("": of all), behind the one of that id ("": from
  // the newest on).
  virtual absl::StatusOr<std::vector<VerdictRow>> ListVerdicts(const std::string& host_id,
                                                               const std::string& behind,
                                                               int limit) = 0;
  virtual absl::StatusOr<IncidentRow> GetIncident(const std::string& id) = 0;
  // In order of opening.
  virtual absl::StatusOr<std::vector<IncidentRow>> ListIncidents(
      const std::string& host_id) = 0;  // "": all
  virtual absl::StatusOr<std::vector<IncidentEventRow>> ListIncidentEvents(
      const std::string& incident_id) = 0;  // oldest first
  // Of an incident, or what a host was last admitted with; nothing kept: empty.
  virtual absl::StatusOr<EvidenceParts> GetEvidence(const std::string& incident_or_host_id) = 0;
  virtual absl::StatusOr<std::vector<CredentialRow>> ListCredentials(
      const std::string& host_id) = 0;
  virtual absl::StatusOr<bool> IsRevoked(const std::string& serial) = 0;  // unknown serial: true
  virtual absl::StatusOr<CredentialRow> GetCredential(const std::string& serial) = 0;
  // What was revoked behind `after`, in that order, without what has expired at `now`. A list that
  // is kept from call to call is asked for from its last number on.
  virtual absl::StatusOr<std::vector<RevokedRow>> ListRevoked(int64_t after, absl::Time now) = 0;
  // The last number given; 0: nothing was ever revoked. Cheap: one look-up.
  virtual absl::StatusOr<int64_t> LastRevocation() = 0;
  virtual absl::StatusOr<Bytes> GetBlob(const std::string& sha256_hex) = 0;

  // Join tokens. Redeem is atomic: one use less, or an error with JOIN_TOKEN_UNKNOWN, _EXPIRED (a
  // revoked one, too), _USED. A wrong secret is as good as an unknown id. Check has the same errors
  // and uses nothing up.
  virtual absl::Status PutJoinToken(const JoinToken& token, const AuditRow& audit) = 0;
  virtual absl::StatusOr<JoinToken> RedeemJoinToken(const std::string& id, ByteView secret_sha256,
                                                    absl::Time now) = 0;
  virtual absl::StatusOr<JoinToken> CheckJoinToken(const std::string& id, ByteView secret_sha256,
                                                   absl::Time now) = 0;

  virtual absl::StatusOr<JoinToken> GetJoinToken(const std::string& id) = 0;
  virtual absl::StatusOr<std::vector<JoinToken>> ListJoinTokens() = 0;  // oldest first
  // At the audit row's time; again: fine, the first time stays. kNotFound.
  virtual absl::Status RevokeJoinToken(const std::string& id, const AuditRow& audit) = 0;

  // All rows or none; one that is there is replaced.
  virtual absl::StatusOr<InventoryChange> PutInventory(const std::vector<InventoryRow>& rows,
                                                       const AuditRow& audit) = 0;
  virtual absl::StatusOr<InventoryRow> GetInventory(const std::string& ek) = 0;
  // In order of `ek`, at most `limit` behind `after`; "": from the first on.
  virtual absl::StatusOr<std::vector<InventoryRow>> ListInventory(const std::string& after,
                                                                  int limit) = 0;
  virtual absl::StatusOr<int64_t> CountInventory() = 0;
  // All or none; kNotFound names the first that is not there.
  virtual absl::Status RemoveInventory(const std::vector<std::string>& eks,
                                       const AuditRow& audit) = 0;

  // The same document again is fine and keeps its first name, author and time; another text under
  // a known id is kAlreadyExists.
  virtual absl::Status PutDocument(const DocumentRow& document, const AuditRow& audit) = 0;
  virtual absl::StatusOr<DocumentRow> GetDocument(const std::string& kind,
                                                  const std::string& id) = 0;
  virtual absl::StatusOr<std::vector<DocumentRow>> ListDocuments(
      const std::string& kind) = 0;  // newest first

  // A document and its name's next version, at once. The document as of PutDocument. kAborted: the
  // version does not follow the newest one of its name.
  virtual absl::Status PutVersion(const DocumentRow& document, const VersionRow& version,
                                  const AuditRow& audit) = 0;
  // By name, then newest first; "": of all names.
  virtual absl::StatusOr<std::vector<VersionRow>> ListVersions(const std::string& kind,
                                                               const std::string& name) = 0;

  // Takes one step. kAborted: `after` is given and is not the kind's newest step (0: there is
  // none). kFailedPrecondition: the document is not stored. kInvalidArgument: a document where the
  // step has none, or none where it needs one.
  virtual absl::Status Assign(const AssignmentRow& assignment, const AuditRow& audit,
                              std::optional<int64_t> after = std::nullopt) = 0;
  // What stands: at most one kReport, and one of another step, for each selector; by selector.
  virtual absl::StatusOr<std::vector<AssignmentRow>> ListAssignments(const std::string& kind) = 0;
  // Every step ever taken, oldest first.
  virtual absl::StatusOr<std::vector<AssignmentRow>> ListSteps(const std::string& kind) = 0;

  virtual absl::StatusOr<std::vector<EffectRow>> PendingEffects(int limit) = 0;  // oldest first
  virtual absl::Status MarkEffectDone(int64_t sequence) = 0;                     // again: fine

  // Changes behind `after`, oldest first. A change of a host's trust is made by each commit that
  // moves it, and by nothing else.
  virtual absl::StatusOr<std::vector<ChangeRow>> ListChanges(int64_t after, int limit) = 0;
  virtual absl::StatusOr<std::vector<ChangeRow>> ListHostChanges(const std::string& host_id) = 0;
  virtual absl::StatusOr<int64_t> LastChange() = 0;  // 0: none; cheap
  // How many hosts came into this state since then by verdicts, not by what operators did.
  virtual absl::StatusOr<int64_t> CountMoves(const std::string& after_state, absl::Time since) = 0;

  virtual absl::StatusOr<std::vector<ConsumerRow>> ListConsumers() = 0;
  // Replaces the one of that name; the dead letter, when given, at once with it.
  virtual absl::Status PutConsumer(const ConsumerRow& consumer,
                                   const std::optional<DeadLetterRow>& dead = std::nullopt) = 0;
  virtual absl::StatusOr<std::vector<DeadLetterRow>> ListDeadLetters() = 0;
  virtual absl::Status RemoveDeadLetter(int64_t sequence) = 0;  // kNotFound

  // kNotFound: no call of that actor with that key, or it is forgotten.
  virtual absl::StatusOr<AnswerRow> GetAnswer(const std::string& actor, const std::string& key) = 0;
  // The first one stays (kAlreadyExists) once it is begun no more; older than `forget_before`: gone.
  virtual absl::Status PutAnswer(const AnswerRow& answer, absl::Time forget_before) = 0;

  // Removes what is old, at once with an audit row of `actor` when there was anything. Verdicts
  // stay that are the last of a host, or the first or last of an incident that is not closed, or
  // whose incident's evidence stays. Evidence of open incidents, and what hosts were last admitted
  // with, never goes; incidents and the audit trail themselves neither. A blob goes with the last
  // name that it had: here, and when a commit replaces `admitted_evidence`. Credentials go that
  // ended before the verdicts that are kept, and were not revoked.
  virtual absl::StatusOr<Swept> Sweep(const Retention& retention, const std::string& actor,
                                      absl::Time now) = 0;

  virtual absl::Status PutCheckpoint(const CheckpointRow& checkpoint) = 0;
  virtual absl::StatusOr<std::vector<CheckpointRow>> ListCheckpoints() = 0;  // oldest first

  // One row with its chain value, for acts that write nothing else (what an operator looked at).
  virtual absl::Status PutAudit(const AuditRow& audit) = 0;
  virtual absl::StatusOr<std::vector<AuditRow>> ListAudit(int64_t after_sequence, int limit) = 0;
  virtual absl::StatusOr<AuditHead> GetAuditHead() = 0;

  // Changes whenever anybody, another process included, has written: invalidates caches.
  virtual absl::StatusOr<int64_t> ChangeCounter() = 0;
};

}  // namespace bootgate::gatekeeper::store
