#include "gatekeeper/cli/approvals.h"

#include <istream>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/cli/eventlog_input.h"
#include "gatekeeper/rollout/selector.h"
#include "gatekeeper/sealing/approving_key.h"
#include "gatekeeper/sealing/boot_state.h"
#include "gatekeeper/sealing/next_state.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;
using sealing::Approval;
using sealing::RecordedApproval;

constexpr absl::Duration kLongest = absl::Hours(24 * 90);  // an approval is for a planned change
constexpr size_t kNamedHosts = 20;                         // of those that failed

struct Refused {
  std::string host;
  absl::Status why;
};

absl::StatusOr<absl::Time> ExpiryOf(const std::string& text, absl::Time now) {
  absl::Duration span;
  absl::Time at;
  int64_t days = 0;
  std::string error;
  if (text.size() > 1 && text.back() == 'd' &&
      absl::SimpleAtoi(text.substr(0, text.size() - 1), &days) && days > 0 && days < 1000) {
    at = now + days * absl::Hours(24);
  } else if (absl::ParseDuration(text, &span)) {
    at = now + span;
  } else if (!absl::ParseTime(absl::RFC3339_full, text, &at, &error)) {
    return absl::InvalidArgumentError("--expires: write 36h, 7d or 2026-12-01T00:00:00Z");
  }
  if (at <= now || at > now + kLongest) {
    return absl::InvalidArgumentError("--expires: a time to come, at most 90 days from now");
  }
  return absl::FromUnixSeconds(absl::ToUnixSeconds(at));
}

absl::StatusOr<sealing::PlannedChange> ChangeOf(const ApprovalCreateOptions& options,
                                                std::istream& in) {
  sealing::PlannedChange change;
  for (const std::string& text : options.replacements) {
    BG_ASSIGN_OR_RETURN(diagnosis::Replacement replacement, diagnosis::ParseReplacement(text));
    change.replacements.push_back(std::move(replacement));
  }
  if (!options.registers_file.empty()) {
    BG_ASSIGN_OR_RETURN(change.given, ReadRegistersFile(options.registers_file, in));
  }
  if (!change.replacements.empty() || !change.given.empty()) return change;
  return absl::InvalidArgumentError(
      "say what will change: --eventlog-replace EVENT=BANK:HEX or --registers FILE.json");
}

absl::StatusOr<std::vector<host::HostRecord>> HostsOf(const Operator& op,
                                                      const ApprovalCreateOptions& options) {
  if (options.host.empty() == !options.selector.has_value()) {
    return absl::InvalidArgumentError("name the hosts: --host HOST or --selector LABEL=VALUE");
  }
  std::vector<host::HostRecord> out;
  if (!options.host.empty()) {
    absl::StatusOr<host::HostRecord> host = op.store.GetHost(options.host);
    if (absl::IsNotFound(host.status())) {
      return absl::NotFoundError(absl::StrCat("there is no host ", Printable(options.host)));
    }
    BG_RETURN_IF_ERROR(host.status());
    out.push_back(*std::move(host));
    return out;
  }
  BG_ASSIGN_OR_RETURN(const std::string selector, rollout::ReadSelector(*options.selector));
  BG_ASSIGN_OR_RETURN(std::vector<host::HostRecord> hosts, op.store.ListHosts(nullptr));
  for (host::HostRecord& host : hosts) {
    if (host.trust != host::Trust::kRetired && rollout::Fits(selector, host.labels)) {
      out.push_back(std::move(host));
    }
  }
  if (!out.empty()) return out;
  return absl::NotFoundError(
      absl::StrCat("no host has the labels ", Printable(selector), "; `host list` shows them"));
}

// The state that this host will be in.
absl::StatusOr<Bytes> NextStateOf(const Operator& op, const sealing::Options& sealing,
                                  const sealing::PlannedChange& change,
                                  const host::HostRecord& host) {
  if (host.trust != host::Trust::kTrusted) {
    return absl::FailedPreconditionError(
        absl::StrCat("it is ", host::Name(host.trust), "; only trusted hosts get approvals"));
  }
  absl::StatusOr<sealing::BootState> state = sealing::LastBootState(op.store, host.id);
  if (absl::IsNotFound(state.status())) {
    return absl::FailedPreconditionError(
        "no secret of its outlives a boot, or it has not been admitted since there is one");
  }
  BG_RETURN_IF_ERROR(state.status());
  BG_ASSIGN_OR_RETURN(const std::vector<registers::RegisterBank> next,
                      sealing::NextRegisters(*state, change, sealing.selection));
  return sealing::StateOf(sealing, next);
}

