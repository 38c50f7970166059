// Admission: the one place that knows the whole order, from a nonce to a credential.
//
//   redeem nonce -> host record -> quote -> counters -> rules -> what is known of the IMA list
//   -> Judge (by actions and waivers, too) -> brake -> NextMove -> one commit -> credentials, token
//
// A REJECT, LIMIT or ERROR is a Status and has changed nothing, but for two: when the CA fails
// after an ADMIT was committed the verdict stands, and no credential has left; and a CLOCK_ROLLBACK
// is remembered (host/tpm_history.h), with the host's state as it was. An ADMIT or DENY is
// a Decision, and it is durable before the caller sees it. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/evidence/boot_secrets.h"
#include "common/evidence/evidence.h"
#include "common/ima/digests_at.h"
#include "common/registers/selection.h"
#include "gatekeeper/admission/catalog.h"
#include "gatekeeper/admission/cursor.h"
#include "gatekeeper/admission/judge.h"
#include "gatekeeper/admission/judge_again.h"
#include "gatekeeper/admission/standing.h"
#include "gatekeeper/advisories/firmware_advisories.h"
#include "gatekeeper/appraisal/presented_keys.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/credential/credential.h"
#include "gatekeeper/enroll/ek_recheck.h"
#include "gatekeeper/host/move.h"
#include "gatekeeper/incident/admitted.h"
#include "gatekeeper/quarantine/brake.h"
#include "gatekeeper/quarantine/waivers.h"
#include "gatekeeper/sealing/sealer.h"
#include "gatekeeper/session/entry_book.h"
#include "gatekeeper/session/nonce_book.h"
#include "gatekeeper/softening/actions.h"
#include "gatekeeper/store/store.h"
#include "gatekeeper/token/issuer.h"
#include "gatekeeper/token/jwt_svid.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::admission {

struct Options {
  std::string cluster_id;
  std::string set_folder;          // where reference sets lie; empty: there are none
  registers::Selection selection;  // what hosts quote
  credential::Options credential;
  uint32_t runtime_extended = 0;  // bit n: software extends register n without a log
  int behind_limit = 5;
  // How often a host's whole IMA list is judged, however little of it is new.
  absl::Duration ima_whole_every = absl::Hours(24);
  size_t ima_dictionary_bytes = size_t{64} << 20;  // 0: hosts send every entry in full
  absl::Duration next_attestation = absl::Minutes(10);
  absl::Duration nonce_ttl = absl::Seconds(60);
  advisories::FirmwareAdvisories advisories;  // published weaknesses of TPM firmware
  bool deny_vulnerable_firmware = false;      // else they are only reported
  softening::Actions actions;                 // what findings come to
  quarantine::BrakeOptions brake;
  enroll::EkRecheck* ek_recheck = nullptr;  // must outlive the admission; nullptr: not asked
};

// Who is on the other end of the channel, as TLS has verified it; both empty without a certificate.
struct Peer {
  std::string host_id;                            // of the SPIFFE id
  std::string serial;                             // hex
  absl::Time not_after = absl::InfiniteFuture();  // of the certificate
};

struct Challenge {
  Bytes nonce;
  std::string cluster_id;
  registers::Selection selection, seal_selection;
  uint64_t ima_first_entry = 0;
  absl::Duration valid_for;
};

// DER, made with the decision because it was due; else empty.
struct Renewed {
  Bytes ak_certificate, own_ek_certificate;
};

struct Decision {
  explicit Decision(Verdict judged) : verdict(std::move(judged)) {}
  Verdict verdict;
  std::string verdict_id;
  host::Trust trust = host::Trust::kPending;
  Standing standing;  // once it is committed
  bool drop_credentials = false;
  credential::Issued issued;  // empty unless the host may have credentials now
  std::string token;          // a JWT; empty unless the host was admitted and asked for one
  std::optional<evidence::BootSecrets> boot_secrets;  // of an admitted host that has some
  bool drop_boot_secrets = false;                     // it holds some, and has none any more
  Renewed renewed;
  Challenge next;
  absl::Duration next_attestation;
};

