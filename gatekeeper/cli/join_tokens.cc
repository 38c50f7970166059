#include "gatekeeper/cli/join_tokens.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/config/join_file.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"

namespace bootgate::gatekeeper::cli {
namespace {

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
  return token;
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
    op.out << nlohmann::ordered_json{{"token", token.id},
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

}  // namespace bootgate::gatekeeper::cli
