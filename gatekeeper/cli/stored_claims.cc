#include "gatekeeper/cli/stored_claims.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gatekeeper/claims/claim_names.h"
#include "gatekeeper/json/parse.h"

namespace bootgate::gatekeeper::cli {
namespace {

absl::Status Unreadable() { return absl::DataLossError("the verdict's claims cannot be read"); }

std::optional<ClaimValue> ValueOf(const json::Value& value) {
  if (value.kind() == json::Kind::kTrue || value.kind() == json::Kind::kFalse) {
    return value.is_true();
  }
  if (value.kind() == json::Kind::kInteger) return value.integer();
  if (value.is_string()) return std::string(value.text());
  return std::nullopt;
}

// Adds one row; what the policy issued is passed over. Nullopt when the row cannot be read.
std::optional<Claim> ClaimOf(const json::Value& row) {
  const json::Value* const type = row.Find("type");
  const json::Value* const value = row.Find("value");
  const json::Value* const issuer = row.Find("issuer");
  if (type == nullptr || !type->is_string() || issuer == nullptr || !issuer->is_string()) {
    return std::nullopt;
  }
  Claim claim;
  claim.type = std::string(type->text());
  claim.read_only = claim.type == "pcrs";
  for (const Issuer known :
       {Issuer::kAttestationService, Issuer::kAttestationPolicy, Issuer::kCustomClaim}) {
    if (issuer->text() == Name(known)) claim.issuer = known;
  }
  if (value == nullptr) return claim;
  std::optional<ClaimValue> held = ValueOf(*value);
  if (!held) return std::nullopt;
  claim.value = *std::move(held);
  return claim;
}

void AddOnce(const std::string& type, std::vector<std::string>* types) {
  if (std::find(types->begin(), types->end(), type) == types->end()) types->push_back(type);
}

// The log and the registers are always there when evidence is judged, and never kept.
void AddDocuments(const policy::Policy& policy, StoredClaims* out) {
  for (const char* const type : {"events", "pcrs"}) {
    const bool kept = std::any_of(out->claims.begin(), out->claims.end(),
                                  [&](const Claim& claim) { return claim.type == type; });
    if (!kept && policy.Reads(type)) AddOnce(type, &out->missing);
  }
}

}  // namespace

absl::StatusOr<StoredClaims> ReadStoredClaims(absl::string_view body,
                                              const policy::Policy& policy) {
  json::Arena arena;
  const absl::StatusOr<json::Value> root = json::Parse(body, arena);
  if (!root.ok()) return Unreadable();
  const json::Value* const claims = root->Find("claims");
  if (claims == nullptr || !claims->is_array()) return Unreadable();
  StoredClaims out;
  for (const json::Value& row : claims->items()) {
    std::optional<Claim> claim = ClaimOf(row);
    if (!claim) return Unreadable();
    if (claim->issuer == Issuer::kAttestationPolicy) continue;
    if (row.Find("value") == nullptr) {
      if (policy.Reads(claim->type)) AddOnce(claim->type, &out.missing);
    } else {
      out.claims.push_back(*std::move(claim));
    }
  }
  AddDocuments(policy, &out);
  return out;
}

}  // namespace bootgate::gatekeeper::cli
