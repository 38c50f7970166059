#include "gatekeeper/cli/approving_key.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/crypto/hash.h"
#include "gatekeeper/sealing/approving_key.h"

namespace bootgate::gatekeeper::cli {
namespace {

std::string DigestOf(const pki::KeyHolder& key) {
  return crypto::Hash(crypto::HashAlg::kSha256, key.Public().SpkiDer()).hex();
}

void Print(const Operator& op, const pki::KeyHolder& key) {
  if (op.format == OutputFormat::kJson) {
    const nlohmann::ordered_json out = {{"key", key.Describe()}, {"sha256", DigestOf(key)}};
    op.out << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    op.out << FormatPairs({{"key", key.Describe()}, {"sha256", DigestOf(key)}});
  }
}

}  // namespace

ExitCode ApprovingKeyShow(const Operator& op, const std::string& sealing_folder) {
  const auto key = sealing::ApprovingKey(sealing_folder);
  if (!key.ok()) return Fail(op.err, key.status());
  Print(op, **key);
  return ExitCode::kSuccess;
}

ExitCode ApprovingKeyMake(const Operator& op, const std::string& sealing_folder,
                          const ApprovingKeyMakeOptions& options) {
  const absl::StatusOr<std::optional<pki::KeySpec>> where = KeySpecOf(options.key);
  if (!where.ok()) return Fail(op.err, where.status());
  const pki::KeySpec spec = where->value_or(pki::KeySpec{.kind = pki::KeySpec::Kind::kFile});
  const auto key = sealing::MakeApprovingKey(
      sealing_folder, spec,
      options.replace ? sealing::Existing::kIsReplaced : sealing::Existing::kStays);
  if (absl::IsAlreadyExists(key.status())) {
    return Fail(op.err,
                absl::AlreadyExistsError(absl::StrCat(
                    key.status().message(), ". To give them up: approval key make --replace")));
  }
  if (!key.ok()) return Fail(op.err, key.status());
  store::Commit commit;
  commit.audit = {AuditOf(op, "approval.key", DigestOf(**key),
                          audit::Detail().Text("key", (*key)->Describe()))};
  if (const absl::Status audited = op.store.Apply(commit); !audited.ok()) {
    return Fail(op.err, audited);
  }
  Print(op, **key);
  if (op.format == OutputFormat::kTable) {
    op.out << "restart the gatekeeper: it takes the key with its start, and hosts get what it "
              "sealed anew\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
