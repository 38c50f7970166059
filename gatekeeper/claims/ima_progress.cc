#include "gatekeeper/claims/ima_progress.h"

namespace bootgate::gatekeeper {
namespace {

size_t SizeOf(const Finding& finding) {
  return sizeof(Finding) + finding.expected.size() + finding.actual.size() + finding.text.size();
}

size_t SizeOf(const Claim& claim) {
  const auto* const text = std::get_if<std::string>(&claim.value);
  return sizeof(Claim) + claim.type.size() + (text != nullptr ? text->size() : 0);
}

}  // namespace

bool FitsToBeKept(const ImaProgress& progress) {
  if (progress.findings.size() > kMaxKeptFindings) return false;
  if (progress.claims.size() > kMaxKeptClaims) return false;
  size_t bytes = 0;
  for (const Finding& finding : progress.findings) bytes += SizeOf(finding);
  for (const Claim& claim : progress.claims) bytes += SizeOf(claim);
  for (const NotChecked& row : progress.not_checked) bytes += row.what.size() + row.why.size();
  for (const auto& [name, value] : progress.notes) bytes += name.size() + value.size();
  return bytes <= kMaxKeptBytes;
}

}  // namespace bootgate::gatekeeper
