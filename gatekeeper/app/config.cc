#include "gatekeeper/app/config.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/json_text.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/config/config_file.h"
#include "common/registers/bank.h"
#include "gatekeeper/app/webhook_config.h"
#include "gatekeeper/credential/credential.h"

namespace bootgate::gatekeeper::app {
namespace {

constexpr int64_t kMebibyte = 1 << 20;

bool IsName(absl::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  for (const char c : text) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    if (!fine) return false;
  }
  return text.front() != '-' && text.front() != '.' && text.back() != '-' && text.back() != '.';
}

void ReadNames(config::ConfigFile& file, Config* out) {
  file.Text("cluster_id", &out->cluster_id);
  file.Text("trust_domain", &out->trust_domain);
  file.Text("folder", &out->folder);
  for (const auto& [key, value] :
       {std::pair<const char*, const std::string&>{"cluster_id", out->cluster_id},
        {"trust_domain", out->trust_domain}}) {
    if (!IsName(value)) file.Complain(key, "must be set to a name of a-z, 0-9, '-' and '.'");
  }
  if (out->folder.empty() || out->folder.front() != '/')
    file.Complain("folder", "must be set to an absolute path");
}

void ReadQuote(config::ConfigFile& file, Config* out) {
  file.Text("quote.selection", &out->quote.selection);
  file.Flag("quote.allow_resettable", &out->quote.allow_resettable);
  file.Integers("quote.runtime_extended", 0, registers::kCount - 1, &out->quote.runtime_extended);
  file.Integer("quote.behind_limit", 1, 1000, &out->quote.behind_limit);
  file.Span("quote.nonce_ttl", absl::Seconds(1), absl::Minutes(10), &out->quote.nonce_ttl);
  file.Text("credential.seal_selection", &out->credential.seal_selection);
  file.Text("credential.boot_secret_selection", &out->credential.boot_secret_selection);
  file.Integer("credential.cap_register", -1, registers::kCount - 1, &out->credential.cap_register);
  file.Span("credential.lifetime", absl::Seconds(10), absl::Hours(24 * 30),
            &out->credential.lifetime);
  file.Span("attestation.interval", absl::Seconds(1), absl::Hours(24), &out->attestation.interval);
  file.Span("attestation.whole_ima_list_every", absl::Seconds(1), absl::Hours(24 * 365),
            &out->attestation.whole_ima_list_every);
  constexpr absl::Duration kDay = absl::Hours(24);
  file.Span("retention.verdicts", kDay, 3650 * kDay, &out->retention.verdicts);
  file.Span("retention.closed_incidents", kDay, 3650 * kDay, &out->retention.closed_incidents);
}

// The rule for credentials holds for secrets across boots, too.
void CheckBootSecretSelection(config::ConfigFile& file, const Config& config) {
  constexpr char kKey[] = "credential.boot_secret_selection";
  const absl::StatusOr<registers::Selection> quoted =
      registers::ParseSelection(config.quote.selection);
  const absl::StatusOr<registers::Selection> bound =
      registers::ParseSelection(config.credential.across_boots_selection());
  if (config.credential.boot_secret_selection.empty() || !quoted.ok()) return;
  if (!bound.ok()) {
    file.Complain(kKey, bound.status().message());
    return;
  }
  credential::Options options{.seal_selection = *bound};
  if (config.credential.cap_register >= 0) {
    options.cap_register = static_cast<uint32_t>(config.credential.cap_register);
  }
  if (const absl::Status fit = credential::Check(options, *quoted); !fit.ok()) {
    file.Complain(kKey, fit.message());
  }
}

// Debug (16) and application (23) registers prove nothing: anybody on the host can reset them.
void CheckResettable(config::ConfigFile& file, const registers::Selection& quoted) {
  constexpr uint32_t kResettable = 1u << 16 | 1u << 23;
  uint32_t open = 0;
  for (const registers::BankSelection& bank : quoted) open |= bank.mask & kResettable;
  if (open == 0) return;
  file.Complain("quote.selection",
                absl::StrCat(Code(Reason::kPcrResettable), ": anybody on a host can reset PCR ",
                             registers::FormatMask(open),
                             "; leave it out, or set quote.allow_resettable = true"));
}

// What credentials may be bound to is the credential room's rule; here it is asked early.
void CheckSelections(config::ConfigFile& file, const Config& config) {
  const absl::StatusOr<registers::Selection> quoted =
      registers::ParseSelection(config.quote.selection);
  if (!quoted.ok()) file.Complain("quote.selection", quoted.status().message());
  if (quoted.ok() && !config.quote.allow_resettable) CheckResettable(file, *quoted);
  const absl::StatusOr<registers::Selection> sealed =
      registers::ParseSelection(config.credential.seal_selection);
  if (!sealed.ok()) file.Complain("credential.seal_selection", sealed.status().message());
  if (!quoted.ok() || !sealed.ok()) return;
  credential::Options options{.lifetime = config.credential.lifetime, .seal_selection = *sealed};
  if (const absl::Status fit = credential::Check(options, *quoted); !fit.ok()) {
    file.Complain("credential.seal_selection", fit.message());
    return;
  }
  if (config.credential.cap_register < 0) return;
  options.cap_register = static_cast<uint32_t>(config.credential.cap_register);
  if (const absl::Status fit = credential::Check(options, *quoted); !fit.ok()) {
    file.Complain("credential.cap_register", fit.message());
  }
}

void ReadLimits(config::ConfigFile& file, LimitConfig* out) {
  file.Integer("limits.boot_log_bytes", 4096, 64 * kMebibyte, &out->boot_log_bytes);
  file.Integer("limits.user_log_bytes", 4096, 16 * kMebibyte, &out->user_log_bytes);
  file.Integer("limits.ima_bytes", 4096, 256 * kMebibyte, &out->ima_bytes);
  file.Integer("limits.ima_dictionary_bytes", 0, 2048 * kMebibyte, &out->ima_dictionary_bytes);
  file.Integer("limits.evidence_bytes_in_flight", kMebibyte, 64 * 1024 * kMebibyte,
               &out->evidence_bytes_in_flight);
  file.Integer("limits.workers", 0, 256, &out->workers);
  file.Integer("limits.queue", 1, 1000000, &out->queue);
  file.Integer("limits.open_nonces", 16, 10000000, &out->open_nonces);
}

bool IsUrl(absl::string_view text) {
  for (const absl::string_view scheme : {"https://", "http://"}) {
    if (!absl::ConsumePrefix(&text, scheme)) continue;
    return !text.empty() && text.back() != '/' && std::ranges::all_of(text, [](char c) {
      return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '?' && c != '#';
    });
  }
  return false;
}

void ReadHttp(config::ConfigFile& file, HttpConfig* out) {
  file.Flag("http.enabled", &out->enabled);
  file.Text("http.listen", &out->listen);
  file.Text("http.public_url", &out->public_url);
  file.Span("http.crl_lifetime", absl::Minutes(1), absl::Hours(24 * 7), &out->crl_lifetime);
  file.Span("http.ocsp_lifetime", absl::Seconds(10), absl::Hours(24), &out->ocsp_lifetime);
  if (out->public_url.empty()) return;
  if (!IsUrl(out->public_url)) {
    file.Complain("http.public_url",
                  "must be an http or https URL without query and without '/' at its end");
  } else if (!out->enabled) {
    file.Complain("http.public_url", "is of no use: nobody serves it here (http.enabled)");
  }
}

void ReadHttpAndTokens(config::ConfigFile& file, Config* out) {
  ReadHttp(file, &out->http);
  file.Flag("token.enabled", &out->token.enabled);
  file.Text("token.issuer", &out->token.issuer);
  file.Choice("token.algorithm", {"ES256", "RS256"}, &out->token.algorithm);
  file.Span("token.rotate_every", absl::Hours(1), absl::Hours(24 * 365), &out->token.rotate_every);
  if (!out->token.issuer.empty() && !IsUrl(out->token.issuer)) {
    file.Complain("token.issuer",
                  "must be an http or https URL without query and without '/' at its end");
  }
  if (out->token.enabled && out->token.issuer.empty() && !out->http.enabled) {
    file.Complain("token.issuer", "must be set: nobody serves the keys here (http.enabled)");
  }
}

absl::StatusOr<Config> Read(config::ConfigFile file) {
  Config out;
  ReadNames(file, &out);
  file.Text("listen.agents", &out.listen.agents);
  file.Text("listen.operators", &out.listen.operators);
  file.Texts("listen.names", &out.listen.names);
  if (out.listen.names.empty()) file.Complain("listen.names", "needs at least one name");
  ReadHttpAndTokens(file, &out);
  file.Choice("ek.mode", {"chain", "inventory", "chain+inventory"}, &out.ek.mode);
  file.Texts("ek.roots", &out.ek.roots);
  file.Text("ek.inventory", &out.ek.inventory);
  file.Texts("ek.ak_roots", &out.ek.ak_roots);
  file.Flag("ek.cloud_ak", &out.ek.cloud_ak);
  file.Choice("ek.revocation", {"off", "soft", "hard"}, &out.ek.revocation);
  file.Texts("ek.crls", &out.ek.crls);
  file.Text("ek.distrust", &out.ek.distrust);
  file.Text("ek.advisories", &out.ek.advisories);
  file.Choice("ek.vulnerable_firmware", {"report", "deny"}, &out.ek.vulnerable_firmware);
  ReadQuote(file, &out);
  CheckSelections(file, out);
  CheckBootSecretSelection(file, out);
  ReadLimits(file, &out.limits);
  ReadWebhooks(file, &out.webhooks);
  ReadQuarantine(file, &out.quarantine);
  BG_RETURN_IF_ERROR(file.Finish());
  return out;
}

}  // namespace

