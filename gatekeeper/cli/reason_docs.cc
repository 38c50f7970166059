#include "gatekeeper/cli/reason_docs.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/reason.h"

namespace bootgate::gatekeeper::cli {
namespace {

struct Section {
  OutcomeClass outcome;
  absl::string_view title, text;
};

constexpr Section kSections[] = {
    {OutcomeClass::kDeny, "Codes that cut a host off (DENY)",
     "The evidence was authentic and fresh, and it was not good enough. The host is quarantined, "
     "unless `[actions]` of the configuration or a waiver makes less of the code. The first step "
     "is always `incident show` of the host's incident."},
    {OutcomeClass::kReject, "Codes that change nothing (REJECT)",
     "The message was malformed, not authentic, stale or not from this host; or an operator's call "
     "was refused. No host is quarantined by these."},
    {OutcomeClass::kLimit, "Codes of overload (LIMIT)",
     "Refused before any work was done. The agent comes again by itself."},
    {OutcomeClass::kError, "Codes of our own faults (ERROR)",
     "The gatekeeper could not work. No host is quarantined, and none gets a credential."}};

// A table's cell: nothing in it may end it.
std::string Cell(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"|", "\\|"}, {"\n", " "}});
}

void Add(const Section& section, std::string* out) {
  absl::StrAppend(out, "\n### ", section.title, "\n\n", section.text,
                  "\n\n| code | what it means | what now |\n| --- | --- | --- |\n");
  for (const ReasonInfo& row : AllReasons()) {
    if (row.outcome != section.outcome) continue;
    absl::StrAppend(out, "| `", row.code, "` | ", Cell(row.meaning), " | ", Cell(row.way_out),
                    " |\n");
  }
}

}  // namespace

std::string ReasonDocs() {
  std::string out;
  for (const Section& section : kSections) Add(section, &out);
  return out + "\n";
}

std::string WithReasonDocs(absl::string_view page) {
  const size_t begin = page.find(kReasonDocsBegin);
  const size_t end = page.find(kReasonDocsEnd);
  if (begin == absl::string_view::npos || end == absl::string_view::npos || end < begin) return "";
  return absl::StrCat(page.substr(0, begin + kReasonDocsBegin.size()), "\n", ReasonDocs(),
                      page.substr(end));
}

}  // namespace bootgate::gatekeeper::cli
