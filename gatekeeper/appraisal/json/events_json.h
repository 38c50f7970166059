// The `events` and `pcrs` claims, and the text of both for the tools that print it.
//
// Implements: policy language specification, sections 6.2 (pcrs) and 6.3 (events).
#pragma once

#include <optional>
#include <span>
#include <string>

#include "common/registers/bank.h"
#include "gatekeeper/appraisal/json/events_document.h"

namespace bootgate::gatekeeper::appraisal::json {

// {"PCRs": [{"Index": 0, "Digests": {"SHA1": "...", "SHA256": "..."}}]} for each register that any
// of the banks holds; lower-case hexadecimal.
model::Value PcrsValue(std::span<const registers::RegisterBank> banks, model::Arena& arena);

inline constexpr size_t kMaxEventsJson = size_t{64} << 20;  // bytes

// The text of the whole document; nullopt when it would be longer than `max_bytes`.
std::optional<std::string> EventsJson(const EventsInput& input, size_t max_bytes = kMaxEventsJson);

// Of a log alone, without a quote.
std::optional<std::string> EventsJson(const eventlog::Log& log);

}  // namespace bootgate::gatekeeper::appraisal::json
