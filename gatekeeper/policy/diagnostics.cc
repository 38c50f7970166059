#include "gatekeeper/policy/diagnostics.h"

#include <iterator>

#include "gatekeeper/policy/limits.h"

namespace bootgate::gatekeeper::policy {
namespace {

struct WarningRow {
  const char *code, *message;
};

// In the order of WarningCode.
constexpr WarningRow kWarnings[] = {
    {"W001", "'=' in a condition is read as '=='"},
    {"W002", "no ';' after the '}' of the section"},
    {"W003", "keyword in another letter case"},
    {"W004", "issue in authorizationrules runs as add: nothing reaches the token"},
    {"W005", "backslash before this character has no meaning and is kept"},
    {"W006", "unknown setting: kept, without effect"},
    {"W007", "hexadecimal integer"},
};

}  // namespace

void WarningList::Add(WarningCode code, Place place) {
  const auto row = static_cast<size_t>(code);
  counts_.resize(std::size(kWarnings));
  if (++counts_[row] > kMaxWarningsPerCode) return;
  warnings_.push_back({kWarnings[row].code, place.line, place.column, kWarnings[row].message});
}

}  // namespace bootgate::gatekeeper::policy
