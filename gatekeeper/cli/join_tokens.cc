#include "gatekeeper/cli/join_tokens.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/config/join_file.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "gatekeeper/cli/labels.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

constexpr size_t kSecretBytes = 32;
constexpr size_t kIdBytes = 8;

store::JoinToken TokenOf(const Operator& op, const JoinTokenOptions& options,
                         const SecretBytes& secret) {
  store::JoinToken token;
  token.id = absl::StrCat("t-", crypto::RandomHex(kIdBytes));
  token.secret_sha256 = ToBytes(crypto::Hash(crypto::HashAlg::kSha256, secret.view()).view());
  token.labels = options.labels;
  token.uses_left = options.uses;
  token.created_at = op.clock.Now();
  token.expires_at = op.clock.Now() + options.ttl;
  token.approves = options.approves;
  token.uses = options.uses;
  token.author = op.actor;
  return token;
}

std::string StateOf(const store::JoinToken& token, absl::Time now) {
  if (token.revoked_at.has_value()) return "revoked";
  if (token.expires_at <= now) return "expired";
  return token.uses_left > 0 ? "good" : "used up";
}

std::string UsesText(const store::JoinToken& token) {
  return absl::StrCat(token.uses_left, token.uses > 0 ? absl::StrCat(" of ", token.uses) : "");
}

ordered_json ToJson(const store::JoinToken& token, absl::Time now) {
  ordered_json out = {{"token", token.id},
                      {"state", StateOf(token, now)},
                      {"uses_left", token.uses_left},
                      {"uses", token.uses},
                      {"expires_at", FormatUtc(token.expires_at)},
                      {"created_at", FormatUtc(token.created_at)},
                      {"approves", token.approves},
                      {"labels", token.labels},
                      {"by", token.author}};
  if (token.revoked_at.has_value()) out["revoked_at"] = FormatUtc(*token.revoked_at);
  return out;
}

std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

ExitCode JoinTokenCreate(const Operator& op, const JoinTokenOptions& options) {
  SecretBytes secret = crypto::RandomSecret(kSecretBytes);
  const store::JoinToken token = TokenOf(op, options, secret);
  audit::Detail labels;
  for (const auto& [name, value] : token.labels) labels.Text(name, value);
  const audit::Detail detail = audit::Detail()
                                   .Number("uses", token.uses_left)
                                   .Text("expires_at", FormatUtc(token.expires_at))
                                   .Flag("approves", token.approves)
                                   .Object("labels", labels);
  const absl::Status stored =
      op.store.PutJoinToken(token, AuditOf(op, "join-token.create", token.id, detail));
  if (!stored.ok()) return Fail(op.err, stored);

  const config::JoinFile file = {.gatekeeper = options.gatekeeper,
                                 .server_name = options.server_name,
                                 .cluster_id = options.cluster_id,
                                 .token_id = token.id,
                                 .token_secret = std::move(secret),
                                 .ca_pem = options.ca_pem,
                                 .expires_at = token.expires_at};
  const std::string text = config::Format(file);
  if (options.out_file == "-") {
    op.out << text;
    return ExitCode::kSuccess;
  }
  const absl::Status written = WriteFileAtomically(options.out_file, AsBytes(text), 0600);
  if (!written.ok()) return Fail(op.err, written);
  if (op.format == OutputFormat::kJson) {
    op.out << ordered_json{{"token", token.id},
                           {"file", options.out_file},
                           {"expires_at", FormatUtc(token.expires_at)}}
                  .dump(2)
           << "\n";
  } else {
    op.out << "wrote " << options.out_file << " (token " << token.id << ", good for "
           << options.uses << (options.uses == 1 ? " host" : " hosts") << " until "
           << FormatUtc(token.expires_at) << ")\n"
           << "on the host: bootgate-agent join " << options.out_file << "\n";
  }
  return ExitCode::kSuccess;
}

ExitCode JoinTokenList(const Operator& op) {
  const absl::StatusOr<std::vector<store::JoinToken>> tokens = op.store.ListJoinTokens();
  if (!tokens.ok()) return Fail(op.err, tokens.status());
  const absl::Time now = op.clock.Now();
  ordered_json json = ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const store::JoinToken& token : *tokens) {
    json.push_back(ToJson(token, now));
    rows.push_back({token.id, StateOf(token, now), UsesText(token), FormatUtc(token.expires_at),
                    token.approves ? "yes" : "no", OrDash(FormatLabels(token.labels)),
                    OrDash(token.author)});
  }
  if (op.format == OutputFormat::kJson) {
    op.out << Dump(json);
  } else {
    op.out << FormatTable({"TOKEN", "STATE", "USES LEFT", "EXPIRES", "APPROVES", "LABELS", "BY"},
                          rows);
  }
  return ExitCode::kSuccess;
}

ExitCode JoinTokenShow(const Operator& op, const std::string& id) {
  const absl::StatusOr<store::JoinToken> token = op.store.GetJoinToken(id);
  if (!token.ok()) return Fail(op.err, token.status());
  const absl::Time now = op.clock.Now();
  if (op.format == OutputFormat::kJson) {
    op.out << Dump(ToJson(*token, now));
    return ExitCode::kSuccess;
  }
  op.out << FormatPairs({{"token", token->id},
                         {"state", StateOf(*token, now)},
                         {"uses left", UsesText(*token)},
                         {"expires", FormatUtc(token->expires_at)},
                         {"created", FormatUtc(token->created_at)},
                         {"by", OrDash(token->author)},
                         {"approves", token->approves ? "yes" : "no"},
                         {"labels", OrDash(FormatLabels(token->labels))}});
  return ExitCode::kSuccess;
}

ExitCode JoinTokenRevoke(const Operator& op, const std::string& id) {
  const absl::Status revoked =
      op.store.RevokeJoinToken(id, AuditOf(op, "join-token.revoke", id, audit::Detail()));
  if (!revoked.ok()) return Fail(op.err, revoked);
  if (op.format == OutputFormat::kJson) {
    op.out << Dump({{"token", id}, {"done", "revoked"}});
  } else {
    op.out << id << " is revoked; hosts that joined with it stay\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
