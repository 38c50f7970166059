#include "gatekeeper/cli/host_changes.h"

#include <functional>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::cli {
namespace {

using host::HostRecord;
using host::Trust;

constexpr int kTries = 5;           // a verb may race with the running gatekeeper
constexpr size_t kMaxWords = 1024;  // bytes of a reason

absl::Status NotNow(Reason reason, absl::string_view text) {
  return Refuse(absl::StatusCode::kFailedPrecondition, reason, text);
}

absl::Status CheckWords(const HostChange& change) {
  if (absl::StripAsciiWhitespace(change.reason).empty())
    return absl::InvalidArgumentError("--reason: say why, it stays in the audit trail");
  if (change.reason.size() > kMaxWords || change.ticket.size() > kMaxWords) {
    return absl::InvalidArgumentError(
        absl::StrCat("--reason, --ticket: at most ", kMaxWords, " bytes each"));
  }
  return absl::OkStatus();
}

// A record's change; false: there is nothing to do.
using Edit = std::function<absl::StatusOr<bool>(HostRecord&, store::Commit&)>;

struct Written {
  HostRecord host;
  bool changed = false;
};

audit::Detail WordsOf(const HostChange& change) {
  audit::Detail detail;
  detail.Text("reason", change.reason);
  if (!change.ticket.empty()) detail.Text("ticket", change.ticket);
  return detail;
}

// Reads, edits and writes one record, with its audit row; again when somebody else was faster.
absl::StatusOr<Written> Change(const Operator& op, const std::string& id, absl::string_view action,
                               audit::Detail detail, const Edit& edit) {
  absl::Status status;
  for (int i = 0; i < kTries; ++i) {
    BG_ASSIGN_OR_RETURN(const HostRecord before, op.store.GetHost(id));
    store::Commit commit;
    HostRecord after = before;
    BG_ASSIGN_OR_RETURN(const bool changed, edit(after, commit));
    if (!changed) return Written{before, false};
    audit::Detail whole = detail;
    whole.Object("before", audit::StateOf(before)).Object("after", audit::StateOf(after));
    commit.host = after;
    commit.audit.push_back(AuditOf(op, action, id, whole));
    status = op.store.Apply(commit);
    if (status.ok()) return Written{after, true};
    if (!absl::IsAborted(status)) return status;
  }
  return status;
}

void Retire(HostRecord& host, store::Commit& commit, absl::Time now) {
  host.trust = Trust::kRetired;
  host.trust_since = now;
  host.approved = false;
  host.ima_cursor.reset();
  commit.revoke_host_credentials = true;
  commit.revoke_ek_certificates = true;
  store::EffectRow revoked;
  revoked.kind = std::string(host::Name(host::Effect::kRevokeCredentials));
  revoked.host_id = host.id;
  revoked.verdict_id = host.last_verdict_id;
  commit.effects.push_back(revoked);
}

// Also of a host that was retired while it was shut out.
bool IsShutOutOrWas(const HostRecord& host) {
  return host::IsShutOut(host.trust) ||
         (host.trust == Trust::kRetired &&
          (host.quarantined_boot.has_value() || !host.shut_out_by.empty()));
}

absl::Status StillShutOut(const HostRecord& old) {
  return NotNow(Reason::kQuarantined,
                absl::StrCat(old.id, " is ", host::Name(old.trust), " (",
                             old.why.empty() ? "no reason kept" : Printable(old.why),
                             "): a new TPM is no way out of that. Bring its incident to an end "
                             "first, or take the new machine in as a host of its own: host "
                             "approve"));
}

absl::Status CheckOld(const HostRecord& old, const std::string& new_id) {
  if (!old.replaced_by.empty() && old.replaced_by != new_id) {
    return NotNow(Reason::kHostRetired,
                  absl::StrCat(old.id, " was replaced by ", old.replaced_by, " already"));
  }
  if (IsShutOutOrWas(old)) return StillShutOut(old);
  return absl::OkStatus();
}

absl::Status CheckNew(const HostRecord& fresh, const std::string& old_id) {
  if (!fresh.replaces.empty() && fresh.replaces != old_id) {
    return NotNow(Reason::kHostIdBound,
                  absl::StrCat(fresh.id, " replaces ", fresh.replaces, " already"));
  }
  if (fresh.trust == Trust::kRetired)
    return NotNow(Reason::kHostRetired, absl::StrCat(fresh.id, " is retired"));
  if (IsShutOutOrWas(fresh)) {
    return NotNow(Reason::kQuarantined,
                  absl::StrCat(fresh.id, " is ", host::Name(fresh.trust), " itself"));
  }
  return absl::OkStatus();
}

// What one change of a record says in the audit trail.
store::AuditRow SwapRow(const Operator& op, const HostChange& change, absl::string_view link,
                        const HostRecord& other, const HostRecord& before,
                        const HostRecord& after) {
  audit::Detail detail = WordsOf(change);
  detail.Text(link, other.id)
      .Object("before", audit::StateOf(before))
      .Object("after", audit::StateOf(after));
  return AuditOf(op, "host.swap-tpm", after.id, detail);
}

bool IsRetiredFor(const HostRecord& old, const std::string& new_id) {
  return old.replaced_by == new_id && old.trust == Trust::kRetired;
}

// Both records in one commit, and what was revoked. A swap that an earlier release left half done
// is finished.
absl::StatusOr<Written> SwapOnce(const Operator& op, const HostChange& change,
                                 const std::string& new_id) {
  BG_ASSIGN_OR_RETURN(const HostRecord old, op.store.GetHost(change.host_id));
  BG_ASSIGN_OR_RETURN(const HostRecord fresh, op.store.GetHost(new_id));
  BG_RETURN_IF_ERROR(CheckOld(old, new_id));
  BG_RETURN_IF_ERROR(CheckNew(fresh, old.id));
  store::Commit commit;
  if (!IsRetiredFor(old, new_id)) {
    commit.host = old;
    commit.host->replaced_by = new_id;
    Retire(*commit.host, commit, op.clock.Now());
    commit.audit.push_back(SwapRow(op, change, "replaced_by", fresh, old, *commit.host));
  }
  if (fresh.replaces != old.id) {
    HostRecord after = fresh;
    after.replaces = old.id;
    after.approved = true;
    for (const auto& [name, value] : old.labels) after.labels[name] = value;
    commit.audit.push_back(SwapRow(op, change, "replaces", old, fresh, after));
    commit.other_host = std::move(after);
  }
  if (commit.audit.empty()) return Written{fresh, false};
  BG_RETURN_IF_ERROR(op.store.Apply(commit));
  return Written{commit.other_host.value_or(fresh), commit.other_host.has_value()};
}

absl::StatusOr<Written> Swap(const Operator& op, const HostChange& change,
                             const std::string& new_id) {
  if (change.host_id == new_id) {
    return absl::InvalidArgumentError("OLD and NEW are the same host");
  }
  absl::StatusOr<Written> done = absl::AbortedError("");
  for (int i = 0; i < kTries && absl::IsAborted(done.status()); ++i) {
    done = SwapOnce(op, change, new_id);
  }
  return done;
}

ExitCode Tell(const Operator& op, const HostRecord& host, bool changed, absl::string_view told,
              absl::string_view unchanged) {
  if (op.format == OutputFormat::kJson) {
    const nlohmann::ordered_json out = {
        {"host", host.id},           {"trust", std::string(host::Name(host.trust))},
        {"approved", host.approved}, {"labels", host.labels},
        {"replaces", host.replaces}, {"replaced_by", host.replaced_by},
        {"changed", changed}};
    op.out << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    op.out << host.id << " " << (changed ? told : unchanged) << "\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace

ExitCode HostRetire(const Operator& op, const HostChange& change) {
  if (const absl::Status words = CheckWords(change); !words.ok()) return Fail(op.err, words);
  const absl::StatusOr<Written> done =
      Change(op, change.host_id, "host.retire", WordsOf(change),
             [&](HostRecord& host, store::Commit& commit) -> absl::StatusOr<bool> {
               if (host.trust == Trust::kRetired) return false;
               Retire(host, commit, op.clock.Now());
               return true;
             });
  if (!done.ok()) return Fail(op.err, done.status());
  return Tell(op, done->host, done->changed, "retired; its credentials are revoked",
              "was retired before");
}

ExitCode HostReinstate(const Operator& op, const HostChange& change) {
  if (const absl::Status words = CheckWords(change); !words.ok()) return Fail(op.err, words);
  const absl::StatusOr<Written> done =
      Change(op, change.host_id, "host.reinstate", WordsOf(change),
             [&](HostRecord& host, store::Commit&) -> absl::StatusOr<bool> {
               if (host.trust != Trust::kRetired) return false;
               if (!host.replaced_by.empty()) {
                 return NotNow(Reason::kHostRetired,
                               absl::StrCat(host.id, "'s TPM was replaced: the machine is ",
                                            host.replaced_by, " now"));
               }
               host.trust = IsShutOutOrWas(host) ? Trust::kQuarantined : Trust::kPending;
               host.trust_since = op.clock.Now();
               return true;
             });
  if (!done.ok()) return Fail(op.err, done.status());
  return Tell(op, done->host, done->changed,
              done->host.trust == Trust::kQuarantined
                  ? "is quarantined again, as it was when it was retired"
                  : "is pending: let it join again, then host approve",
              "is not retired; nothing changed");
}

ExitCode HostSwapTpm(const Operator& op, const HostChange& change, const std::string& new_id) {
  if (const absl::Status words = CheckWords(change); !words.ok()) return Fail(op.err, words);
  const absl::StatusOr<Written> done = Swap(op, change, new_id);
  if (!done.ok()) return Fail(op.err, done.status());
  return Tell(op, done->host, done->changed,
              absl::StrCat("replaces ", change.host_id,
                           ", which is retired; it is approved and admitted when its evidence is "
                           "good"),
              absl::StrCat("replaced ", change.host_id, " before"));
}

ExitCode HostAcceptClear(const Operator& op, const HostChange& change) {
  if (const absl::Status words = CheckWords(change); !words.ok()) return Fail(op.err, words);
  const absl::Time now = op.clock.Now();
  const absl::StatusOr<Written> done =
      Change(op, change.host_id, "host.accept-clear",
             WordsOf(change).Text("until", FormatUtc(now + host::kClearAccepted)),
             [&](HostRecord& host, store::Commit&) -> absl::StatusOr<bool> {
               if (host.trust == Trust::kRetired)
                 return NotNow(Reason::kHostRetired, absl::StrCat(host.id, " is retired"));
               if (!host.last_boot.has_value()) {
                 return absl::FailedPreconditionError(absl::StrCat(
                     host.id, " has never sent evidence: there are no counters to start anew"));
               }
               host.tpm_history = host::WithClearAccepted(host.tpm_history, now);
               return true;
             });
  if (!done.ok()) return Fail(op.err, done.status());
  return Tell(op, done->host, done->changed,
              absl::StrCat("may start its TPM's counters anew once, until ",
                           FormatUtc(now + host::kClearAccepted)),
              "is as it was");
}

}  // namespace bootgate::gatekeeper::cli
