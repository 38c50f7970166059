#include "gatekeeper/client/hosts.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "bootgate/v1/admin.pb.h"
#include "bootgate/v1/fleet.pb.h"
#include "common/base/status_macros.h"
#include "gatekeeper/client/detail.h"
#include "gatekeeper/client/words.h"

namespace bootgate::gatekeeper::client {
namespace {

using cli::OrDash;

std::string StateText(const v1::Host& host) {
  const std::string state = Word(*v1::TrustState_descriptor(), host.trust());
  const bool waits = host.trust() == v1::TRUST_STATE_PENDING && !host.approved();
  return waits ? state + " (not approved)" : state;
}

std::string LabelText(const v1::Host& host) {
  const std::map<std::string, std::string> sorted(host.labels().begin(), host.labels().end());
  return absl::StrJoin(sorted, ",", absl::PairFormatter("="));
}

std::string BootText(bool known, const v1::BootCounters& boot) {
  if (!known) return "-";
  return absl::StrCat("reset ", boot.reset_count(), ", restart ", boot.restart_count(), ", clock ",
                      boot.clock_ms(), " ms");
}

std::string TpmText(const v1::Tpm& tpm) {
  if (tpm.manufacturer().empty()) return "-";
  return absl::StrCat(tpm.manufacturer(), ", ", tpm.model(), ", ", tpm.version());
}

std::string EkCertificateText(const v1::Host& host) {
  if (host.own_ek_certificate()) return "ours";
  return host.ek_certificate_sha256().empty() ? "none" : "of the vendor";
}

void PrintHost(const v1::Host& host, std::ostream& out) {
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"host", host.id()},
      {"state", StateText(host)},
      {"since", TimeText(host.trust_since())},
      {"why", OrDash(host.why())},
      {"reasons", OrDash(absl::StrJoin(host.reasons(), ", "))},
      {"incident", OrDash(host.incident_id())},
      {"hostname", OrDash(host.hostname())},
      {"kernel", OrDash(host.kernel_release())},
      {"system", OrDash(host.os_release())},
      {"agent", OrDash(host.agent_version())},
      {"labels", OrDash(LabelText(host))},
      {"EK believed by", OrDash(host.tpm().ek_trust())},
      {"assurance", OrDash(host.tpm().assurance())},
      {"tolerances", OrDash(absl::StrJoin(host.tpm().tolerances(), "; "))},
      {"TPM", TpmText(host.tpm())},
      {"TPM firmware", OrDash(host.tpm().firmware_text())},
      {"EK certificate", EkCertificateText(host)},
      {"AK certificate until", TimeText(host.ak_certificate_until())},
      {"enrolled", TimeText(host.enrolled_at())},
      {"last seen",
       absl::StrCat(TimeText(host.last_seen_at()), host.overdue() ? " (overdue)" : "")},
      {"last outcome", OrDash(Word(*v1::Outcome_descriptor(), host.last_outcome()))},
      {"last verdict", OrDash(host.last_verdict_id())},
      {"last boot", BootText(host.has_last_boot(), host.last_boot())}};
  if (host.has_quarantined_boot()) {
    pairs.emplace_back("bad boot", BootText(true, host.quarantined_boot()));
  }
  if (!host.tpm().second_line().empty()) {
    pairs.emplace_back(
        "second line",
        host.tpm().second_line() + (host.tpm().clone_suspected() ? ": a second machine" : ""));
  }
  if (host.tpm().clear_accepted()) pairs.emplace_back("clear of its TPM", "accepted, once");
  if (!host.report().empty()) pairs.emplace_back("report only", host.report());
  if (!host.shut_out_by().empty()) pairs.emplace_back("cut off by", host.shut_out_by());
  if (!host.replaces().empty()) pairs.emplace_back("replaces", host.replaces());
  if (!host.replaced_by().empty()) pairs.emplace_back("replaced by", host.replaced_by());
  pairs.emplace_back("revision", absl::StrCat(host.revision()));
  out << cli::FormatPairs(pairs);
}

void PrintCredentials(const v1::ListCredentialsResponse& all, std::ostream& out) {
  if (all.credentials().empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const v1::Credential& row : all.credentials()) {
    rows.push_back({row.serial(), row.kind(), OrDash(row.profile()), TimeText(row.not_after()),
                    row.has_revoked_at() ? "revoked" : "valid"});
  }
  out << "\n" << cli::FormatTable({"CREDENTIAL", "KIND", "PROFILE", "NOT AFTER", "STATE"}, rows);
}

