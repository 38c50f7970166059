#include "gatekeeper/quarantine/waivers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/rollout/selector.h"

namespace bootgate::gatekeeper::quarantine {
namespace {

constexpr size_t kIdBytes = 8;
constexpr size_t kMaxTitle = 80;  // bytes of the reason that name the document

absl::Status Bad(absl::string_view what) {
  return Refuse(absl::StatusCode::kInvalidArgument, Reason::kWaiver, what);
}

absl::Status CheckExpiry(absl::Time expires_at, absl::Time now, absl::Duration longest) {
  if (expires_at <= now)
    return Bad(absl::StrCat("expires_at: ", FormatUtc(expires_at), " is in the past"));
  if (expires_at <= now + longest) return absl::OkStatus();
  return Bad(absl::StrCat("expires_at: ", FormatUtc(expires_at), " is later than ",
                          FormatUtc(now + longest),
                          "; waivers.longest says for how long one may stand"));
}

// Written in the one way there is, so that two that say the same are the same.
absl::Status TakeSelector(Waiver* waiver) {
  absl::StatusOr<std::string> selector = rollout::ReadSelector(waiver->selector);
  if (!selector.ok()) return Bad(absl::StrCat("hosts: ", selector.status().message()));
  waiver->selector = *std::move(selector);
  return absl::OkStatus();
}

audit::Detail DetailOf(const Waiver& waiver) {
  std::vector<std::string> findings;
  for (const softening::WaivedFinding& finding : waiver.findings)
    findings.push_back(softening::Describe(finding));
  audit::Detail detail;
  detail.Texts("findings", findings);
  if (!waiver.hosts.empty()) detail.Texts("hosts", waiver.hosts);
  if (!waiver.selector.empty()) detail.Text("selector", waiver.selector);
  return detail.Text("owner", waiver.owner)
      .Text("reason", waiver.reason)
      .Text("expires", FormatUtc(waiver.expires_at));
}

using Texts = std::map<std::string, std::string>;  // by document id

absl::StatusOr<Texts> TextsOf(store::Store& store) {
  BG_ASSIGN_OR_RETURN(std::vector<store::DocumentRow> rows, store.ListDocuments(kWaiverKind));
  Texts texts;
  for (store::DocumentRow& row : rows) texts.emplace(row.id, std::move(row.text));
  return texts;
}

// Nothing: it cannot be read.
std::optional<Waiver> WaiverOf(const store::AssignmentRow& step, const Texts& texts) {
  const auto text = texts.find(step.document_id);
  if (text == texts.end()) return std::nullopt;  // added between the two reads: seen the next time
  absl::StatusOr<Waiver> waiver = softening::ReadWaiver(text->second);
  if (!waiver.ok()) {
    Log(LogLevel::kError, "a waiver cannot be read and has no effect",
        {{"waiver", step.selector}, {"text", std::string(waiver.status().message())}});
    return std::nullopt;
  }
  waiver->id = step.selector;
  return *std::move(waiver);
}

store::AssignmentRow StepOf(const std::string& id, store::Step step, const std::string& actor,
                            absl::Time now) {
  store::AssignmentRow row;
  row.kind = kWaiverKind;
  row.selector = id;
  row.author = actor;
  row.at = now;
  row.step = step;
  return row;
}

}  // namespace

absl::StatusOr<RecordedWaiver> AddWaiver(store::Store& store, Waiver waiver,
                                         const std::string& actor, absl::Time now,
                                         absl::Duration longest) {
  waiver.id = absl::StrCat("w-", crypto::RandomHex(kIdBytes));
  waiver.expires_at = absl::FromUnixSeconds(absl::ToUnixSeconds(waiver.expires_at));
  BG_RETURN_IF_ERROR(softening::CheckWaiver(waiver));
  BG_RETURN_IF_ERROR(TakeSelector(&waiver));
  BG_RETURN_IF_ERROR(CheckExpiry(waiver.expires_at, now, longest));
  const store::AuditRow audit =
      audit::MakeRow(now, actor, "waiver.add", waiver.id, DetailOf(waiver));
  const std::string text = softening::WaiverText(waiver);
  // What cannot be read again would be accepted here and help nobody.
  BG_RETURN_IF_ERROR(softening::ReadWaiver(text).status());
  store::AssignmentRow step = StepOf(waiver.id, store::Step::kEnforce, actor, now);
  step.document_id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(text)).hex();
  step.why = waiver.reason;
  store::Commit commit;
  commit.documents.push_back({.kind = kWaiverKind,
                              .id = step.document_id,
                              .name = Printable(waiver.reason, kMaxTitle),
                              .text = text,
                              .author = actor,
                              .created_at = now});
  commit.steps.push_back(step);
  commit.audit.push_back(audit);
  BG_RETURN_IF_ERROR(store.Apply(commit));
  return RecordedWaiver{
      .waiver = std::move(waiver), .author = actor, .at = now, .revoked = std::nullopt};
}