absl::Status Keep(const Operator& op, const sealing::Options& sealing, const Approval& approval,
                  std::string* id) {
  BG_ASSIGN_OR_RETURN(const auto key, sealing::ApprovingKey(sealing.folder));
  store::DocumentRow document;
  document.kind = sealing::kApprovalKind;
  BG_ASSIGN_OR_RETURN(document.text, sealing::ToText(approval, *key));
  document.id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(document.text)).hex();
  document.name = *id = sealing::ApprovalId(document.id);
  document.author = op.actor;
  document.created_at = op.clock.Now();
  const audit::Detail detail = audit::Detail()
                                   .Text("reason", approval.reason)
                                   .Text("registers", registers::Format(approval.selection))
                                   .Text("expires", FormatUtc(approval.expires))
                                   .Number("hosts", static_cast<int64_t>(approval.states.size()));
  BG_RETURN_IF_ERROR(op.store.PutDocument(document, AuditOf(op, "approval.store", *id, detail)));
  store::AssignmentRow row;
  row.kind = sealing::kApprovalKind;
  row.selector = *id;
  row.document_id = document.id;
  row.author = op.actor;
  row.at = op.clock.Now();
  row.why = approval.reason;
  return op.store.Assign(row, AuditOf(op, "approval.create", *id, detail));
}

void PrintJson(const Operator& op, const ordered_json& json) {
  op.out << json.dump(2, ' ', false, ordered_json::error_handler_t::replace) << "\n";
}

void SayRefused(const Operator& op, const std::vector<Refused>& refused) {
  for (size_t i = 0; i < refused.size() && i < kNamedHosts; ++i) {
    op.err << "error: " << refused[i].host << ": " << Printable(refused[i].why.message(), 1024)
           << "\n";
  }
  if (refused.size() > kNamedHosts) {
    op.err << "error: and " << refused.size() - kNamedHosts << " more hosts\n";
  }
}

ExitCode ReportCreated(const Operator& op, const std::string& id, const Approval& approval,
                       const std::vector<Refused>& refused) {
  SayRefused(op, refused);
  if (op.format == OutputFormat::kJson) {
    ordered_json hosts = ordered_json::object();
    for (const auto& [host, state] : approval.states) hosts[host] = ToHex(state);
    ordered_json failed = ordered_json::object();
    for (const Refused& row : refused) failed[row.host] = std::string(row.why.message());
    PrintJson(op, {{"approval", id},
                   {"expires", FormatUtc(approval.expires)},
                   {"hosts", hosts},
                   {"refused", failed}});
  } else {
    op.out << "approval " << id << ": one more state for " << approval.states.size()
           << (approval.states.size() == 1 ? " host" : " hosts") << ", until "
           << FormatUtc(approval.expires) << "\n"
           << "each host gets it with its next attestation; change it after that\n";
  }
  return refused.empty() ? ExitCode::kSuccess : ExitCode::kPartial;
}

std::string StandingOf(const RecordedApproval& record, absl::Time now) {
  if (record.revoked) return "revoked";
  if (!record.approval.ok()) return std::string(Code(Reason::kSealApproval));
  return record.Stands(now) ? "stands" : "expired";
}

ordered_json ToJson(const RecordedApproval& record, absl::Time now) {
  ordered_json json{{"approval", record.id},
                    {"state", StandingOf(record, now)},
                    {"author", record.author},
                    {"since", FormatUtc(record.since)}};
  if (!record.approval.ok()) return json;
  json["expires"] = FormatUtc(record.approval->expires);
  json["registers"] = registers::Format(record.approval->selection);
  json["reason"] = record.approval->reason;
  json["hosts"] = record.approval->states.size();
  return json;
}

std::vector<std::string> RowOf(const RecordedApproval& record, absl::Time now) {
  if (!record.approval.ok()) {
    return {record.id, StandingOf(record, now), "-",
            "-",       record.author,           std::string(record.approval.status().message())};
  }
  return {record.id,
          StandingOf(record, now),
          FormatUtc(record.approval->expires),
          absl::StrCat(record.approval->states.size()),
          record.author,
          record.approval->reason};
}

const std::vector<std::string>& Heading() {
  static const auto* const heading =
      new std::vector<std::string>{"APPROVAL", "STATE", "EXPIRES", "HOSTS", "BY", "REASON"};
  return *heading;
}

absl::StatusOr<std::vector<RecordedApproval>> ReadAll(const Operator& op,
                                                      const sealing::Options& sealing) {
  BG_ASSIGN_OR_RETURN(const auto key, sealing::ApprovingKey(sealing.folder));
  std::map<std::string, absl::StatusOr<Approval>> known;
  return sealing::ReadApprovals(op.store, key->Public(), known);
}

absl::StatusOr<RecordedApproval> Find(const Operator& op, const sealing::Options& sealing,
                                      const std::string& id) {
  BG_ASSIGN_OR_RETURN(const std::vector<RecordedApproval> all, ReadAll(op, sealing));
  for (const RecordedApproval& record : all) {
    if (record.id == id) return record;
  }
  return absl::NotFoundError(
      absl::StrCat("there is no approval ", Printable(id), "; `approval list` shows them"));
}

