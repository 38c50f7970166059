#include "gatekeeper/cli/secrets.h"

#include <algorithm>
#include <istream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/rollout/selector.h"
#include "gatekeeper/sealing/vault.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;
using sealing::StandingSecret;

sealing::Actor ActorOf(const Operator& op) { return {op.actor, op.clock.Now()}; }

absl::StatusOr<SecretBytes> ReadValue(const std::string& file, std::istream& in) {
  if (file != "-") {
    BG_ASSIGN_OR_RETURN(Bytes bytes, ReadFile(file, sealing::kMaxSecretBytes));
    SecretBytes value{ByteView(bytes)};
    std::ranges::fill(bytes, uint8_t{0});
    return value;
  }
  SecretBytes buffer(sealing::kMaxSecretBytes + 1);
  size_t size = 0;
  for (int next = in.get(); next >= 0 && size < buffer.size(); next = in.get()) {
    buffer.mutable_view()[size++] = static_cast<uint8_t>(next);
  }
  return SecretBytes(buffer.view().first(size));
}

absl::StatusOr<sealing::SecretFacts> FactsOf(const SecretPutOptions& options) {
  sealing::SecretFacts facts;
  facts.name = options.name;
  BG_RETURN_IF_ERROR(sealing::CheckSecretName(facts.name));
  BG_ASSIGN_OR_RETURN(facts.selector, rollout::ReadSelector(options.selector));
  facts.per_host = !options.per_host.empty();
  facts.across_boots = options.across_boots;
  if (facts.per_host == !options.file.empty()) {
    return absl::InvalidArgumentError("give either --file FILE or --per-host random");
  }
  return facts;
}

// Which hosts get this one: where several of a name fit, the most specific selector wins.
absl::StatusOr<std::vector<std::string>> HostsOf(const Operator& op, const StandingSecret& secret,
                                                 const std::vector<StandingSecret>& all) {
  BG_ASSIGN_OR_RETURN(const std::vector<host::HostRecord> hosts, op.store.ListHosts(nullptr));
  std::vector<std::string> out;
  for (const host::HostRecord& host : hosts) {
    const auto wins = [&](const StandingSecret& other) {
      return other.facts.name == secret.facts.name &&
             rollout::Fits(other.facts.selector, host.labels) &&
             rollout::IsMoreSpecific(other.facts.selector, secret.facts.selector);
    };
    const bool gets =
        rollout::Fits(secret.facts.selector, host.labels) && std::ranges::none_of(all, wins);
    if (gets) out.push_back(host.id);
  }
  return out;
}

ordered_json ToJson(const StandingSecret& secret) {
  ordered_json json{{"name", secret.facts.name},
                    {"selector", secret.facts.selector},
                    {"per_host", secret.facts.per_host},
                    {"across_boots", secret.facts.across_boots},
                    {"key", secret.key_id},
                    {"author", secret.author},
                    {"since", FormatUtc(secret.since)}};
  if (!secret.broken.ok()) json["broken"] = std::string(secret.broken.message());
  return json;
}

std::vector<std::string> RowOf(const StandingSecret& secret) {
  if (!secret.broken.ok()) {
    return {secret.facts.name,       OrDash(secret.facts.selector),       "cannot be read", "",
            FormatUtc(secret.since), std::string(secret.broken.message())};
  }
  return {secret.facts.name,
          OrDash(secret.facts.selector),
          secret.facts.per_host ? "each host's own" : "the same for all",
          secret.facts.across_boots ? "across boots" : "one boot",
          FormatUtc(secret.since),
          secret.author};
}

void PrintJson(const Operator& op, const ordered_json& json) {
  op.out << json.dump(2, ' ', false, ordered_json::error_handler_t::replace) << "\n";
}