absl::StatusOr<std::vector<RecordedWaiver>> ListWaivers(store::Store& store) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> steps, store.ListSteps(kWaiverKind));
  BG_ASSIGN_OR_RETURN(const Texts texts, TextsOf(store));
  std::vector<RecordedWaiver> out;
  std::map<std::string, size_t> place;
  for (const store::AssignmentRow& step : steps) {
    if (step.step == store::Step::kEnforce) {
      std::optional<Waiver> waiver = WaiverOf(step, texts);
      if (!waiver.has_value()) continue;
      place[step.selector] = out.size();
      out.push_back({.waiver = *std::move(waiver),
                     .author = step.author,
                     .at = step.at,
                     .revoked = std::nullopt});
    } else if (const auto found = place.find(step.selector); found != place.end()) {
      out[found->second].revoked = Revocation{.by = step.author, .why = step.why, .at = step.at};
    }
  }
  std::ranges::reverse(out);
  return out;
}

absl::StatusOr<RecordedWaiver> ShowWaiver(store::Store& store, const std::string& id) {
  BG_ASSIGN_OR_RETURN(std::vector<RecordedWaiver> all, ListWaivers(store));
  const auto found = std::ranges::find_if(
      all, [&](const RecordedWaiver& recorded) { return recorded.waiver.id == id; });
  if (found != all.end()) return *std::move(found);
  return Refuse(absl::StatusCode::kNotFound, Reason::kWaiverUnknown,
                absl::StrCat("there is no waiver ", Printable(id, 64)));
}

absl::StatusOr<RecordedWaiver> RevokeWaiver(store::Store& store, const std::string& id,
                                            const std::string& why, const std::string& actor,
                                            absl::Time now) {
  if (absl::StripAsciiWhitespace(why).empty() || why.size() > softening::kMaxWaiverWords) {
    return absl::InvalidArgumentError(
        absl::StrCat("say why, in at most ", softening::kMaxWaiverWords, " bytes"));
  }
  BG_ASSIGN_OR_RETURN(RecordedWaiver recorded, ShowWaiver(store, id));
  if (recorded.revoked.has_value()) return recorded;
  store::AssignmentRow step = StepOf(id, store::Step::kEnd, actor, now);
  step.why = why;
  const store::AuditRow audit =
      audit::MakeRow(now, actor, "waiver.revoke", id, DetailOf(recorded.waiver).Text("why", why));
  BG_RETURN_IF_ERROR(store.Assign(step, audit));
  recorded.revoked = Revocation{.by = actor, .why = why, .at = now};
  return recorded;
}

bool IsFor(const Waiver& waiver, const host::HostRecord& host, absl::Time now) {
  if (now >= waiver.expires_at) return false;
  if (std::ranges::find(waiver.hosts, host.id) != waiver.hosts.end()) return true;
  return !waiver.selector.empty() && rollout::Fits(waiver.selector, host.labels);
}

std::vector<Waiver> WaiversFor(const std::vector<Waiver>& all, const host::HostRecord& host,
                               absl::Time now) {
  std::vector<Waiver> out;
  if (host.trust == host::Trust::kQuarantined || host.trust == host::Trust::kInvestigating)
    return out;
  for (const Waiver& waiver : all) {
    if (IsFor(waiver, host, now)) out.push_back(waiver);
  }
  return out;
}

absl::StatusOr<std::shared_ptr<const std::vector<Waiver>>> WaiverShelf::Current() {
  const std::lock_guard lock(mutex_);
  // Before what it stands for: a change between the two reads is seen the next time.
  BG_ASSIGN_OR_RETURN(const int64_t change, store_.ChangeCounter());
  if (current_ != nullptr && change == seen_change_) return current_;
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> standing,
                      store_.ListAssignments(kWaiverKind));
  std::vector<std::string> names;
  for (const store::AssignmentRow& row : standing)
    names.push_back(absl::StrCat(row.selector, " ", row.document_id));
  if (current_ == nullptr || names != seen_standing_) {
    BG_ASSIGN_OR_RETURN(current_, Read(standing));
    seen_standing_ = std::move(names);
  }
  seen_change_ = change;
  return current_;
}

absl::StatusOr<std::shared_ptr<const std::vector<Waiver>>> WaiverShelf::Read(
    const std::vector<store::AssignmentRow>& standing) const {
  auto out = std::make_shared<std::vector<Waiver>>();
  if (standing.empty()) return out;
  BG_ASSIGN_OR_RETURN(const Texts texts, TextsOf(store_));
  for (const store::AssignmentRow& row : standing) {
    std::optional<Waiver> waiver = WaiverOf(row, texts);
    if (waiver.has_value()) out->push_back(*std::move(waiver));
  }
  return out;
}

}  // namespace bootgate::gatekeeper::quarantine
