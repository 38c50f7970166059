// Reference values: what a good boot looks like, learned from one, compared event by event.
//
// Immutable and shared. The file form is JSON (`reference learn --out F`), the id the SHA-256 of
// it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/eventlog/log.h"
#include "common/ima/list.h"
#include "common/registers/bank.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/claims/ima_progress.h"
#include "gatekeeper/reference/ima_rules.h"
#include "gatekeeper/reference/imaset/ima_set.h"

namespace bootgate::gatekeeper::reference {

// One event of the reference boot's log, in one bank.
struct ReferenceEvent {
  crypto::Digest digest;
  uint32_t type = 0;
  std::string key;          // eventlog::PairingKey
  std::string description;  // eventlog::Describe
};

struct RegisterReference {
  crypto::Digest value;                // after all events
  std::vector<ReferenceEvent> events;  // in order
};

// How a file that the reference does not list counts.
//   kFail          always a failure (a complete allow list)
//   kComparable    a failure where host and reference ran under the same IMA policy, as far as
//   their
//                  lists show; a warning where they did not, because one boot's list says nothing
//                  about what another policy measures. The default of what is learned.
//   kWarn          never a failure
enum class Unlisted { kFail, kComparable, kWarn };

struct ImaReference {
  bool present = false;
  Unlisted unlisted = Unlisted::kComparable;
  std::map<std::string, std::set<std::string>> files;    // path (any bytes) -> "sha256:hex";
                                                         // of fs-verity: "verity:sha256:hex"
  std::map<std::string, std::set<std::string>> buffers;  // ima-buf event name -> "sha256:hex"
  ImaRules rules;
};

// A certificate that the kernel has measured while it loaded it into a keyring.
struct MeasuredKey {
  std::string keyring;  // ".ima"
  Bytes certificate;    // DER
};

struct Reference {
  std::string id;    // hex SHA-256 of the file form
  std::string name;  // chosen by the operator
  std::string learned_from, learned_at;
  std::map<crypto::HashAlg, std::map<uint32_t, RegisterReference>> banks;
  ImaReference ima;
};

// A reference from one proven good boot: the log of `bank`s that were quoted and replayed.
struct LearnInput {
  const eventlog::Log& log;
  std::vector<crypto::HashAlg> banks;  // quoted and replayed
  uint32_t mask = 0xffffff;            // registers that were (bit n: register n)
  const ima::List* ima = nullptr;      // nullptr: no IMA list
  size_t ima_entries = 0;              // entries up to the match with the quote
  Unlisted unlisted = Unlisted::kComparable;
  std::string name = {}, learned_from = {}, learned_at = {};
};
Reference Learn(const LearnInput& input);

std::string ToJson(const Reference& reference);
// REFERENCE_PARSE with the place. Bounded: 16 MiB, depth 8.
absl::StatusOr<Reference> FromJson(absl::string_view json);

// Compares one boot with the reference in one bank, event by event, for the registers of `mask`
// that the reference knows (PCR 10 never: its order differs between good boots). Findings name
// register, event, expected and actual in words.
std::vector<Finding> CompareLog(const Reference& reference, const eventlog::Log& log,
                                crypto::HashAlg bank, uint32_t mask);

// What comparing a list, or what came since the last time, gave.
struct ImaComparison {
  std::vector<Finding> findings;
  // What came since changes how the earlier entries count: they must be compared anew.
  bool judge_whole = false;
  std::vector<NotChecked> not_checked;             // of the new entries
  absl::Time good_until = absl::InfiniteFuture();  // when the first window closes that counted
};

// What entries are judged with beside the reference itself.
struct ImaContext {
  std::vector<std::shared_ptr<const ImaSet>> sets;  // at least those that the rules name
  std::vector<MeasuredKey> measured_keys;           // proven by the quote
  // For windows in sets. Without a time, whatever closes some day has closed.
  absl::Time now = absl::InfiniteFuture();
};

// Compares IMA entries [0, entries) by path and digest. With `before`, the list begins after its
// entries: those are not compared again, and the findings are about the new ones alone. What later
// comparisons need goes into `progress`, whose notes are those of `before`; may be nullptr.
ImaComparison CompareIma(const Reference& reference, const ima::List& list, size_t entries,
                         const ImaProgress* before = nullptr, ImaProgress* progress = nullptr,
                         const ImaContext& context = {});

}  // namespace bootgate::gatekeeper::reference