absl::StatusOr<Config> ParseConfig(absl::string_view text, absl::string_view file) {
  BG_ASSIGN_OR_RETURN(config::ConfigFile parsed, config::ConfigFile::Parse(text, file));
  return Read(std::move(parsed));
}

absl::StatusOr<Config> LoadConfig(const std::string& path) {
  BG_ASSIGN_OR_RETURN(config::ConfigFile parsed, config::ConfigFile::Load(path));
  return Read(std::move(parsed));
}

std::string InitialConfigText(const std::string& cluster_id, const std::string& trust_domain,
                              const std::string& folder, const std::string& listen,
                              const std::string& http_listen) {
  // Who lets the agents' port be any free one does not want a fixed one for operators either.
  const bool any_port = absl::EndsWith(listen, ":0");
  return absl::StrCat(
      "# Bootgate gatekeeper. Every key that is not here has its safe default;\n"
      "# deploy/config/gatekeeper.toml explains them all.\n\n",
      "cluster_id = ", JsonString(cluster_id), "\n", "trust_domain = ", JsonString(trust_domain),
      "\n", "folder = ", JsonString(folder), "\n\n", "[listen]\n", "agents = ", JsonString(listen),
      "\n", "operators = ", JsonString(any_port ? "127.0.0.1:0" : "127.0.0.1:9744"),
      "  # mutual TLS; empty: none\n",
      "names = [\"localhost\", \"127.0.0.1\"]  # what agents dial\n\n", "[http]\n",
      "listen = ", JsonString(http_listen), "  # health, metrics, key sets; no TLS\n\n",
      "[token]\n",
      "issuer = \"\"  # the URL that relying parties reach; empty: the HTTP port's own\n\n",
      "[ek]\n",
      "mode = \"chain+inventory\"  # a genuine vendor chain, and an operator's approval or "
      "inventory\n",
      "roots = []                # PEM files of TPM vendors' CAs\n");
}

}  // namespace bootgate::gatekeeper::app
