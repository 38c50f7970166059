#include "gatekeeper/quarantine/brake.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/audit/row.h"

namespace bootgate::gatekeeper::quarantine {
namespace {

// When counting begins: with the window, or anew with a release within it. A release that the clock
// puts into the future is none to begin with.
absl::Time CountedSince(const BrakeOptions& options, const BrakeState& state, absl::Time now) {
  const absl::Time begin = now - options.window;
  if (state.engaged || state.step == 0 || state.since > now) return begin;
  return std::max(begin, state.since);
}

}  // namespace

absl::StatusOr<BrakeState> ReadBrake(store::Store& store) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> steps, store.ListSteps(kBrakeKind));
  BrakeState state;
  if (steps.empty()) return state;
  const store::AssignmentRow& last = steps.back();
  state.engaged = last.step == store::Step::kEnforce;
  state.since = last.at;
  state.why = last.why;
  state.by = last.author;
  state.step = last.sequence;
  return state;
}

absl::StatusOr<BrakeCount> CountFailures(store::Store& store, const BrakeOptions& options,
                                         const BrakeState& state, absl::Time now) {
  BrakeCount count;
  BG_ASSIGN_OR_RETURN(count.failed, store.CountMoves(host::Name(host::Trust::kQuarantined).data(),
                                                     CountedSince(options, state, now)));
  BG_ASSIGN_OR_RETURN(const auto hosts, store.CountHosts());
  const auto trusted = hosts.find(host::Trust::kTrusted);
  count.trusted = trusted == hosts.end() ? 0 : trusted->second;
  count.limit =
      std::max(options.least, (count.trusted + count.failed) * options.share_percent / 100);
  return count;
}

absl::StatusOr<Brake::Turn> Brake::Ask(const std::string& why, absl::Time now) {
  Turn turn;
  if (!options_.on) return turn;
  turn.lock_ = std::unique_lock(mutex_);
  BG_ASSIGN_OR_RETURN(BrakeState state, ReadBrake(store_));
  turn.holds_ = state.engaged;
  if (!state.engaged) {
    BG_ASSIGN_OR_RETURN(const BrakeCount count, CountFailures(store_, options_, state, now));
    if (count.failed >= count.limit) {
      BG_RETURN_IF_ERROR(Engage(state, count, why, now));
      BG_ASSIGN_OR_RETURN(state, ReadBrake(store_));
      turn.holds_ = true;
    }
  }
  turn.seen_ = {.kind = kBrakeKind, .newest = state.step};
  if (turn.holds_) turn.lock_.unlock();  // whoever is held does not count
  return turn;
}

// When another process was faster, it holds all the same.
absl::Status Brake::Engage(const BrakeState& state, const BrakeCount& count, const std::string& why,
                           absl::Time now) {
  const std::string told =
      absl::StrCat(count.failed, " hosts failed within ", absl::FormatDuration(options_.window),
                   ", as many as may (", count.limit, " of ", count.trusted + count.failed,
                   " trusted ones); then: ", why);
  const std::string text = absl::StrCat(FormatUtc(now), " ", told);
  const store::AuditRow audit =
      audit::MakeRow(now, audit::kGatekeeperActor, "brake.engage", kBrakeKind,
                     audit::Detail()
                         .Number("failed", count.failed)
                         .Number("trusted", count.trusted)
                         .Number("limit", count.limit)
                         .Text("why", why));
  store::AssignmentRow step;
  step.kind = kBrakeKind;
  step.document_id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(text)).hex();
  step.author = std::string(audit::kGatekeeperActor);
  step.at = now;
  step.why = told;
  store::Commit commit;
  commit.documents.push_back({.kind = kBrakeKind,
                              .id = step.document_id,
                              .name = kEngaged,
                              .text = text,
                              .author = step.author,
                              .created_at = now});
  commit.step_seen = {.kind = kBrakeKind, .newest = state.step};
  commit.steps.push_back(step);
  commit.changes.push_back(
      {.at = now, .kind = kBrakeKind, .before = kReleased, .after = kEngaged, .why = told});
  commit.audit.push_back(audit);
  const absl::Status engaged = store_.Apply(commit);
  if (absl::IsAborted(engaged)) return absl::OkStatus();
  BG_RETURN_IF_ERROR(engaged);
  Log(LogLevel::kError, "the mass-failure brake holds",
      {{"text", told}, {"way_out", "find the common cause; then: brake release"}});
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::quarantine