class Admission {
 public:
  // `tokens`: nullptr when none are issued here; `sealer`: when there are no secrets for hosts. All
  // references must outlive this.
  Admission(Options options, store::Store& store, session::NonceBook& nonces,
            const pki::Authority& authority, const Clock& clock, token::Issuer* tokens = nullptr,
            sealing::Sealer* sealer = nullptr)
      : options_(std::move(options)),
        store_(store),
        nonces_(nonces),
        authority_(authority),
        clock_(clock),
        tokens_(tokens),
        sealer_(sealer),
        catalog_(store, options_.set_folder),
        waivers_(store),
        brake_(options_.brake, store),
        entries_(options_.ima_dictionary_bytes),
        admitted_(store) {}

  // A challenge for an enrolled, approved host with this AK. HOST_ID_SYNTAX, HOST_UNKNOWN,
  // HOST_NOT_APPROVED, EK_NOT_BOUND (genuine, but nobody says that it is ours), HOST_RETIRED,
  // AK_UNKNOWN.
  absl::StatusOr<Challenge> NewChallenge(const Peer& peer, const std::string& host_id,
                                         ByteView ak_name);

  // Which of these names of IMA entries, 32 bytes each, need not be sent in full: EntryBook::Known.
  // Errors as of NewChallenge.
  absl::StatusOr<Bytes> KnownEntries(const Peer& peer, const std::string& host_id, ByteView ak_name,
                                     ByteView names);
  // Entries of hosts that were admitted, each inside what a quote vouched for.
  const session::EntryBook& entries() const { return entries_; }

  // What can be known before any log is read: is there such a host, did its AK sign this quote?
  absl::Status Screen(const Peer& peer, const std::string& host_id, const tpm2::RawQuote& quote);

  // `known_templates`: template digests that we computed ourselves, of entries of the IMA list
  // before the quote; the answer is the same without them. `trust_bundle`: SHA-256 of the CA
  // certificates that the agent says it trusts, kept for operators; empty: it does not tell.
  absl::StatusOr<Decision> Decide(const Peer& peer, const evidence::Evidence& evidence,
                                  const ima::DigestsAt* known_templates = nullptr,
                                  ByteView trust_bundle = {});

  // The record of the host that TLS has verified, when it may be told of itself: its certificate is
  // not revoked, and `host_id` is its own. PEER_HOST_MISMATCH (also: no client certificate),
  // PEER_CERT_REVOKED, QUARANTINED, HOST_NOT_APPROVED, HOST_RETIRED, HOST_UNKNOWN. Asks the store
  // each time.
  absl::StatusOr<host::HostRecord> HostOfPeer(const Peer& peer, const std::string& host_id);

  // A JWT-SVID of the peer's host, and the keys that all of them are verified with (a JWK set). For
  // trusted hosts alone. PEER_HOST_MISMATCH: no client certificate. QUARANTINED, HOST_NOT_APPROVED,
  // HOST_RETIRED, HOST_UNKNOWN, PEER_CERT_REVOKED; errors of IssueJwtSvid; kUnimplemented: no
  // tokens are made here.
  absl::StatusOr<token::JwtSvid> FetchJwtSvid(const Peer& peer,
                                              const std::vector<std::string>& audiences);
  absl::StatusOr<std::string> JwtKeys(const Peer& peer);

