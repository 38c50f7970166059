// `reason docs`: the part of docs/incidents.md that is made from the table of reason codes.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "common/base/exit_code.h"

namespace bootgate::gatekeeper::cli {

// What stands around the part in the file, each on a line of its own.
inline constexpr absl::string_view kReasonDocsBegin =
    "<!-- made by `bootgate-gatekeeper reason docs`: begin -->";
inline constexpr absl::string_view kReasonDocsEnd =
    "<!-- made by `bootgate-gatekeeper reason docs`: end -->";

// Markdown: for each outcome what it does to the host, then its codes with meaning and way out.
std::string ReasonDocs();

// `page` with the part between the marks made anew; nothing when it has not both of them.
std::string WithReasonDocs(absl::string_view page);

}  // namespace bootgate::gatekeeper::cli
