// `reference learn`: a reference out of the evidence of a good boot, once it is proven.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace bootgate::gatekeeper::cli {

struct ReferenceLearnOptions {
  std::string folder;
  std::string out_file;
  std::string name;                     // empty: the folder's own name
  std::optional<std::string> quote;     // none: "all" where there is such a quote, else "sha256"
  std::string unlisted = "comparable";  // fail, comparable, warn
  std::string output = "table";         // table, json
  absl::Time now = absl::Now();         // written into the reference
};

// Exit code: 0; 6 or 7 with the findings on `err` when the evidence does not prove its boot; 2
// usage; 1 when the reference cannot be written.
int RunReferenceLearn(const ReferenceLearnOptions& options, std::ostream& out, std::ostream& err);

}  // namespace bootgate::gatekeeper::cli