ExitCode Done(const Operator& op, const absl::Status& status, const sealing::SecretFacts& facts,
              const char* done) {
  if (!status.ok()) return Fail(op.err, status);
  if (op.format == OutputFormat::kJson) {
    PrintJson(op, {{"name", facts.name}, {"selector", facts.selector}, {"done", done}});
  } else {
    op.out << "secret " << facts.name << " for " << rollout::ForWhom(facts.selector) << " is "
           << done << "\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace

ExitCode SecretPut(const Operator& op, const std::string& folder, const SecretPutOptions& options,
                   std::istream& in) {
  const absl::StatusOr<sealing::SecretFacts> facts = FactsOf(options);
  if (!facts.ok()) return Fail(op.err, facts.status());
  absl::StatusOr<SecretBytes> value = SecretBytes();
  if (!facts->per_host) value = ReadValue(options.file, in);
  if (absl::IsResourceExhausted(value.status())) {
    value = absl::InvalidArgumentError(
        absl::StrCat(options.file, " has more than ", sealing::kMaxSecretBytes, " bytes"));
  }
  if (!value.ok()) return Fail(op.err, value.status());
  sealing::Vault vault(op.store, folder);
  return Done(op, vault.Put(*facts, *value, ActorOf(op)), *facts,
              "kept; hosts get it with their next attestation");
}

ExitCode SecretList(const Operator& op, const std::string& folder) {
  sealing::Vault vault(op.store, folder);
  const absl::StatusOr<std::vector<StandingSecret>> secrets = vault.List();
  if (!secrets.ok()) return Fail(op.err, secrets.status());
  ordered_json json = ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const StandingSecret& secret : *secrets) {
    json.push_back(ToJson(secret));
    rows.push_back(RowOf(secret));
  }
  if (op.format == OutputFormat::kJson) {
    PrintJson(op, json);
  } else if (rows.empty()) {
    op.out << "no secret is kept; give one with: secret put NAME --file FILE\n";
  } else {
    op.out << FormatTable({"NAME", "FOR HOSTS WITH", "VALUE", "LASTS", "SINCE", "BY"}, rows);
  }
  return ExitCode::kSuccess;
}

ExitCode SecretShow(const Operator& op, const std::string& folder, const std::string& name) {
  sealing::Vault vault(op.store, folder);
  const absl::StatusOr<std::vector<StandingSecret>> secrets = vault.List();
  if (!secrets.ok()) return Fail(op.err, secrets.status());
  ordered_json json = ordered_json::array();
  for (const StandingSecret& secret : *secrets) {
    if (secret.facts.name != name) continue;
    const auto hosts = HostsOf(op, secret, *secrets);
    if (!hosts.ok()) return Fail(op.err, hosts.status());
    ordered_json one = ToJson(secret);
    one["hosts"] = *hosts;
    json.push_back(one);
    if (op.format == OutputFormat::kJson) continue;
    op.out << FormatTable({"NAME", "FOR HOSTS WITH", "VALUE", "LASTS", "SINCE", "BY"},
                          {RowOf(secret)});
    for (const std::string& host : *hosts) op.out << "  " << host << "\n";
    if (hosts->empty()) op.out << "  no enrolled host gets it\n";
  }
  if (json.empty()) {
    return Fail(op.err, absl::NotFoundError(absl::StrCat("there is no secret ", Printable(name))));
  }
  if (op.format == OutputFormat::kJson) PrintJson(op, json);
  return ExitCode::kSuccess;
}

ExitCode SecretRemove(const Operator& op, const std::string& folder, const std::string& name,
                      const std::string& selector) {
  const absl::StatusOr<std::string> read = rollout::ReadSelector(selector);
  if (!read.ok()) return Fail(op.err, read.status());
  const sealing::SecretFacts facts{.name = name, .selector = *read};
  sealing::Vault vault(op.store, folder);
  return Done(op, vault.Remove(facts, ActorOf(op)), facts,
              "removed; hosts lose it with their next attestation");
}

ExitCode SecretRotate(const Operator& op, const std::string& folder) {
  sealing::Vault vault(op.store, folder);
  const absl::StatusOr<size_t> count = vault.Rotate(ActorOf(op));
  if (!count.ok()) return Fail(op.err, count.status());
  if (op.format == OutputFormat::kJson) {
    PrintJson(op, {{"secrets", *count}});
  } else {
    op.out << *count << " secrets are encrypted under a new key; the old one is gone\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
