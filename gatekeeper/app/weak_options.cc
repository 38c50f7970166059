#include "gatekeeper/app/weak_options.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace bootgate::gatekeeper::app {
namespace {

void AddQuarantine(const QuarantineConfig& config, std::vector<WeakOption>* out) {
  if (const std::string codes = CodesOf(config.actions, Action::kObserve); !codes.empty())
    out->push_back({"actions.observe", codes, "hosts with these findings are admitted"});
  if (const std::string codes = CodesOf(config.actions, Action::kRestrict); !codes.empty()) {
    out->push_back({"actions.restrict", codes,
                    "hosts with these findings keep the credentials that they have"});
  }
  if (config.actions.otherwise != Action::kIsolate) {
    out->push_back({"actions.default", std::string(Name(config.actions.otherwise)),
                    "hosts that fail keep the credentials that they have"});
  }
  if (!config.brake.on) {
    out->push_back(
        {"brake.mode", "off", "a wrong policy or reference can quarantine all hosts at once"});
  }
}

}  // namespace

std::vector<WeakOption> WeakOptions(const Config& config) {
  std::vector<WeakOption> out;
  if (config.ek.mode == "chain") {
    out.push_back(
        {"ek.mode", "chain", "any genuine TPM of a vendor joins, also one that is not ours"});
  }
  if (config.ek.cloud_ak) {
    out.push_back({"ek.cloud_ak", "true",
                   "a cloud's word for an attestation key counts like an EK certificate"});
  }
  if (config.ek.revocation == "off") {
    out.push_back({"ek.revocation", "off", "revoked EK certificates are believed"});
  }
  if (config.quote.allow_resettable) {
    out.push_back({"quote.allow_resettable", "true",
                   "registers that anybody on a host can reset may be relied on"});
  }
  if (!config.quote.runtime_extended.empty()) {
    out.push_back({"quote.runtime_extended", absl::StrJoin(config.quote.runtime_extended, ","),
                   "what is extended into these registers is not judged"});
  }
  for (const webhook::Endpoint& endpoint : config.webhooks) {
    if (!webhook::CanBeOverheard(endpoint.url)) continue;
    out.push_back({absl::StrCat("webhook ", endpoint.name, ": url"), "http",
                   "what it is told can be read, and held back, on the way"});
  }
  AddQuarantine(config.quarantine, &out);
  return out;
}

std::string WeakOptionsText(const Config& config) {
  std::string out;
  for (const WeakOption& option : WeakOptions(config)) {
    absl::StrAppend(&out, "warning: ", option.key, " = ", option.value, ": ", option.why, "\n");
  }
  return out;
}

}  // namespace bootgate::gatekeeper::app
