// Lists of TPMs that an operator owns, as CSV or JSON. Read whole or not at all; every complaint
// names its line.
//
//   CSV (RFC 4180): ek,rack,role     a heading with the column "ek"; the others are labels
//                   h-00...,7,db
//   without heading: one EK a line, '#' begins a comment
//   JSON:           [{"ek": "h-00...", "labels": {"rack": "7"}}, ...], one object a line or not
//
// An EK is a host id, or the SHA-256 in 64 hex digits (colons allowed) of the EK's public area, of
// its SubjectPublicKeyInfo or of its certificate.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::cli {

inline constexpr size_t kMaxInventoryBytes = size_t{256} << 20;
inline constexpr size_t kMaxInventoryRows = 1'000'000;

// Rows with `ek` and labels alone. kInvalidArgument with up to 20 complaints, a line each:
// "racks.csv:17: ...".
absl::StatusOr<std::vector<store::InventoryRow>> ParseInventory(absl::string_view text,
                                                                absl::string_view file);

// "" when it is none; else in the form the store has.
std::string CanonicalEk(absl::string_view text);

}  // namespace bootgate::gatekeeper::cli
