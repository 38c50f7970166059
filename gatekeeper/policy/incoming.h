// What an evaluation starts from: claims, and JSON claims that are made when a rule looks at them.
//
// Implements: policy language specification, sections 3.1 and 6.2.
#pragma once

#include <functional>
#include <string>

#include "absl/types/span.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/json/value.h"

namespace bootgate::gatekeeper::policy {

// A String claim whose text is the canonical text of a JSON value. A query works on the value; the
// text is made only when a rule compares or issues it.
struct Document {
  std::string type;
  Issuer issuer = Issuer::kAttestationService;
  bool read_only = false;
  // Called at most once in an evaluation, on its thread. What the value borrows beside the arena
  // must outlive the evaluation. A value that does not fit into the arena ends the evaluation with
  // `limit`.
  std::function<json::Value(json::Arena&)> make;
};

// The incoming set in order: the claims, then the documents. Borrows both.
struct Incoming {
  absl::Span<const Claim> claims;
  absl::Span<const Document> documents = {};
};

}  // namespace bootgate::gatekeeper::policy
