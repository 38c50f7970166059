// Policies: compiled once, evaluated on claims, or on the events of logs with the JSON made that
// they look at.
#include "gatekeeper/policy/policy.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "gatekeeper/appraisal/json/events_json.h"
#include "gatekeeper/policy/event_reads.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {
namespace {

namespace json = gatekeeper::appraisal::json;
using gatekeeper::Claim;
using gatekeeper::ClaimValue;
using gatekeeper::policy::Document;
using gatekeeper::policy::Incoming;
using gatekeeper::policy::Policy;
using Json = nlohmann::ordered_json;

constexpr uint32_t kAllRegisters = 0xffffff;

std::optional<ClaimValue> ValueOf(const Json& row) {
  if (row.contains("json")) return ClaimValue(row["json"].dump());
  const Json value = row.value("value", Json());
  if (value.is_boolean()) return ClaimValue(value.get<bool>());
  if (value.is_number_integer()) return ClaimValue(value.get<int64_t>());
  if (value.is_string()) return ClaimValue(value.get<std::string>());
  return std::nullopt;
}

// As in the trios: {"claims": [{"type", "value" or "json", "issuer"}]}.
absl::StatusOr<std::vector<Claim>> ReadClaims(absl::string_view path) {
  BG_ASSIGN_OR_RETURN(const Bytes text, Load(path));
  const Json file = Json::parse(AsText(text), nullptr, false);
  if (!file.is_object() || !file.contains("claims"))
    return absl::InvalidArgumentError("the file holds no claims");
  std::vector<Claim> claims;
  for (const Json& row : file["claims"]) {
    std::optional<ClaimValue> value = ValueOf(row);
    if (!value.has_value()) return absl::InvalidArgumentError("a claim's value is of no type");
    Claim& claim = claims.emplace_back();
    claim.type = row.value("type", "");
    claim.value = *std::move(value);
    claim.read_only = row.value("readOnly", false);
    if (row.value("issuer", "") != "AttestationService")
      claim.issuer = gatekeeper::Issuer::kCustomClaim;
  }
  return claims;
}

absl::Status PermitOf(const gatekeeper::policy::Evaluation& evaluation) {
  if (evaluation.decision == gatekeeper::policy::Decision::kPermit) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("not permitted: ", evaluation.error_kind, " ", evaluation.message));
}

// The events of logs under a quote that proves all of them.
struct Host {
  Bytes log_bytes, list_bytes;
  eventlog::Log log;
  ima::List list;

  json::EventsInput Events() const {
    json::EventsInput events;
    events.boot_logs = {&log};
    events.ima = &list;
    events.ima_entries = list.entries().size();
    events.proven = {{crypto::HashAlg::kSha256, kAllRegisters}};
    return events;
  }
};

absl::StatusOr<Host> LoadHost(absl::string_view log, absl::string_view list) {
  BG_ASSIGN_OR_RETURN(Bytes log_bytes, Load(log));
  Bytes list_bytes;
  if (list != "-") {
    BG_ASSIGN_OR_RETURN(list_bytes, Load(list));
  }
  Host host{.log_bytes = std::move(log_bytes), .list_bytes = std::move(list_bytes)};
  host.log = eventlog::Log::Parse(host.log_bytes);
  host.list = ima::List::Parse(host.list_bytes);
  return host;
}

}  // namespace

absl::StatusOr<Policy> LoadPolicy(absl::string_view path) {
  BG_ASSIGN_OR_RETURN(const Bytes text, Load(path));
  gatekeeper::policy::ParseError error;
  std::optional<Policy> policy = Policy::Read(AsText(text), &error);
  if (policy.has_value()) return *std::move(policy);
  return absl::InvalidArgumentError(
      absl::StrCat("line ", error.line, ", column ", error.column, ": ", error.message));
}

absl::Status RunPolicy(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const Policy policy, LoadPolicy(arguments[0]));
  BG_ASSIGN_OR_RETURN(const std::vector<Claim> claims, ReadClaims(arguments[1]));
  return Repeat("policy", arguments[2],
                [&] { return PermitOf(gatekeeper::policy::Evaluate(policy, claims)); });
}

absl::Status RunPolicyLive(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const Policy policy, LoadPolicy(arguments[0]));
  BG_ASSIGN_OR_RETURN(const Host host, LoadHost(arguments[1], arguments[2]));
  const std::vector<Claim> claims = {{.type = "aikValidated", .value = true},
                                     {.type = "secureBootEnabled", .value = true}};
  return Repeat("policy-live", arguments[3], [&] {
    json::EventsInput input = host.Events();
    input.types = gatekeeper::policy::EventTypesRead(policy.program());
    const json::EventsDocument events(std::move(input));
    const std::vector<Document> documents = {
        {.type = "events",
         .make = [&](gatekeeper::json::Arena& arena) { return events.Make(arena); }}};
    return PermitOf(
        gatekeeper::policy::Evaluate(policy, Incoming{.claims = claims, .documents = documents}));
  });
}

}  // namespace bootgate::bench
