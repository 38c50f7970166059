// What is different about the evidence that failed: against what the host itself was last admitted
// with, or against a healthy peer. Typed first, words after.
//
// Boot logs are told apart event by event with their causes picked out (gatekeeper/diagnosis). Of
// the IMA list there are the files that were not in the last whole list that was admitted, with
// path and digest. Logs are told as far as the quote bears them out: a failing host's own words are
// never called facts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::incident {

enum class Against {
  kAdmitted,  // what this host was last admitted with
  kPeer       // a trusted host with the same labels: the one whose firmware looks most alike
};

struct DiffRequest {
  std::string incident_id;
  Against against = Against::kAdmitted;
  std::string peer_host_id;  // of kPeer; empty: one is chosen
};

struct Difference {
  std::string part;                        // "boot log", "user-space log", "registers", "IMA list"
  std::optional<uint32_t> register_index;  // none: of no single one
  std::string text;                        // one sentence
  std::string before, after;               // both sides, short; empty where there is no such side
};

inline constexpr size_t kMaxDifferences = 500;
inline constexpr size_t kMaxNewFiles = 200;

struct IncidentDiff {
  std::string incident_id, host_id;
  std::string against_host_id;
  std::string why_this_one;         // why it is compared with that, in words
  std::vector<std::string> causes;  // the most telling first; empty: nothing differs, or only files
  std::vector<Difference> differences;
  std::vector<std::string> not_compared;  // what could not be compared, and why
  size_t left_out = 0;                    // differences beyond the bound
};

// INCIDENT_UNKNOWN; EVIDENCE_GONE when either side keeps nothing (an incident that an operator
// opened, a host that was never admitted, or evidence that was removed after its time);
// HOST_UNKNOWN for a peer that is none; HOST_STATE for one that is not trusted, or when there is no
// healthy peer.
absl::StatusOr<IncidentDiff> Compare(store::Store& store, const DiffRequest& request);

// For people, in lines; safe on a terminal.
std::string Words(const IncidentDiff& diff);

}  // namespace bootgate::gatekeeper::incident
