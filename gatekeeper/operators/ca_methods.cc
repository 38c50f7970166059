// CaService.
#include "absl/strings/str_cat.h"
#include "bootgate/v1/admin.pb.h"
#include "common/base/log_problem.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/fleet/names.h"
#include "gatekeeper/issuing/ca_acts.h"
#include "gatekeeper/issuing/ca_taints.h"
#include "gatekeeper/operators/handler.h"
#include "gatekeeper/operators/host_codec.h"

namespace bootgate::gatekeeper::operators {
namespace {

using pki::CaRecord;

std::string Text(absl::string_view text) { return std::string(text.data(), text.size()); }

// The steps of a CA folder say what they refuse in words alone.
absl::Status WithCode(const absl::Status& status) {
  const bool is_request = absl::IsInvalidArgument(status);
  return ReasonOf(status).has_value()
             ? status
             : WithReason(status, is_request ? Reason::kMessageMalformed : Reason::kCa);
}

absl::Time TimeOf(const std::string& utc) {
  absl::Time out;
  return absl::ParseTime(absl::RFC3339_full, utc, &out, nullptr) ? out : absl::UnixEpoch();
}

void Encode(const pki::CaFolder& folder, const CaRecord& ca, v1::Ca* out) {
  out->set_id(ca.id);
  out->set_use(ca.kind == CaRecord::Kind::kRoot ? issuing::kUseRoot : NamesOf(ca.uses));
  out->set_state(Text(Name(ca.state)));
  out->set_key_holder(Text(Name(ca.key.kind)));
  const auto facts = issuing::FactsOf(folder, ca);
  if (!facts.has_value()) return;
  out->set_subject(facts->subject);
  out->set_key_id(facts->key_id);
  operators::Encode(TimeOf(facts->not_before), out->mutable_not_before());
  operators::Encode(TimeOf(facts->not_after), out->mutable_not_after());
  out->set_certificate_pem(facts->pem);
}

issuing::CaAct ActOf(const Call& call, const std::string& why) {
  const Backend& backend = call.backend;
  return {backend.store, backend.ca_folder, call.caller.actor, backend.clock.Now(), why};
}

// Takes the step over here and now, and tells what has become of the CA. The step stands, whatever
// is wrong with that.
absl::Status Finish(const Call& call, const CaRecord& ca, v1::Ca* out) {
  const Backend& backend = call.backend;
  absl::StatusOr<std::set<std::string>> tainted = issuing::TaintedCas(backend.store);
  LogProblem("CA taints", tainted.status());
  if (tainted.ok()) backend.authority.SetTainted(*std::move(tainted));
  const absl::StatusOr<pki::CaFolder> folder = pki::LoadCaFolder(backend.ca_folder);
  LogProblem("CA folder", folder.status());
  Encode(folder.ok() ? *folder : pki::CaFolder{.folder = backend.ca_folder}, ca, out);
  LogProblem("CA folder", backend.authority.Refresh(backend.clock.Now()));
  return absl::OkStatus();
}

absl::Status ListCas(const Call& call, const v1::ListCasRequest&, v1::ListCasResponse* answer) {
  const absl::StatusOr<pki::CaFolder> folder = pki::LoadCaFolder(call.backend.ca_folder);
  if (!folder.ok()) return WithCode(folder.status());
  for (const CaRecord& ca : folder->cas) Encode(*folder, ca, answer->add_cas());
  return absl::OkStatus();
}

absl::StatusOr<issuing::CaRotation> RotationOf(const Call& call,
                                               const v1::RotateCaRequest& request) {
  issuing::CaRotation rotation;
  if (!request.use().empty()) rotation.use = request.use();
  const bool root = rotation.use == issuing::kUseRoot;
  if (root) rotation.lifetime = issuing::kRootLifetime;
  if (request.lifetime_seconds() != 0)
    rotation.lifetime = absl::Seconds(request.lifetime_seconds());
  if (!root) return rotation;
  // A new root's key is locked as the present one's: nothing secret comes over the wire.
  BG_ASSIGN_OR_RETURN(const pki::CaFolder folder, pki::LoadCaFolder(call.backend.ca_folder));
  if (const CaRecord* const active = folder.ActiveRoot(); active != nullptr)
    rotation.root_secret = active->key.secret;
  return rotation;
}

absl::Status RotateCa(const Call& call, const v1::RotateCaRequest& request,
                      v1::RotateCaResponse* answer) {
  BG_RETURN_IF_ERROR(fleet::CheckText("reason", request.reason()));
  const absl::StatusOr<issuing::CaRotation> rotation = RotationOf(call, request);
  if (!rotation.ok()) return WithCode(rotation.status());
  const absl::StatusOr<pki::CaStep> step =
      issuing::RotateCa(ActOf(call, request.reason()), *rotation);
  if (!step.ok()) return WithCode(step.status());
  answer->set_next_step(issuing::NextStep(step->ca));
  return Finish(call, step->ca, answer->add_made());
}

absl::Status ActivateCa(const Call& call, const v1::ActivateCaRequest& request,
                        v1::ActivateCaResponse* answer) {
  BG_RETURN_IF_ERROR(fleet::CheckId("ca_id", request.ca_id()));
  BG_RETURN_IF_ERROR(request.force() ? fleet::CheckReason(request.reason())
                                     : fleet::CheckText("reason", request.reason()));
  const absl::StatusOr<issuing::Activated> active =
      issuing::ActivateCa(ActOf(call, request.reason()), request.ca_id(), request.force());
  if (!active.ok()) return WithCode(active.status());
  answer->set_replaced(active->step.replaced);
  return Finish(call, active->step.ca, answer->mutable_ca());
}

absl::Status TaintCa(const Call& call, const v1::TaintCaRequest& request,
                     v1::TaintCaResponse* answer) {
  BG_RETURN_IF_ERROR(fleet::CheckId("ca_id", request.ca_id()));
  BG_RETURN_IF_ERROR(fleet::CheckReason(request.reason()));
  const absl::StatusOr<issuing::Tainted> tainted =
      issuing::TaintCa(ActOf(call, request.reason()), request.ca_id());
  if (!tainted.ok()) return WithCode(tainted.status());
  answer->set_changed(tainted->changed);
  answer->set_replaced(tainted->step.replaced);
  for (const pki::CaUse use : tainted->unsigned_uses) answer->add_unsigned_uses(Text(Name(use)));
  return Finish(call, tainted->step.ca, answer->mutable_ca());
}

constexpr Method kMethods[] = {
    {"bootgate.v1.CaService.ListCas", Unary<&ListCas>, nullptr},
    {"bootgate.v1.CaService.RotateCa", Unary<&RotateCa>, nullptr},
    {"bootgate.v1.CaService.ActivateCa", Unary<&ActivateCa>, nullptr},
    {"bootgate.v1.CaService.TaintCa", Unary<&TaintCa>, nullptr},
};

}  // namespace

std::span<const Method> CaMethods() { return kMethods; }

}  // namespace bootgate::gatekeeper::operators
