// One host's record. How its state moves: move.h. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/host/boot_mark.h"
#include "gatekeeper/host/ima_cursor.h"
#include "gatekeeper/host/tpm_history.h"

namespace bootgate::gatekeeper::host {

enum class Trust {
  kPending,
  kTrusted,
  kQuarantined,
  kInvestigating,
  kRemediated,
  kRetired,
  kRestricted,  // failed in what is configured to stop renewal alone; passing evidence ends it
  kSuspect      // failed while the mass-failure brake holds: no renewal until an operator decides
};
absl::string_view Name(Trust trust);  // "pending", ...
std::optional<Trust> TrustFromName(absl::string_view name);
// quarantined, investigating or remediated: only an operator and a new boot lead back.
bool IsShutOut(Trust trust);

inline constexpr size_t kMaxFact = 256;  // bytes that are kept of each fact a host tells of itself

// Who made the TPM, as far as an EK certificate told, and what the TPM signs of itself.
struct TpmFacts {
  std::string manufacturer, model, version;  // of a verified EK certificate; printable, as there
  uint64_t firmware = 0;                     // firmwareVersion of the last authentic quote

  friend bool operator==(const TpmFacts&, const TpmFacts&) = default;
};

// What was verified of the TPM at enrolment: HostRecord::assurance.
inline constexpr absl::string_view kAssuranceEkCertificate = "ek-certificate",
                                   kAssuranceEkKey = "ek-key", kAssuranceCloudAk = "cloud-ak";

struct HostRecord {
  std::string id;         // h- and 32 hex digits
  uint64_t revision = 0;  // of the stored row; 0: never stored
  Trust trust = Trust::kPending;
  bool approved = false;  // by an operator or inventory
  std::map<std::string, std::string> labels;
  Bytes ek_public;  // TPMT_PUBLIC
  Bytes ak_public;  // TPMT_PUBLIC
  Bytes ak_qualified_name;
  Bytes ek_certificate;  // DER; empty when there was none
  std::string ek_trust;  // how the EK was believed: gatekeeper/enroll/ek_trust.h
  absl::Time enrolled_at, last_seen_at, trust_since;
  std::optional<BootMark> last_boot;         // of the last authentic evidence
  std::optional<BootMark> quarantined_boot;  // of the evidence that led to the quarantine
  std::string hostname, kernel_release, os_release, agent_version;  // as told by the host
  std::string last_verdict_id;
  std::string last_outcome;             // "ADMIT", "DENY"
  std::vector<std::string> reasons;     // codes of the failing findings of the last verdict
  std::string why;                      // one line: the first failing finding's text
  std::optional<ImaCursor> ima_cursor;  // of the last ADMIT; none: the whole list is asked for
  // What was frozen of the verdict that shut the host out begins in the middle of its IMA list: the
  // next evidence with the whole list is frozen, too.
  bool whole_list_wanted = false;
  std::string replaces, replaced_by;  // host ids: this host's TPM was changed; empty: it was not
  TpmFacts tpm;
  std::string assurance;                // "ek-certificate", "ek-key", "cloud-ak"; empty: of old
  std::vector<std::string> tolerances;  // departures of the EK certificate that were lived with
  Bytes own_ek_certificate;             // DER, made by our CA for an EK that had none
  Bytes ak_certificate;                 // DER, the newest one that we made for `ak_public`
  absl::Time ak_certificate_until;      // its notAfter
  TpmHistory tpm_history;               // beside last_boot
  std::string incident_id;              // the one that is not closed; empty: none
  std::string shut_out_by;              // an operator ("operator alice"); empty: a verdict
  // SHA-256 (hex) of the CA certificates that its agent trusts, as it said with its last evidence;
  // empty: it does not tell.
  std::string trust_bundle;
};

// Host id from the EK: "h-" and the first 32 hex digits of SHA-256 over the EK's Name.
std::string HostIdFor(ByteView ek_name);
bool IsHostId(absl::string_view text);

enum class Effect {
  kIssueCredential,
  kRevokeCredentials,
  kOpenIncident,
  kNotifyQuarantine,
  kNotifyRelease
};
absl::string_view Name(Effect effect);

}  // namespace bootgate::gatekeeper::host