absl::StatusOr<Approval> PlanOf(const Operator& op, const sealing::Options& sealing,
                                const ApprovalCreateOptions& options, std::istream& in,
                                std::vector<Refused>* refused) {
  if (options.reason.empty() || options.reason.size() > sealing::kMaxReason) {
    return absl::InvalidArgumentError("--reason: say in at most 512 bytes what is planned");
  }
  Approval approval{.selection = sealing::StateSelection(sealing), .reason = options.reason};
  BG_ASSIGN_OR_RETURN(approval.expires, ExpiryOf(options.expires, op.clock.Now()));
  BG_ASSIGN_OR_RETURN(const sealing::PlannedChange change, ChangeOf(options, in));
  BG_ASSIGN_OR_RETURN(const std::vector<host::HostRecord> hosts, HostsOf(op, options));
  for (const host::HostRecord& host : hosts) {
    absl::StatusOr<Bytes> state = NextStateOf(op, sealing, change, host);
    if (state.ok()) {
      approval.states.emplace(host.id, *std::move(state));
    } else {
      refused->push_back({host.id, state.status()});
    }
  }
  return approval;
}

}  // namespace

ExitCode ApprovalCreate(const Operator& op, const sealing::Options& sealing,
                        const ApprovalCreateOptions& options, std::istream& in) {
  std::vector<Refused> refused;
  const absl::StatusOr<Approval> approval = PlanOf(op, sealing, options, in, &refused);
  if (!approval.ok()) return Fail(op.err, approval.status());
  if (approval->states.empty()) {
    SayRefused(op, refused);
    op.err << "       nothing was approved\n";
    return ExitCodeFor(refused.front().why);
  }
  std::string id;
  const absl::Status kept = Keep(op, sealing, *approval, &id);
  if (!kept.ok()) return Fail(op.err, kept);
  return ReportCreated(op, id, *approval, refused);
}

ExitCode ApprovalList(const Operator& op, const sealing::Options& sealing) {
  const absl::StatusOr<std::vector<RecordedApproval>> all = ReadAll(op, sealing);
  if (!all.ok()) return Fail(op.err, all.status());
  ordered_json json = ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const RecordedApproval& record : *all) {
    json.push_back(ToJson(record, op.clock.Now()));
    rows.push_back(RowOf(record, op.clock.Now()));
  }
  if (op.format == OutputFormat::kJson) {
    PrintJson(op, json);
  } else if (rows.empty()) {
    op.out << "no state was approved in advance\n";
  } else {
    op.out << FormatTable(Heading(), rows);
  }
  return ExitCode::kSuccess;
}

ExitCode ApprovalShow(const Operator& op, const sealing::Options& sealing, const std::string& id) {
  const absl::StatusOr<RecordedApproval> record = Find(op, sealing, id);
  if (!record.ok()) return Fail(op.err, record.status());
  ordered_json json = ToJson(*record, op.clock.Now());
  json["states"] = ordered_json::object();
  if (record->approval.ok()) {
    for (const auto& [host, state] : record->approval->states) json["states"][host] = ToHex(state);
  }
  if (op.format == OutputFormat::kJson) {
    PrintJson(op, json);
    return ExitCode::kSuccess;
  }
  op.out << FormatTable(Heading(), {RowOf(*record, op.clock.Now())});
  if (!record->approval.ok()) return ExitCode::kSuccess;
  op.out << "registers: " << registers::Format(record->approval->selection) << "\n";
  for (const auto& [host, state] : record->approval->states) {
    op.out << "  " << Printable(host) << "  " << ToHex(state) << "\n";
  }
  return ExitCode::kSuccess;
}

ExitCode ApprovalRevoke(const Operator& op, const sealing::Options& sealing, const std::string& id,
                        const std::string& reason) {
  const absl::StatusOr<RecordedApproval> record = Find(op, sealing, id);
  if (!record.ok()) return Fail(op.err, record.status());
  if (record->revoked) {
    return Fail(op.err, absl::FailedPreconditionError(absl::StrCat(id, " is revoked already")));
  }
  store::AssignmentRow row;
  row.kind = sealing::kApprovalKind;
  row.selector = id;
  row.author = op.actor;
  row.at = op.clock.Now();
  row.step = store::Step::kEnd;
  row.why = reason;
  const absl::Status ended = op.store.Assign(
      row, AuditOf(op, "approval.revoke", id, audit::Detail().Text("reason", reason)));
  if (!ended.ok()) return Fail(op.err, ended);
  if (op.format == OutputFormat::kJson) {
    PrintJson(op, {{"approval", id}, {"state", "revoked"}});
  } else {
    op.out << "approval " << id
           << " is revoked; its hosts' secrets are sealed anew with their next "
           << "attestation, and do not open by it then\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
