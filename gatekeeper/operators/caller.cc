#include "gatekeeper/operators/caller.h"

#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/revocation/operator_certificates.h"
#include "pki/operator_certificate.h"

namespace bootgate::gatekeeper::operators {
namespace {

absl::Status NoOperator(absl::string_view why) {
  return NotAuthentic(Reason::kOperatorCertificate, why);
}

}  // namespace

Caller LocalCaller(const std::string& actor) {
  Caller out;
  out.actor = actor;
  constexpr absl::string_view kPrefix = "operator ";
  out.name = actor.substr(actor.rfind(kPrefix.data(), 0) == 0 ? kPrefix.size() : 0);
  out.roles = kEveryRole;
  for (const absl::string_view role : AllRoleNames()) out.role_names.emplace_back(role);
  return out;
}

absl::StatusOr<Caller> CallerOf(const grpc::ServerContextBase& context,
                                const pki::Authority& authority) {
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated())
    return NoOperator("this port wants an operator's certificate");
  const std::vector<grpc::string_ref> pem = auth->FindPropertyValues("x509_pem_cert");
  if (pem.size() != 1) return NoOperator("the client certificate cannot be read");
  const absl::string_view text(pem[0].data(), pem[0].size());
  const absl::StatusOr<pki::OperatorCertificate> certificate = pki::ReadOperatorCertificate(text);
  if (!certificate.ok()) return NoOperator(certificate.status().message());
  if (!authority.IsTainted(certificate->issuer_key_id) &&
      !authority.MayIssue(pki::CaUse::kOperators, certificate->issuer_key_id)) {
    return NoOperator("the client certificate is not of a CA for operators");
  }
  Caller out;
  BG_ASSIGN_OR_RETURN(out.certificate, pki::PemToDer(text));
  out.name = certificate->name;
  out.actor = audit::OperatorActor(certificate->name);
  out.roles = RolesFromNames(certificate->roles);
  out.role_names = certificate->roles;
  out.serial = certificate->serial_hex;
  out.issuer_key_id = certificate->issuer_key_id;
  out.not_after = certificate->not_after;
  return out;
}

absl::Status StillGood(const Caller& caller, const pki::Authority& authority, store::Store& store,
                       absl::Time now) {
  if (caller.serial.empty()) return absl::OkStatus();
  if (authority.IsTainted(caller.issuer_key_id)) {
    return NotAuthentic(Reason::kOperatorCertificate,
                        "the CA of the client certificate is not believed any more");
  }
  if (caller.not_after <= now) {
    return NoOperator(
        absl::StrCat("the client certificate expired at ", FormatUtc(caller.not_after)));
  }
  return revocation::CheckOperator(store, caller.serial, caller.certificate);
}

}  // namespace bootgate::gatekeeper::operators
