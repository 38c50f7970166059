// The gatekeeper's configuration: one file, one struct of named parts, each with a safe default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/registers/selection.h"
#include "gatekeeper/app/quarantine_config.h"
#include "gatekeeper/webhook/endpoint.h"

namespace bootgate::gatekeeper::app {

struct ListenConfig {
  std::string agents = "127.0.0.1:9743";     // agents' gRPC port; port 0 takes a free one
  std::string operators = "127.0.0.1:9744";  // operators' gRPC port; empty: none
  // Names and addresses that the server certificate bears; what agents dial must be among them.
  std::vector<std::string> names = {"localhost", "127.0.0.1"};
};

struct HttpConfig {
  bool enabled = true;
  std::string listen = "127.0.0.1:9746";  // no TLS, no authentication; port 0 takes a free one
  // Where others reach it, without '/' at its end; host certificates name it. Empty: they do not.
  std::string public_url;
  absl::Duration crl_lifetime = absl::Hours(1);
  absl::Duration ocsp_lifetime = absl::Minutes(5);
};

struct TokenConfig {
  bool enabled = true;
  std::string issuer;               // URL without a final '/'; empty: of the HTTP port
  std::string algorithm = "ES256";  // "ES256", "RS256"
  absl::Duration rotate_every = absl::Hours(24 * 30);
};

struct EkConfig {
  std::string mode = "chain+inventory";  // "chain", "inventory", "chain+inventory"
  std::vector<std::string> roots;        // PEM files of TPM vendors' CAs, or folders of them
  std::string inventory;                 // file with one EK a line
  std::vector<std::string> ak_roots;     // PEM files of clouds' CAs, or folders of them
  bool cloud_ak = false;                 // a cloud's AK certificate counts like an EK's
  std::string revocation = "soft";       // "off", "soft", "hard"
  std::vector<std::string> crls;         // files of TPM vendors' CRLs, or folders of them
  std::string distrust;                  // file with one SHA-256 a line
  std::string advisories;                // JSON file with weaknesses of TPM firmware; empty: none
  std::string vulnerable_firmware = "report";  // "report", "deny"
};

struct QuoteConfig {
  std::string selection = "sha256:0-14";
  bool allow_resettable = false;          // PCR 16 and 23 may be in it
  std::vector<int64_t> runtime_extended;  // PCRs that software extends without a log
  int64_t behind_limit = 5;               // tries until a lagging IMA list counts as a mismatch
  absl::Duration nonce_ttl = absl::Seconds(60);
};

struct CredentialConfig {
  std::string seal_selection = "sha256:0-9,14";
  int64_t cap_register = -1;  // -1: none
  absl::Duration lifetime = absl::Hours(1);
  // What secrets across boots are bound to; empty: seal_selection.
  std::string boot_secret_selection;

  const std::string& across_boots_selection() const {
    return boot_secret_selection.empty() ? seal_selection : boot_secret_selection;
  }
};

struct AttestationConfig {
  absl::Duration interval = absl::Minutes(10);
  absl::Duration whole_ima_list_every = absl::Hours(24);  // in between only what is new is sent
};

// How long what tells of hosts is kept; the audit trail is never removed.
struct RetentionConfig {
  absl::Duration verdicts = absl::Hours(24 * 90);
  absl::Duration closed_incidents = absl::Hours(24 * 365);  // their evidence, from closing on
};

struct LimitConfig {
  int64_t boot_log_bytes = 4 << 20;
  int64_t user_log_bytes = 1 << 20;
  int64_t ima_bytes = 64 << 20;
  int64_t ima_dictionary_bytes = 64 << 20;  // 0: hosts send every entry in full
  int64_t evidence_bytes_in_flight = 512 << 20;
  int64_t workers = 0;  // 0: one per processor, at least 2
  int64_t queue = 1024;
  int64_t open_nonces = 100000;
};

struct Config {
  std::string cluster_id;    // required
  std::string trust_domain;  // required
  std::string folder;        // required: store, CA
  ListenConfig listen;
  HttpConfig http;
  TokenConfig token;
  EkConfig ek;
  QuoteConfig quote;
  CredentialConfig credential;
  AttestationConfig attestation;
  LimitConfig limits;
  RetentionConfig retention;
  std::vector<webhook::Endpoint> webhooks;
  QuarantineConfig quarantine;

  std::string store_path() const { return folder + "/gatekeeper.db"; }
  std::string ca_folder() const { return folder + "/ca"; }
  std::string token_key_folder() const { return folder + "/token-keys"; }
  std::string sealing_folder() const { return folder + "/sealing"; }
  std::string audit_folder() const { return folder + "/audit"; }
  std::string set_folder() const { return folder + "/sets"; }
};

// kInvalidArgument with every complaint, a line each, naming file, line and key.
absl::StatusOr<Config> ParseConfig(absl::string_view text, absl::string_view file);
absl::StatusOr<Config> LoadConfig(const std::string& path);

// What `init` writes: the text of a commented configuration file for a new gatekeeper.
std::string InitialConfigText(const std::string& cluster_id, const std::string& trust_domain,
                              const std::string& folder, const std::string& listen,
                              const std::string& http_listen);

}  // namespace bootgate::gatekeeper::app