absl::StatusOr<v1::Host> Get(Api& api, const std::string& host_id) {
  v1::GetHostRequest request;
  v1::GetHostResponse answer;
  request.set_host_id(host_id);
  BG_RETURN_IF_ERROR(api.Call("HostService/GetHost", request, answer));
  return answer.host();
}

absl::Status AddFilter(const HostListOptions& options, v1::HostFilter* filter) {
  for (const std::string& word : options.states) {
    BG_ASSIGN_OR_RETURN(const int state, Value(*v1::TrustState_descriptor(), word));
    filter->add_trusts(static_cast<v1::TrustState>(state));
  }
  filter->set_selector(options.selector);
  filter->set_hostname_contains(options.name);
  filter->set_reason(options.reason);
  if (options.overdue) filter->set_overdue(true);
  if (options.waiting) filter->set_approved(false);
  return absl::OkStatus();
}

// "name=value" sets, "name-" removes.
absl::Status AddLabels(const HostLabelOptions& options, v1::SetLabelsRequest* request) {
  for (const std::string& text : options.labels) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
    absl::string_view name = parts.first;
    if (absl::StrContains(text, "=")) {
      (*request->mutable_set())[parts.first] = parts.second;
    } else if (absl::ConsumeSuffix(&name, "-") && !name.empty()) {
      request->add_remove(std::string(name));
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("'", text, "': write NAME=VALUE to set a label, NAME- to take it away"));
    }
  }
  return absl::OkStatus();
}

template <typename Request>
ExitCode Act(const Console& console, absl::string_view method, const HostActOptions& options,
             const std::string& done) {
  Request request;
  request.set_reason(options.reason);
  if constexpr (requires { request.set_ticket(options.ticket); })
    request.set_ticket(options.ticket);
  return ChangeHosts(console, method, request, options.targets, done);
}

ExitCode PrintOne(const Console& console, const v1::HostResult& result, const std::string& done) {
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(result);
  } else {
    console.out << result.host_id() << " " << (result.changed() ? "" : "was already: ") << done
                << "\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace

ExitCode HostList(const Console& console, const HostListOptions& options) {
  v1::ListHostsRequest request;
  v1::ListHostsResponse all;
  absl::Status status = AddFilter(options, request.mutable_filter());
  if (status.ok()) {
    status = ListAll(console.api, "HostService/ListHosts", request, all, "hosts", options.limit);
  }
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonList(all, "hosts");
  } else if (all.hosts().empty()) {
    console.out << "no such host\n";
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const v1::Host& host : all.hosts()) {
      rows.push_back({host.id(), OrDash(host.hostname()), OrDash(LabelText(host)), StateText(host),
                      TimeText(host.trust_since()), TimeText(host.last_seen_at()),
                      OrDash(host.why())});
    }
    console.out << cli::FormatTable(
        {"HOST", "NAME", "LABELS", "STATE", "SINCE", "LAST SEEN", "WHY"}, rows);
  }
  for (const std::string& id : all.unreadable()) {
    console.err << "warning: the record of " << id << " is corrupt; the host is not trusted\n";
  }
  return all.unreadable().empty() ? ExitCode::kSuccess : ExitCode::kPartial;
}

ExitCode HostShow(const Console& console, const std::string& host_id) {
  const absl::StatusOr<v1::Host> host = Get(console.api, host_id);
  if (!host.ok()) return Fail(console, host.status());
  v1::ListCredentialsRequest request;
  v1::ListCredentialsResponse credentials;
  request.set_host_id(host_id);
  // Not every role that may see hosts may see their credentials.
  const absl::Status status = ListAll(console.api, "CredentialService/ListCredentials", request,
                                      credentials, "credentials");
  if (!status.ok() && !absl::IsPermissionDenied(status)) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(*host, credentials, "credentials");
  } else {
    PrintHost(*host, console.out);
    PrintCredentials(credentials, console.out);
  }
  return ExitCode::kSuccess;
}

ExitCode HostLabel(const Console& console, const HostLabelOptions& options) {
  v1::SetLabelsRequest request;
  if (const absl::Status status = AddLabels(options, &request); !status.ok())
    return Fail(console, status);
  request.set_replace(options.replace);
  request.set_reason(options.reason);
  return ChangeHosts(console, "HostService/SetLabels", request, options.targets, "labelled");
}