 private:
  absl::Status CheckWorkloadPeer(const Peer& peer);
  absl::StatusOr<host::HostRecord> KnownHost(const Peer& peer, const std::string& host_id);
  // The same, and its enrolled AK is the one of this name.
  absl::StatusOr<host::HostRecord> KnownHostWith(const Peer& peer, const std::string& host_id,
                                                 ByteView ak_name);
  absl::Status CheckPeer(const Peer& peer, const std::string& host_id);
  // Leaves the store alone: after a commit nothing may fail any more.
  absl::StatusOr<Challenge> Issue(const host::HostRecord& host, const Rules& rules,
                                  ByteView ak_name);
  JudgingOptions JudgedBy() const;
  // The host's answer to our question.
  struct Proven : ProvenEvidence {
    const registers::Selection& selection;  // that was asked for
    uint64_t ima_asked = 0;                 // the first IMA entry asked for
    ByteView trust_bundle = {};             // as of Decide
  };
  // A verdict, and under what it was made, as far as that is nowhere else.
  struct JudgedNow {
    Judged judged;
    absl::Time at;
    bool behind_is_failure = false;
    incident::StateNotes notes;
    softening::Softening softening;
  };
  // What our CA says of the host's TPM, made anew where it is due; part of the commit. A CA that
  // fails here costs the certificates alone.
  Renewed Renew(store::Commit& commit, absl::Time now) const;
  // What the host is admitted with, part of the commit where it has changed.
  absl::Status KeepAdmitted(const evidence::Evidence& evidence, store::Commit* commit);
  // One round of judge, move, commit, issue; kAborted when the host's record moved meanwhile.
  absl::StatusOr<Decision> DecideOnce(const host::HostRecord& host, const Proven& proven);
  // What the evidence's counters and clock mean after the host's last. CLOCK_ROLLBACK, remembered
  // as a second line; kAborted as of DecideOnce.
  absl::StatusOr<host::TpmStep> FollowTpm(const host::HostRecord& host, const Proven& proven,
                                          absl::Time now);
  // Whether the brake holds this host back from quarantine; asked where the event would lead there.
  absl::StatusOr<quarantine::Brake::Turn> AskBrake(const host::HostRecord& host,
                                                   const host::Judged& event,
                                                   const Verdict& verdict, absl::Time now);
  // The host's incident that is not closed, where the verdict may change it.
  absl::StatusOr<std::optional<store::IncidentRow>> IncidentOf(const host::HostRecord& host,
                                                               const host::Judged& event);
  // ADMIT or DENY; every other outcome is a Status.
  absl::StatusOr<JudgedNow> JudgeEvidence(const host::HostRecord& host, const Rules& rules,
                                          const ImaProgress* before, const host::TpmStep& step,
                                          const Proven& proven);
  // What is kept with an incident, so that the judgement can be made again.
  absl::StatusOr<incident::FrozenJudgement> FrozenOf(const host::HostRecord& host,
                                                     const Rules& rules, const ImaProgress* before,
                                                     const Proven& proven, const JudgedNow& judged);
  absl::StatusOr<credential::Plan> PlanFor(const host::HostRecord& host, const Proven& proven,
                                           const Decision& decision, absl::Time now) const;
  // Nothing when none was asked for, or can be had: a token is an extra, the verdict stands.
  std::optional<token::Plan> PlanTokenFor(const host::HostRecord& host, const Rules& rules,
                                          const Proven& proven, const Judged& judged,
                                          absl::Time now) const;
  // What the host gets beside its certificates; nothing where it may have none.
  struct SealedFor {
    sealing::HostSecrets secrets;
    std::optional<evidence::BootSecrets> across;
  };
  absl::StatusOr<SealedFor> SealFor(const host::HostRecord& host, const Proven& proven,
                                    absl::Time now);
  void RememberBoot(const host::HostRecord& host, const Proven& proven, absl::Time now);
  // How often the host's IMA list has lagged since its last verdict, this time included. Neither
  // other refusals nor a lost race forget it.
  int CountBehind(const std::string& host_id);
  // Until its next verdict the host is asked for its whole list.
  void AskForWholeList(const std::string& host_id);
  bool MustSendWholeList(const std::string& host_id);
  void ForgetRetries(const std::string& host_id);

  const Options options_;
  store::Store& store_;
  session::NonceBook& nonces_;
  const pki::Authority& authority_;
  const Clock& clock_;
  token::Issuer* const tokens_;
  sealing::Sealer* const sealer_;
  Catalog catalog_;
  quarantine::WaiverShelf waivers_;
  quarantine::Brake brake_;
  session::EntryBook entries_;
  incident::AdmittedBook admitted_;
  std::mutex retries_mutex_;
  std::map<std::string, int> behind_;
  std::set<std::string> whole_list_wanted_;
};

}  // namespace bootgate::gatekeeper::admission
