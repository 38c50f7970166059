#include "gatekeeper/operators/host_codec.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "bootgate/v1/fleet.pb.h"
#include "bootgate/v1/quarantine.pb.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/advisories/firmware_advisories.h"
#include "gatekeeper/operators/messages.h"

namespace bootgate::gatekeeper::operators {
namespace {

using host::Trust;

struct TrustRow {
  Trust trust;
  v1::TrustState state;
};
constexpr TrustRow kTrusts[] = {
    {Trust::kPending, v1::TRUST_STATE_PENDING},
    {Trust::kTrusted, v1::TRUST_STATE_TRUSTED},
    {Trust::kQuarantined, v1::TRUST_STATE_QUARANTINED},
    {Trust::kInvestigating, v1::TRUST_STATE_INVESTIGATING},
    {Trust::kRemediated, v1::TRUST_STATE_REMEDIATED},
    {Trust::kRetired, v1::TRUST_STATE_RETIRED},
    {Trust::kRestricted, v1::TRUST_STATE_RESTRICTED},
    {Trust::kSuspect, v1::TRUST_STATE_SUSPECT},
};

constexpr int64_t kMaxTimestamp = 253402300799;  // seconds: the end of the year 9999

std::string Sha256Hex(ByteView bytes) {
  return bytes.empty() ? "" : crypto::Hash(crypto::HashAlg::kSha256, bytes).hex();
}

void EncodeTpm(const host::HostRecord& host, const fleet::Timing& timing, v1::Tpm* out) {
  out->set_manufacturer(Printable(host.tpm.manufacturer));
  out->set_model(Printable(host.tpm.model));
  out->set_version(Printable(host.tpm.version));
  out->set_firmware(host.tpm.firmware);
  out->set_ek_trust(Printable(host.ek_trust));
  out->set_assurance(host.assurance);
  for (const std::string& tolerance : host.tolerances) out->add_tolerances(Printable(tolerance));
  if (host.tpm.firmware != 0) {
    out->set_firmware_text(advisories::FirmwareVersionText(host.tpm.firmware));
  }
  if (host.tpm_history.second_line.has_value()) {
    out->set_second_line(absl::StrCat(host::Describe(host.tpm_history.second_line->boot),
                                      ", last heard ",
                                      FormatUtc(host.tpm_history.second_line->seen_at)));
  }
  out->set_clone_suspected(host.tpm_history.clone_suspected);
  const auto& until = host.tpm_history.clear_accepted_until;
  out->set_clear_accepted(until.has_value() && *until > timing.now);
}

void EncodeTold(const host::HostRecord& host, v1::Host* out) {
  out->set_hostname(Printable(host.hostname));
  out->set_kernel_release(Printable(host.kernel_release));
  out->set_os_release(Printable(host.os_release));
  out->set_agent_version(Printable(host.agent_version));
}

void EncodeVerdict(const host::HostRecord& host, v1::Host* out) {
  if (host.last_outcome == "ADMIT") out->set_last_outcome(v1::OUTCOME_ADMIT);
  if (host.last_outcome == "DENY") out->set_last_outcome(v1::OUTCOME_DENY);
  out->set_last_verdict_id(host.last_verdict_id);
  for (const std::string& reason : host.reasons) out->add_reasons(Printable(reason));
  out->set_why(Printable(host.why));
  out->set_incident_id(host.incident_id);
  out->set_shut_out_by(Printable(host.shut_out_by));
}

void EncodeLabels(const host::HostRecord& host,
                  google::protobuf::Map<std::string, std::string>* out) {
  // Of old, labels were held to no grammar.
  for (const auto& [name, value] : host.labels) (*out)[Printable(name)] = Printable(value);
}

}  // namespace

void Encode(absl::Time time, google::protobuf::Timestamp* out) {
  const int64_t seconds = absl::ToUnixSeconds(time);
  out->set_seconds(std::clamp<int64_t>(seconds, 0, kMaxTimestamp));
  if (seconds >= 0 && seconds <= kMaxTimestamp) {
    out->set_nanos(
        static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  }
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(std::clamp<int64_t>(time.seconds(), 0, kMaxTimestamp)) +
         absl::Nanoseconds(time.nanos());
}

int Encode(Trust trust) {
  for (const TrustRow& row : kTrusts)
    if (row.trust == trust) return row.state;
  return v1::TRUST_STATE_UNSPECIFIED;
}

int TrustStateFromName(absl::string_view name) {
  const std::optional<Trust> trust = host::TrustFromName(name);
  return trust.has_value() ? Encode(*trust) : v1::TRUST_STATE_UNSPECIFIED;
}

absl::StatusOr<Trust> TrustFrom(int trust_state) {
  for (const TrustRow& row : kTrusts)
    if (row.state == trust_state) return row.trust;
  return Malformed(Reason::kMessageMalformed,
                   absl::StrCat("there is no state of trust with the number ", trust_state));
}

void Encode(const host::BootMark& boot, v1::BootCounters* out) {
  out->set_reset_count(boot.reset_count);
  out->set_restart_count(boot.restart_count);
  out->set_clock_ms(boot.clock_ms);
}

void Encode(const host::HostRecord& host, const fleet::Timing& timing, v1::Host* out) {
  out->set_id(host.id);
  out->set_revision(host.revision);
  out->set_trust(static_cast<v1::TrustState>(Encode(host.trust)));
  Encode(host.trust_since, out->mutable_trust_since());
  out->set_approved(host.approved);
  EncodeLabels(host, out->mutable_labels());
  EncodeTold(host, out);
  out->set_own_ek_certificate(!host.own_ek_certificate.empty());
  if (!host.ak_certificate.empty()) {
    Encode(host.ak_certificate_until, out->mutable_ak_certificate_until());
  }
  Encode(host.enrolled_at, out->mutable_enrolled_at());
  if (host.last_seen_at > absl::UnixEpoch()) Encode(host.last_seen_at, out->mutable_last_seen_at());
  out->set_overdue(fleet::IsOverdue(host, timing));
  EncodeVerdict(host, out);
  out->set_replaces(host.replaces);
  out->set_replaced_by(host.replaced_by);
  EncodeTpm(host, timing, out->mutable_tpm());
  if (host.last_boot.has_value()) Encode(*host.last_boot, out->mutable_last_boot());
  if (host.quarantined_boot.has_value())
    Encode(*host.quarantined_boot, out->mutable_quarantined_boot());
  out->set_ek_name_sha256(Sha256Hex(host.ek_public));
  out->set_ek_certificate_sha256(Sha256Hex(host.ek_certificate));
}

void Encode(const host::HostRecord& host, v1::QuarantineEntry* out) {
  out->set_host_id(host.id);
  out->set_trust(static_cast<v1::TrustState>(Encode(host.trust)));
  out->set_shut_out(host::IsShutOut(host.trust));
  Encode(host.trust_since, out->mutable_since());
  out->set_hostname(Printable(host.hostname));
  EncodeLabels(host, out->mutable_labels());
  for (const std::string& reason : host.reasons) out->add_reasons(Printable(reason));
  out->set_why(Printable(host.why));
  out->set_incident_id(host.incident_id);
  out->set_shut_out_by(Printable(host.shut_out_by));
  out->set_verdict_id(host.last_verdict_id);
  out->set_revision(host.revision);
}

void Encode(const fleet::Changed& changed, v1::HostResult* out) {
  out->set_host_id(changed.host.id);
  out->set_changed(changed.changed);
  out->set_trust(static_cast<v1::TrustState>(Encode(changed.host.trust)));
  out->set_revision(changed.host.revision);
}

absl::Status ForEachHost(const Targets& targets, const PerHost& work, const AddResult& add) {
  const std::vector<std::string>& ids = targets.host_ids;
  if (ids.empty()) return Malformed(Reason::kMessageMalformed, "host_ids: name a host");
  if (ids.size() > 1 && targets.act.expected_revision != 0) {
    return Malformed(Reason::kMessageMalformed,
                     "expected_revision: is of one host, not of several");
  }
  for (const std::string& id : ids) {
    const absl::StatusOr<fleet::Changed> changed = work(id, targets.act);
    if (!changed.ok() && ids.size() == 1) return changed.status();
    v1::HostResult* const result = add();
    if (changed.ok()) {
      Encode(*changed, result);
      continue;
    }
    result->set_host_id(id);
    v1::CallError* const error = result->mutable_error();
    const Reason reason = ReasonOf(changed.status()).value_or(Reason::kInternal);
    error->set_code(static_cast<int>(changed.status().code()));
    error->set_reason(std::string(Code(reason)));
    // Of our own faults the caller learns what the code means, as with a whole call.
    const bool ours = Info(reason).outcome == OutcomeClass::kError;
    error->set_message(ours ? std::string(Info(reason).meaning)
                            : std::string(changed.status().message()));
  }
  return absl::OkStatus();
}

fleet::Act ActOf(const Call& call, const Message& request) {
  fleet::Act act;
  act.actor = call.caller.actor;
  act.now = call.backend.clock.Now();
  act.reason = TextField(request, "reason");
  act.ticket = TextField(request, "ticket");
  act.run = FlagField(request, "dry_run") ? fleet::Run::kDry : fleet::Run::kReally;
  const auto* const revision = request.GetDescriptor()->FindFieldByName("expected_revision");
  if (revision != nullptr)
    act.expected_revision = request.GetReflection()->GetUInt64(request, revision);
  return act;
}

}  // namespace bootgate::gatekeeper::operators
