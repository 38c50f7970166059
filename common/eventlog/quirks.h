// What real firmware and boot loaders do against the specification, and what we therefore tolerate.
//
// One row of a table per departure: what departs, where it was seen. A row describes its departure
// exactly (type, register, place, form of the data): what is merely similar stays a defect. A used
// row never goes unsaid: the gatekeeper makes a claim and a finding of it.
//
// A quirk changes how the log is read or which part of an event's data a digest is looked for in.
// It never makes a register right that the log does not lead to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/eventlog/log.h"

namespace bootgate::eventlog {

// One tolerated departure.
struct Quirk {
  absl::string_view id;       // stable, for claims: "windows-trust-boundary"
  absl::string_view departs;  // one sentence for an operator
  absl::string_view seen;     // public source: project and file, or specification
};

// The table's rows, in a fixed order.
size_t QuirkCount();
const Quirk& QuirkAt(size_t index);  // below QuirkCount()

// Windows' last record: EV_NO_ACTION for no register, with the digest of its own data, which is a
// trust point (a quote that Windows took itself). That it is the last one the caller must see to.
// LooksLike: by its form alone, without hashing.
bool IsTrustBoundary(const Log& log, const Event& event);
bool LooksLikeTrustBoundary(const Event& event);

// Whether the event can be the first of a log's tail whose records have fewer digests than
// announced.
bool MayBeginFewerDigests(const Event& event);

// The part of the event's data that one of these rows says was hashed instead of what its type
// demands; nullopt when no row is about such an event. Only the form is judged, not a digest.
std::optional<ByteView> HashedByQuirk(const Event& event);

// Whether a row says that the event's digest is of something that the log does not hold although
// its type demands the data.
bool HashesSomethingElse(const Log& log, const Event& event);

// A quirk that a log needs.
struct UsedQuirk {
  const Quirk* quirk = nullptr;  // of the table, never null
  uint32_t first_event = 0;      // number of the first event that shows it
  uint32_t events = 0;           // how many do
};

// The quirks that this log uses, in the order of the table, each once. Hashes event data where a
// row is about digests; so ask once, not per claim.
std::vector<UsedQuirk> UsedQuirks(const Log& log);

}  // namespace bootgate::eventlog
