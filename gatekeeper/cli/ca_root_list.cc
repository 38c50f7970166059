#include "gatekeeper/cli/ca_root_list.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/cli/ca_operators.h"
#include "pki/pem.h"
#include "pki/root_crl.h"

namespace bootgate::gatekeeper::cli {
namespace {

constexpr size_t kMaxCertificates = 65536;  // bytes of a file
constexpr mode_t kPublicMode = 0644;

std::string Summary(const pki::RootCrl& list) {
  return absl::StrCat(list.revoked.size(), list.revoked.size() == 1 ? " CA" : " CAs",
                      " revoked, holds until ", FormatUtc(list.next_update));
}

absl::Status WriteDown(const Operator& op, const pki::InstalledRootCrl& installed) {
  store::Commit commit;
  commit.audit = {audit::MakeRow(op.clock.Now(), op.actor, "ca.install-crl", installed.root.id,
                                 audit::Detail()
                                     .Text("number", absl::StrCat(installed.list.number))
                                     .Text("list", Summary(installed.list)))};
  return op.store.Apply(commit);
}

}  // namespace

ExitCode CaSignCrl(const CaSignCrlOptions& options, absl::Time now, std::ostream& out,
                   std::ostream& err) {
  const auto sign = [&]() -> absl::StatusOr<pki::RootCrl> {
    if (FileExists(options.out_file)) {
      return absl::AlreadyExistsError(options.out_file + " is already there");
    }
    pki::RootCrlSigning signing{.root_folder = options.root_folder};
    BG_ASSIGN_OR_RETURN(signing.root_secret, pki::ParseSecretSource(options.root_secret));
    BG_ASSIGN_OR_RETURN(signing.lifetime, CertificateLifetime(options.lifetime));
    for (const std::string& file : options.revoke) {
      BG_ASSIGN_OR_RETURN(std::string pem, ReadTextFile(file, kMaxCertificates));
      signing.tainted.push_back(std::move(pem));
    }
    BG_ASSIGN_OR_RETURN(pki::RootCrl list, pki::SignRootCrl(signing, now));
    BG_RETURN_IF_ERROR(
        WriteNewFile(options.out_file, AsBytes(pki::CrlToPem(list.der)), kPublicMode));
    return list;
  };
  const absl::StatusOr<pki::RootCrl> list = sign();
  if (!list.ok()) return Fail(err, list.status());
  out << "wrote " << options.out_file << ": " << Summary(*list)
      << "\n  on the gatekeeper: bootgate-gatekeeper ca install-crl " << options.out_file << "\n";
  return ExitCode::kSuccess;
}

ExitCode CaInstallCrl(const Operator& op, const std::string& folder, const std::string& file) {
  const absl::StatusOr<std::string> text = ReadTextFile(file, pki::kMaxPemSize);
  if (!text.ok()) return Fail(op.err, text.status());
  const auto installed = pki::InstallRootCrl(folder, *text, op.clock.Now());
  if (!installed.ok()) return Fail(op.err, installed.status());
  const absl::Status audited = WriteDown(op, *installed);
  if (!audited.ok()) return Fail(op.err, audited);
  if (op.format == OutputFormat::kJson) {
    op.out << nlohmann::ordered_json{{"root", installed->root.id},
                                     {"number", installed->list.number},
                                     {"revoked", installed->list.revoked.size()},
                                     {"next_update", FormatUtc(installed->list.next_update)}}
                  .dump(2)
           << "\n";
    return ExitCode::kSuccess;
  }
  op.out << installed->root.id << "'s list is here: " << Summary(installed->list)
         << "\n  running gatekeepers publish it within a second\n";
  return ExitCode::kSuccess;
}

std::string RootListWords(const pki::CaFolder& folder, const std::string& id) {
  std::string files;
  for (const pki::CaRecord& ca : folder.cas) {
    if (ca.state != pki::CaRecord::State::kTainted || (ca.id != id && ca.under != id)) continue;
    const pki::CaRecord* const root = folder.Find(ca.under);
    if (root == nullptr || root->key.kind != pki::KeySpec::Kind::kNone) continue;
    absl::StrAppend(&files, " --revoke ", folder.PathOf(ca.certificate));
  }
  if (files.empty()) return "";
  return absl::StrCat(
      "  the root's key is not here; for those who check the root's own list, where the key is:\n"
      "    bootgate-gatekeeper ca sign-crl --root-dir DIR",
      files, " --out root.crl\n", "  and then here: bootgate-gatekeeper ca install-crl root.crl\n");
}

}  // namespace bootgate::gatekeeper::cli
