// CredentialService.
#include "absl/strings/str_cat.h"
#include "bootgate/v1/admin.pb.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/fleet/hosts.h"
#include "gatekeeper/fleet/names.h"
#include "gatekeeper/operators/handler.h"
#include "gatekeeper/operators/host_codec.h"
#include "gatekeeper/operators/paging.h"
#include "gatekeeper/revocation/operator_certificates.h"
#include "gatekeeper/revocation/operators_reasons.h"

namespace bootgate::gatekeeper::operators {
namespace {

using store::CredentialRow;

void Encode(const CredentialRow& row, v1::Credential* out) {
  out->set_serial(row.serial);
  out->set_host_id(row.host_id);
  out->set_verdict_id(row.verdict_id);
  out->set_kind(row.kind);
  out->set_profile(row.profile);
  operators::Encode(row.not_before, out->mutable_not_before());
  operators::Encode(row.not_after, out->mutable_not_after());
  if (row.revoked)
    operators::Encode(row.revoked_at.value_or(absl::UnixEpoch()), out->mutable_revoked_at());
  out->set_issuer(row.issuer);
}

absl::StatusOr<std::vector<CredentialRow>> Rows(const Call& call,
                                                const v1::ListCredentialsRequest& request) {
  store::Store& store = call.backend.store;
  const absl::Time now = call.backend.clock.Now();
  std::vector<CredentialRow> rows;
  const auto take = [&](const CredentialRow& row) {
    if (!request.revoked_only() || (row.revoked && row.not_after > now)) rows.push_back(row);
  };
  if (!request.host_id().empty()) {
    BG_RETURN_IF_ERROR(fleet::FindHost(store, request.host_id()).status());
    BG_ASSIGN_OR_RETURN(const auto of_host, store.ListCredentials(request.host_id()));
    for (const CredentialRow& row : of_host) take(row);
    return rows;
  }
  if (!request.revoked_only()) {
    return Malformed(Reason::kMessageMalformed,
                     "host_id: name a host, or ask for what is revoked alone");
  }
  BG_ASSIGN_OR_RETURN(const auto revoked, store.ListRevoked(0, now));
  for (const store::RevokedRow& row : revoked) take(row.credential);
  return rows;
}

absl::Status ListCredentials(const Call& call, const v1::ListCredentialsRequest& request,
                             v1::ListCredentialsResponse* answer) {
  BG_ASSIGN_OR_RETURN(const std::vector<CredentialRow> rows, Rows(call, request));
  BG_ASSIGN_OR_RETURN(const Slice slice, SliceOf(call, request, rows.size(),
                                                 [&](size_t i) { return rows[i].serial; }));
  for (size_t i = slice.begin; i < slice.end; ++i) Encode(rows[i], answer->add_credentials());
  answer->set_next_page_token(slice.next);
  return absl::OkStatus();
}

// At once with its reason; one that was given before, and never carried out, stays.
absl::Status Revoke(const Call& call, const CredentialRow& row, pki::RevocationReason code,
                    const std::string& why) {
  const absl::Time now = call.backend.clock.Now();
  store::Commit commit;
  commit.revoke_serials = {row.serial};
  BG_ASSIGN_OR_RETURN(const auto given, revocation::GetReason(call.backend.store, row.serial));
  if (!given.has_value()) {
    commit.documents = {
        revocation::ReasonDocument(row.serial, {code, why}, call.caller.actor, now)};
  }
  commit.audit.push_back(audit::MakeRow(now, call.caller.actor, "credential.revoke", row.serial,
                                        audit::Detail()
                                            .Text("host", row.host_id)
                                            .Text("kind", row.kind)
                                            .Text("code", pki::Name(code))
                                            .Text("why", why)));
  return call.backend.store.Apply(commit);
}

void Encode(const revocation::IssuedToOperator& issued, v1::Credential* out) {
  out->set_serial(issued.certificate.serial_hex);
  out->set_kind("operator");
  operators::Encode(issued.certificate.not_after, out->mutable_not_after());
  if (issued.revoked_at.has_value())
    operators::Encode(*issued.revoked_at, out->mutable_revoked_at());
  out->set_issuer(ToHex(issued.certificate.issuer_key_id));
}

// What is none of a host's is looked for among the operators' certificates. Those of others are an
// admin's alone: an operator does not shut admins out.
absl::Status RevokeOperator(const Call& call, const std::string& serial,
                            const revocation::OperatorsReason& reason,
                            v1::RevokeCredentialResponse* answer) {
  if ((call.caller.roles & kAdmin) == 0 && serial != call.caller.serial) {
    return NotPermitted(Reason::kRoleDenied,
                        absl::StrCat(Printable(serial, 64),
                                     " is no host's; operators' certificates, but for one's own, "
                                     "take the role admin"));
  }
  store::Store& store = call.backend.store;
  BG_ASSIGN_OR_RETURN(const bool changed,
                      revocation::RevokeOperator(
                          store, serial, {call.caller.actor, call.backend.clock.Now(), reason}));
  answer->set_changed(changed);
  BG_ASSIGN_OR_RETURN(const auto issued, revocation::FindOperator(store, serial));
  Encode(issued, answer->mutable_credential());
  return absl::OkStatus();
}

absl::Status RevokeCredential(const Call& call, const v1::RevokeCredentialRequest& request,
                              v1::RevokeCredentialResponse* answer) {
  BG_RETURN_IF_ERROR(fleet::CheckReason(request.reason()));
  BG_RETURN_IF_ERROR(fleet::CheckId("serial", request.serial()));
  const std::optional<pki::RevocationReason> code =
      pki::RevocationReasonFromName(request.code().empty() ? "unspecified" : request.code());
  if (!code.has_value()) {
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat("code: one of ", pki::RevocationReasonNames()));
  }
  absl::StatusOr<CredentialRow> row = call.backend.store.GetCredential(request.serial());
  if (absl::IsNotFound(row.status())) {
    return RevokeOperator(call, request.serial(), {*code, request.reason()}, answer);
  }
  BG_RETURN_IF_ERROR(row.status());
  if (!row->revoked) {
    BG_RETURN_IF_ERROR(Revoke(call, *row, *code, request.reason()));
    answer->set_changed(true);
    row = call.backend.store.GetCredential(request.serial());
    BG_RETURN_IF_ERROR(row.status());
  }
  Encode(*row, answer->mutable_credential());
  return absl::OkStatus();
}

constexpr Method kMethods[] = {
    {"bootgate.v1.CredentialService.ListCredentials", Unary<&ListCredentials>, nullptr},
    {"bootgate.v1.CredentialService.RevokeCredential", Unary<&RevokeCredential>, nullptr},
};

}  // namespace

std::span<const Method> CredentialMethods() { return kMethods; }

}  // namespace bootgate::gatekeeper::operators