ExitCode HostApprove(const Console& console, const HostActOptions& options) {
  return Act<v1::ApproveHostsRequest>(console, "HostService/ApproveHosts", options, "approved");
}

ExitCode HostRetire(const Console& console, const HostActOptions& options) {
  return Act<v1::RetireHostsRequest>(console, "HostService/RetireHosts", options, "retired");
}

ExitCode HostReinstate(const Console& console, const HostActOptions& options) {
  return Act<v1::ReinstateHostsRequest>(console, "HostService/ReinstateHosts", options,
                                        "reinstated");
}

ExitCode HostAcceptClear(const Console& console, const HostActOptions& options) {
  v1::AcceptClearRequest request;
  v1::AcceptClearResponse answer;
  request.set_host_id(options.targets.hosts.front());
  request.set_reason(options.reason);
  request.set_ticket(options.ticket);
  const absl::Status status = Change(console.api, "HostService/AcceptClear", request, answer);
  if (!status.ok()) return Fail(console, status);
  return PrintOne(console, answer.result(), "its TPM's counters may start anew once, within a day");
}

ExitCode HostSwapTpm(const Console& console, const HostActOptions& options,
                     const std::string& new_id) {
  v1::SwapTpmRequest request;
  v1::SwapTpmResponse answer;
  request.set_host_id(options.targets.hosts.front());
  request.set_new_host_id(new_id);
  request.set_reason(options.reason);
  request.set_ticket(options.ticket);
  const absl::Status status = Change(console.api, "HostService/SwapTpm", request, answer);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(answer);
  } else {
    console.out << answer.old_host().host_id() << " is retired, replaced by "
                << answer.new_host().host_id() << ", which is approved and has to attest\n";
  }
  return ExitCode::kSuccess;
}

ExitCode HostWait(const Console& console, const HostWaitOptions& options) {
  constexpr absl::Duration kLookAgain = absl::Milliseconds(250);
  const absl::StatusOr<int> wanted = Value(*v1::TrustState_descriptor(), options.state);
  if (!wanted.ok()) return Fail(console, wanted.status());
  const absl::Time end = absl::Now() + options.timeout;
  for (;;) {
    const absl::StatusOr<v1::Host> host = Get(console.api, options.host_id);
    if (!host.ok()) return Fail(console, host.status());
    if (host->trust() == *wanted) {
      console.out << host->id() << " is " << options.state << " since "
                  << TimeText(host->trust_since()) << "\n";
      return ExitCode::kSuccess;
    }
    if (absl::Now() >= end) {
      console.err << "error: " << host->id() << " is " << StateText(*host) << ", not "
                  << options.state << ", after " << absl::FormatDuration(options.timeout) << "\n";
      return ExitCode::kTimedOut;
    }
    absl::SleepFor(kLookAgain);
  }
}

ExitCode HostTimeline(const Console& console, const HostTimelineOptions& options) {
  v1::GetTimelineRequest request;
  v1::GetTimelineResponse all;
  request.set_host_id(options.host_id);
  absl::Status status;
  if (!options.since.empty()) {
    const absl::StatusOr<absl::Time> since = PointInTime(options.since, absl::Now());
    if (!since.ok()) return Fail(console, since.status());
    SetTime(*since, request.mutable_since());
  }
  for (const std::string& word : options.kinds) {
    const absl::StatusOr<int> kind = Value(*v1::TimelineKind_descriptor(), word);
    if (!kind.ok()) return Fail(console, kind.status());
    request.add_kinds(static_cast<v1::TimelineKind>(*kind));
  }
  status = ListAll(console.api, "HostService/GetTimeline", request, all, "entries");
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonList(all, "entries");
    return ExitCode::kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::TimelineEntry& entry : all.entries()) {
    const bool act = entry.kind() == v1::TIMELINE_KIND_AUDIT;
    rows.push_back({TimeText(entry.at()), Word(*v1::TimelineKind_descriptor(), entry.kind()),
                    OrDash(entry.subject()), OrDash(entry.actor()),
                    act ? DetailText(entry.text()) : entry.text()});
  }
  console.out << cli::FormatTable({"AT", "KIND", "SUBJECT", "WHO", "WHAT"}, rows);
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::client
