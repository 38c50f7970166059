#include "gatekeeper/host/move.h"

namespace bootgate::gatekeeper::host {
namespace {

Move Stay(Trust trust) { return {.next = trust, .may_issue = false, .effects = {}}; }

Move Trusted() {
  return {.next = Trust::kTrusted, .may_issue = true, .effects = {Effect::kIssueCredential}};
}

Move Released() {
  return {.next = Trust::kTrusted,
          .may_issue = true,
          .effects = {Effect::kIssueCredential, Effect::kNotifyRelease}};
}

Move Quarantined() {
  return {
      .next = Trust::kQuarantined,
      .may_issue = false,
      .effects = {Effect::kRevokeCredentials, Effect::kOpenIncident, Effect::kNotifyQuarantine}};
}

Move Held(Trust trust) {
  return {.next = trust, .may_issue = false, .effects = {Effect::kOpenIncident}};
}

// Without a mark of the bad boot nobody can say that this one is another: unknown means no.
Move AdmitRemediated(const HostRecord& host, const Judged& judged) {
  if (!host.quarantined_boot.has_value()) return Stay(Trust::kRemediated);
  if (!IsLaterBoot(*host.quarantined_boot, judged.boot)) return Stay(Trust::kRemediated);
  return Released();
}

Move OnAdmit(const HostRecord& host, const Judged& judged) {
  switch (host.trust) {
    case Trust::kPending:
    case Trust::kTrusted:
    case Trust::kRestricted:
      return Trusted();
    case Trust::kRemediated:
      return AdmitRemediated(host, judged);
    case Trust::kQuarantined:
    case Trust::kInvestigating:
    case Trust::kRetired:
    case Trust::kSuspect:
      return Stay(host.trust);
  }
  __builtin_unreachable();
}

// Of a host that is not shut out.
Move Failed(Trust now, const Judged& judged) {
  if (judged.action != Action::kIsolate)
    return now == Trust::kRestricted ? Stay(now) : Held(Trust::kRestricted);
  return judged.brake_holds ? Held(Trust::kSuspect) : Quarantined();
}

Move OnDeny(const HostRecord& host, const Judged& judged) {
  switch (host.trust) {
    case Trust::kPending:
    case Trust::kTrusted:
    case Trust::kRestricted:
      return Failed(host.trust, judged);
    case Trust::kRemediated:
      return Quarantined();
    case Trust::kQuarantined:
    case Trust::kInvestigating:
    case Trust::kRetired:
    case Trust::kSuspect:
      return Stay(host.trust);
  }
  __builtin_unreachable();
}

std::optional<Move> OnQuarantine(const HostRecord& host) {
  switch (host.trust) {
    case Trust::kPending:
    case Trust::kTrusted:
    case Trust::kRestricted:
    case Trust::kSuspect:
    case Trust::kRemediated:
      return Quarantined();
    case Trust::kQuarantined:
    case Trust::kInvestigating:
    case Trust::kRetired:
      return std::nullopt;
  }
  __builtin_unreachable();
}

std::optional<Move> OnReopen(const HostRecord& host) {
  if (host.trust == Trust::kInvestigating) return Stay(Trust::kQuarantined);
  if (host.trust != Trust::kRemediated) return std::nullopt;
  return Move{.next = Trust::kQuarantined,
              .may_issue = false,
              .effects = {Effect::kOpenIncident, Effect::kNotifyQuarantine}};
}

std::optional<Move> OnRetire(const HostRecord& host) {
  if (host.trust == Trust::kRetired) return std::nullopt;
  return Move{.next = Trust::kRetired, .may_issue = false, .effects = {Effect::kRevokeCredentials}};
}

// A mark of a bad boot outlives retirement: nobody is retired out of a quarantine.
std::optional<Move> OnReinstate(const HostRecord& host) {
  if (host.trust != Trust::kRetired) return std::nullopt;
  const bool was_shut_out = host.quarantined_boot.has_value() || !host.shut_out_by.empty();
  return Stay(was_shut_out ? Trust::kQuarantined : Trust::kPending);
}

std::optional<Move> From(Trust needed, const HostRecord& host, const Move& move) {
  if (host.trust != needed) return std::nullopt;
  return move;
}

// Whether it is remembered as having failed so that a later boot alone does not clear it.
bool KeepsItsMark(Trust trust) { return IsShutOut(trust) || trust == Trust::kSuspect; }

void MarkJudged(const Judged& judged, HostRecord* host) {
  const bool denied = judged.outcome == OutcomeClass::kDeny;
  const bool admitted = judged.outcome == OutcomeClass::kAdmit;
  if (!denied && !admitted) return;
  if (!KeepsItsMark(host->trust)) {
    host->quarantined_boot.reset();
    host->shut_out_by.clear();
  } else if (denied) {
    host->quarantined_boot = judged.bad_boot.value_or(judged.boot);
  } else if (judged.counted_anew || !host->quarantined_boot.has_value()) {
    host->quarantined_boot = judged.boot;
  }
}

void MarkAct(Act act, absl::string_view actor, HostRecord* host) {
  if (act == Act::kForgive) host->quarantined_boot.reset();
  if (act != Act::kQuarantine) return;
  host->shut_out_by = std::string(actor);
  if (host->last_boot.has_value()) host->quarantined_boot = host->last_boot;
}

}  // namespace

absl::string_view Name(Act act) {
  switch (act) {
    case Act::kQuarantine:
      return "quarantine";
    case Act::kInvestigate:
      return "investigate";
    case Act::kRelease:
      return "release";
    case Act::kReopen:
      return "reopen";
    case Act::kRetire:
      return "retire";
    case Act::kReinstate:
      return "reinstate";
    case Act::kConfirm:
      return "confirm";
    case Act::kForgive:
      return "forgive";
  }
  __builtin_unreachable();
}

Move NextMove(const HostRecord& host, const Judged& judged) {
  switch (judged.outcome) {
    case OutcomeClass::kAdmit:
      return OnAdmit(host, judged);
    case OutcomeClass::kDeny:
      return OnDeny(host, judged);
    case OutcomeClass::kReject:
    case OutcomeClass::kLimit:
    case OutcomeClass::kError:
      return Stay(host.trust);
  }
  __builtin_unreachable();
}

std::optional<Move> NextMove(const HostRecord& host, Act act) {
  switch (act) {
    case Act::kQuarantine:
      return OnQuarantine(host);
    case Act::kInvestigate:
      return From(Trust::kQuarantined, host, Stay(Trust::kInvestigating));
    case Act::kRelease:
      return From(Trust::kInvestigating, host, Stay(Trust::kRemediated));
    case Act::kReopen:
      return OnReopen(host);
    case Act::kRetire:
      return OnRetire(host);
    case Act::kReinstate:
      return OnReinstate(host);
    case Act::kConfirm:
      return From(Trust::kSuspect, host, Quarantined());
    case Act::kForgive:
      return From(Trust::kSuspect, host, Stay(Trust::kPending));
  }
  __builtin_unreachable();
}

std::optional<Move> NextMove(const HostRecord& host, const Event& event) {
  return std::visit([&](const auto& of) { return std::optional<Move>(NextMove(host, of)); }, event);
}

HostRecord After(const HostRecord& host, const Event& event, const Move& move,
                 absl::string_view actor, absl::Time now) {
  HostRecord next = host;
  if (next.trust != move.next) next.trust_since = now;
  next.trust = move.next;
  if (const auto* const judged = std::get_if<Judged>(&event)) {
    MarkJudged(*judged, &next);
  } else {
    MarkAct(std::get<Act>(event), actor, &next);
  }
  return next;
}

bool IsLaterBoot(const BootMark& before, const BootMark& boot) {
  return boot.reset_count > before.reset_count;
}

}  // namespace bootgate::gatekeeper::host
