// The `events` and `pcrs` claims: the logs, and the quoted registers, as JSON.
//
// Implements: policy language specification, sections 6.2 (pcrs) and 6.3 (events).
//
// Of our own in each event: `DataVerified`, when there is a quote: whether the event's data hashes
// to the digest that replayed to the quoted register. With a quote, `Digests` holds proven digests
// alone, and data that is not verified gives no facts (processed_data.h).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/crypto/hash.h"
#include "common/eventlog/log.h"
#include "common/ima/list.h"
#include "common/registers/bank.h"

namespace bootgate::gatekeeper::appraisal::json {

inline constexpr size_t kMaxEventsJson = size_t{64} << 20;  // bytes

// Registers of one bank whose events the quote proves (bit n: register n).
struct ProvenBank {
  crypto::HashAlg alg = crypto::HashAlg::kSha256;
  uint32_t registers = 0;
};

struct EventsInput {
  // In the order in which they were made; EventSeq counts through all of them.
  std::vector<const eventlog::Log*> boot_logs;
  const ima::List* ima = nullptr;
  size_t ima_entries = 0;  // of them, up to the match with the quoted register 10
  // nullopt: nobody quoted, and nothing is said of what is verified.
  std::optional<std::vector<ProvenBank>> proven;
};

// {"Events": [...]}; nullopt when it would be longer than `max_bytes` (by more than one event).
std::optional<std::string> EventsJson(const EventsInput& input, size_t max_bytes = kMaxEventsJson);

// Of a log alone, without a quote.
std::optional<std::string> EventsJson(const eventlog::Log& log);

// {"PCRs": [{"Index": 0, "Digests": {"SHA1": "...", "SHA256": "..."}}]} for each register that any
// of the banks holds; lower-case hexadecimal.
std::string PcrsJson(std::span<const registers::RegisterBank> banks);

}  // namespace bootgate::gatekeeper::appraisal::json
