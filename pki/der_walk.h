// How strictly a certificate from outside is encoded, told before any library parses it.
//
// Implements: ITU-T X.690, sections 8 and 10, as far as structure goes: lengths, nesting, the order
// of sets, integers and booleans. Values that stand inside OCTET STRINGs are not looked into.
//
// One pass, no recursion; its work is bounded by the limits below, and it says how much it did.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"

namespace bootgate::pki::der {

inline constexpr size_t kMaxElements = 4096;  // a certificate of a TPM vendor has about 150
inline constexpr size_t kMaxDepth = 16;       // of SEQUENCE, SET and tagged values in one another

struct Walked {
  size_t elements = 0;                  // visited
  size_t deepest = 0;                   // 1: the outermost element alone
  std::vector<std::string> departures;  // from DER, each kind once: "a length is not minimal", ...
};

// Walks the one element that `whole` is. BER that DER leaves no doubt about is a departure;
// kInvalidArgument for what no certificate of a TPM needs: indefinite lengths, tag numbers above
// 30, an empty OBJECT IDENTIFIER, INTEGER or BOOLEAN, more elements or depth than allowed, bytes
// behind the element; kOutOfRange when it is cut.
absl::StatusOr<Walked> Walk(ByteView whole);

}  // namespace bootgate::pki::der
