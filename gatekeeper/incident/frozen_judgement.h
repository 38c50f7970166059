// Everything that one judgement depended on, as named parts that can be stored, exported, and
// judged again years later to the same verdict, byte for byte.
//
// Most of it is raw: quote, logs, certificates, the texts of policy and reference. One part,
// "judgement", is JSON: the question that was asked, the gatekeeper's options, and what its own
// state told it of the host's TPM (counters, clock, firmware advisories, distrust), which nobody
// can compute again from evidence and which is therefore taken as recorded.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/evidence/evidence.h"
#include "common/registers/selection.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/claims/ima_progress.h"

namespace bootgate::gatekeeper::incident {

// Findings, claims and coverage that no evidence makes.
struct StateNotes {
  std::vector<Finding> findings;
  std::vector<Claim> claims;
  Coverage coverage;
};

// Who the host was when it was judged.
struct JudgedHost {
  std::string id, hostname, trust;  // trust before the verdict
  std::map<std::string, std::string> labels;
  Bytes ak_public, ak_qualified_name, ak_certificate;
  Bytes ek_public, ek_certificate, own_ek_certificate;  // certificates: DER; empty: none
  std::string ek_trust, assurance;
  std::string last_boot;              // in words; empty: never heard before
  uint64_t admitted_ima_entries = 0;  // of the boot that was judged, before it was
};

struct FrozenJudgement {
  std::string verdict_id;
  std::string program;  // that judged: name and version
  absl::Time at;        // as the judge was told
  JudgedHost host;
  std::string cluster_id;
  registers::Selection selection;  // that was asked for
  uint32_t runtime_extended = 0;   // mask: software extends these registers without a log
  bool behind_is_failure = false;  // the IMA list had lagged too often
  std::optional<ImaProgress> before;
  StateNotes notes;
  std::string policy, candidate, reference;  // texts; empty: none
  std::vector<std::string> sets;             // ids of the reference sets that were at hand
  // Which findings were made milder by configuration and waivers, as the judge's room writes it;
  // empty: none could be.
  std::string softening;
  evidence::Evidence evidence;
  std::string verdict_json;  // as stored
  std::string trace_json;    // empty: no policy was asked
};

using Parts = std::map<std::string, Bytes>;  // no part is empty

// Names of parts that others look for.
inline constexpr absl::string_view kJudgementPart = "judgement", kVerdictPart = "verdict",
                                   kTracePart = "trace", kBootLogPart = "boot_log",
                                   kUserLogPart = "user_log", kPolicyPart = "policy",
                                   kReferencePart = "reference", kPcrsPart = "pcrs",
                                   kImaFilesPart = "ima_files";

Parts Pack(const FrozenJudgement& judgement);

// kInvalidArgument with ARCHIVE names the part that is missing or is not what Pack makes. Parts
// come from outside: every count and size is bounded.
absl::StatusOr<FrozenJudgement> Unpack(const Parts& parts);

// Ids of the reference sets that it used; needs the part "judgement" alone.
absl::StatusOr<std::vector<std::string>> SetsOf(const Parts& parts);

// {"sha256": {"0": "hex", ...}, ...}, without PCR 10: that one moves with the IMA list.
std::string PcrsJson(const std::vector<tpm2::UntrustedPcr>& values);
absl::StatusOr<std::vector<tpm2::UntrustedPcr>> ReadPcrsJson(absl::string_view json);

}  // namespace bootgate::gatekeeper::incident
