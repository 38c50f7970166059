#include "gatekeeper/token/claims.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/claims/claim_names.h"

namespace bootgate::gatekeeper::token {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kPolicyClaims[] = "x-ms-policy";

// With TokenNames() the names that the service alone writes at the top level, also where this token
// has no such member: a policy's claim must not be taken for ours.
constexpr absl::string_view kOwnNames[] = {"sub", "aud", "x-ms-tpm-request-key",
                                           "x-ms-tpm-other-keys"};

Json ValueOf(const Claim& claim) {
  return std::visit([](const auto& value) { return Json(value); }, claim.value);
}

// A member of a name that is not there yet: looking for it in a long list is what makes large
// tokens slow.
void Append(const std::string& name, Json value, Json* object) {
  object->get_ref<Json::object_t&>().emplace_back(name, std::move(value));
}

// One member per type, in order of first issue: its distinct values, a single one as it is.
Json PolicyClaims(const std::vector<Claim>& outgoing) {
  std::vector<std::string> order;
  std::map<std::string, std::pair<std::set<ClaimValue>, Json>> by_type;
  for (const Claim& claim : outgoing) {
    auto [row, is_new] = by_type.try_emplace(claim.type, std::set<ClaimValue>{}, Json::array());
    if (is_new) order.push_back(claim.type);
    auto& [seen, values] = row->second;
    if (seen.insert(claim.value).second) values.push_back(ValueOf(claim));
  }
  Json out = Json::object();
  for (const std::string& type : order) {
    Json& values = by_type.at(type).second;
    Json value = values.size() == 1 ? std::move(values[0]) : std::move(values);
    Append(type, std::move(value), &out);
  }
  return out;
}

absl::StatusOr<Json> Parsed(absl::string_view text, const char* what) {
  Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded()) {
    return Refuse(absl::StatusCode::kInternal, Reason::kInternal,
                  absl::StrCat(what, " is no JSON"));
  }
  return json;
}

absl::Status AddParts(const Contents& contents, Json* out) {
  if (!contents.policy_signer_json.empty()) {
    BG_ASSIGN_OR_RETURN((*out)["x-ms-policy-signer"],
                        Parsed(contents.policy_signer_json, "the policy's signer"));
  }
  if (!contents.request_key_json.empty()) {
    BG_ASSIGN_OR_RETURN(Json key, Parsed(contents.request_key_json, "the request key"));
    if (key.is_object() && key.contains("jwk")) (*out)["cnf"]["jwk"] = key["jwk"];
    (*out)["x-ms-tpm-request-key"] = std::move(key);
  }
  if (!contents.other_keys_json.empty()) {
    BG_ASSIGN_OR_RETURN((*out)["x-ms-tpm-other-keys"],
                        Parsed(contents.other_keys_json, "the other keys"));
  }
  return absl::OkStatus();
}

bool IsOwnName(absl::string_view name) {
  return std::ranges::count(TokenNames(), name) != 0 || std::ranges::count(kOwnNames, name) != 0;
}

}  // namespace

Properties PropertiesOf(const std::vector<Claim>& properties) {
  Properties out;
  for (const Claim& claim : properties) {
    const auto* minutes = std::get_if<int64_t>(&claim.value);
    if (claim.type == "report_validity_in_minutes" && minutes != nullptr) {
      out.validity = std::clamp(absl::Minutes(*minutes), absl::Minutes(1), kMaxValidity);
    }
    const auto* flag = std::get_if<bool>(&claim.value);
    if (claim.type == "omit_x5c" && flag != nullptr) out.omit_x5c = *flag;
  }
  return out;
}

std::string PolicyHash(absl::string_view policy_text) {
  const std::string encoded = ToBase64Url(AsBytes(policy_text));
  return ToBase64Url(crypto::Hash(crypto::HashAlg::kSha256, AsBytes(encoded)).view());
}

std::string PolicyClaimsText(const std::vector<Claim>& outgoing) {
  return PolicyClaims(outgoing).dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<std::string> PayloadText(const Contents& contents) {
  Json out;
  out["iss"] = contents.issuer;
  out["iat"] = absl::ToUnixSeconds(contents.issued_at);
  out["nbf"] = absl::ToUnixSeconds(contents.issued_at - kBackdate);
  out["exp"] = absl::ToUnixSeconds(contents.expires_at);
  out["jti"] = contents.jti;
  out["ver"] = "1.0";
  out["x-ms-ver"] = "1.0";
  out["x-ms-attestation-type"] = "tpm";
  out["x-ms-policy-hash"] = contents.policy_hash;
  if (!contents.rp_data.empty()) {
    out["rp_data"] = ToBase64Url(contents.rp_data);
    out["nonce"] = out["rp_data"];
  }
  BG_RETURN_IF_ERROR(AddParts(contents, &out));
  Json claims = PolicyClaims(contents.outgoing);
  for (const auto& [name, value] : claims.items()) {
    if (!IsOwnName(name)) Append(name, value, &out);
  }
  out[kPolicyClaims] = std::move(claims);
  std::string text = out.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kMaxPayloadBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("the token's claims are ", text.size(),
                                                     " bytes long, at most ", kMaxPayloadBytes,
                                                     " are allowed"));
  }
  return text;
}

}  // namespace bootgate::gatekeeper::token
