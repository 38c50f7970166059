#include "gatekeeper/cli/ca_operators.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/private_key.h"
#include "gatekeeper/issuing/ca_acts.h"
#include "gatekeeper/revocation/operator_certificates.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::cli {
namespace {

using Json = nlohmann::ordered_json;
using revocation::IssuedToOperator;

constexpr mode_t kPublicMode = 0644, kSecretMode = 0600, kFolderMode = 0700;
constexpr absl::Duration kBackdate = absl::Minutes(5);
constexpr size_t kMaxReason = 500;  // bytes

const char* StateOf(const IssuedToOperator& issued, absl::Time now) {
  if (issued.revoked_at.has_value()) return "revoked";
  return issued.certificate.not_after <= now ? "expired" : "valid";
}

Json JsonOf(const IssuedToOperator& issued, absl::Time now) {
  Json out{{"name", issued.certificate.name},
           {"serial", issued.certificate.serial_hex},
           {"roles", issued.certificate.roles},
           {"state", StateOf(issued, now)},
           {"issued_at", FormatUtc(issued.issued_at)},
           {"issued_by", issued.author},
           {"not_after", FormatUtc(issued.certificate.not_after)},
           {"issuer", ToHex(issued.certificate.issuer_key_id)}};
  if (issued.revoked_at.has_value()) {
    out["revoked_at"] = FormatUtc(*issued.revoked_at);
    out["reason"] = std::string(pki::Name(issued.reason.code));
    out["why"] = issued.reason.text;
  }
  return out;
}

std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<std::string> Issue(const Operator& op, const std::string& folder,
                                  const OperatorIssueOptions& options) {
  BG_ASSIGN_OR_RETURN(const absl::Duration lifetime, CertificateLifetime(options.lifetime));
  const std::string at = absl::StrCat(options.out_folder, "/", options.name);
  const absl::Time now = op.clock.Now();
  BG_ASSIGN_OR_RETURN(const pki::Authority authority, pki::Authority::Open({folder}, now));
  BG_ASSIGN_OR_RETURN(const auto key, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  const absl::Time end = std::min(now + lifetime, authority.not_after(pki::CaUse::kOperators));
  BG_ASSIGN_OR_RETURN(const Bytes der, authority.IssueOperator(options.name, options.roles,
                                                               key.Public(), now - kBackdate, end));
  const std::string pem = pki::DerToPem(der);
  BG_ASSIGN_OR_RETURN(const auto certificate, pki::ReadOperatorCertificate(pem));
  for (const char* const ending : {".key", ".pem"}) {
    if (FileExists(at + ending))
      return absl::AlreadyExistsError(absl::StrCat(at, ending, " is already there"));
  }
  BG_RETURN_IF_ERROR(revocation::RecordOperator(
      op.store, der,
      AuditOf(op, "ca.operator.issue", options.name,
              audit::Detail()
                  .Texts("roles", options.roles)
                  .Text("serial", certificate.serial_hex)
                  .Text("not_after", FormatUtc(certificate.not_after)))));
  BG_RETURN_IF_ERROR(MakeFolder(options.out_folder, kFolderMode));
  BG_RETURN_IF_ERROR(WriteNewFile(at + ".key", key.Pem().view(), kSecretMode));
  BG_RETURN_IF_ERROR(WriteNewFile(at + ".pem", AsBytes(pem + authority.ChainOf(der)), kPublicMode));
  BG_RETURN_IF_ERROR(WriteFileAtomically(options.out_folder + "/roots.pem",
                                         AsBytes(authority.roots_pem()), kPublicMode));
  return certificate.serial_hex;
}

// Those that `who` means and that may still open something.
absl::StatusOr<std::vector<IssuedToOperator>> Meant(const Operator& op, const std::string& who) {
  BG_ASSIGN_OR_RETURN(const std::vector<IssuedToOperator> all, revocation::ListOperators(op.store));
  const std::string serial =
      absl::AsciiStrToLower(absl::StrReplaceAll(who, {{":", ""}, {" ", ""}}));
  std::vector<IssuedToOperator> out;
  for (const IssuedToOperator& issued : all) {
    if (issued.certificate.serial_hex == serial) return std::vector<IssuedToOperator>{issued};
    if (issued.certificate.name == who && issued.certificate.not_after > op.clock.Now())
      out.push_back(issued);
  }
  if (out.empty()) {
    return absl::NotFoundError(absl::StrCat("no certificate that is valid was issued for '",
                                            Printable(who, 64),
                                            "', and none has this serial (see `ca operator list "
                                            "--all`)"));
  }
  return out;
}

struct Revoked {
  std::string name, serial;
  bool changed = false;
};

absl::StatusOr<std::vector<Revoked>> Revoke(const Operator& op,
                                            const OperatorRevokeOptions& options) {
  const std::optional<pki::RevocationReason> code = pki::RevocationReasonFromName(options.code);
  if (!code.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--code: one of ", pki::RevocationReasonNames()));
  }
  if (absl::StripAsciiWhitespace(options.reason).empty() || options.reason.size() > kMaxReason) {
    return absl::InvalidArgumentError(
        absl::StrCat("--reason: say why, in 1 to ", kMaxReason, " bytes"));
  }
  BG_ASSIGN_OR_RETURN(const std::vector<IssuedToOperator> meant, Meant(op, options.who));
  std::vector<Revoked> out;
  for (const IssuedToOperator& issued : meant) {
    const std::string& serial = issued.certificate.serial_hex;
    BG_ASSIGN_OR_RETURN(const bool changed,
                        revocation::RevokeOperator(
                            op.store, serial, {op.actor, op.clock.Now(), {*code, options.reason}}));
    out.push_back({issued.certificate.name, serial, changed});
  }
  return out;
}

}  // namespace

absl::StatusOr<absl::Duration> CertificateLifetime(const std::string& text) {
  absl::Duration out;
  if (!absl::ParseDuration(text, &out) || out < issuing::kShortestLifetime ||
      out > issuing::kLongestLifetime) {
    return absl::InvalidArgumentError("--lifetime: write 720h, 8760h, ...; at least 10m");
  }
  return out;
}

absl::Status WriteNewFile(const std::string& path, ByteView bytes, mode_t mode) {
  if (FileExists(path)) return absl::AlreadyExistsError(absl::StrCat(path, " is already there"));
  return WriteFileAtomically(path, bytes, mode);
}

ExitCode CaOperatorIssue(const Operator& op, const std::string& folder,
                         const OperatorIssueOptions& options) {
  const absl::StatusOr<std::string> serial = Issue(op, folder, options);
  if (!serial.ok()) return Fail(op.err, serial.status());
  if (op.format == OutputFormat::kJson) {
    op.out << Dump({{"name", options.name}, {"serial", *serial}, {"folder", options.out_folder}});
  } else {
    op.out << "wrote " << options.name << ".key, " << options.name << ".pem and roots.pem to "
           << options.out_folder << "\n";
  }
  return ExitCode::kSuccess;
}

ExitCode CaOperatorList(const Operator& op, const OperatorListOptions& options) {
  const absl::StatusOr<std::vector<IssuedToOperator>> all = revocation::ListOperators(op.store);
  if (!all.ok()) return Fail(op.err, all.status());
  const absl::Time now = op.clock.Now();
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const IssuedToOperator& issued : *all) {
    const std::string state = StateOf(issued, now);
    if (!options.all && state != "valid") continue;
    json.push_back(JsonOf(issued, now));
    rows.push_back({issued.certificate.name, absl::StrJoin(issued.certificate.roles, ", "), state,
                    FormatUtc(issued.certificate.not_after), issued.certificate.serial_hex,
                    OrDash(Printable(issued.reason.text, kMaxReason))});
  }
  if (op.format == OutputFormat::kJson) {
    op.out << Dump(json);
  } else if (rows.empty()) {
    op.out << (options.all ? "no certificate was ever issued for an operator\n"
                           : "no operator has a certificate that is valid\n");
  } else {
    op.out << FormatTable({"OPERATOR", "ROLES", "STATE", "ENDS", "SERIAL", "WHY REVOKED"}, rows);
  }
  return ExitCode::kSuccess;
}

ExitCode CaOperatorRevoke(const Operator& op, const OperatorRevokeOptions& options) {
  const absl::StatusOr<std::vector<Revoked>> done = Revoke(op, options);
  if (!done.ok()) return Fail(op.err, done.status());
  Json json = Json::array();
  for (const Revoked& one : *done) {
    json.push_back({{"name", one.name}, {"serial", one.serial}, {"changed", one.changed}});
    if (op.format == OutputFormat::kJson) continue;
    op.out << one.serial << " of " << one.name
           << (one.changed ? " is revoked\n" : " was revoked already\n");
  }
  if (op.format == OutputFormat::kJson) op.out << Dump(json);
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
