#include "gatekeeper/client/incidents.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bootgate/v1/incidents.pb.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/client/words.h"

namespace bootgate::gatekeeper::client {
namespace {

using cli::OrDash;

constexpr mode_t kOwnerOnly = 0600;  // evidence tells what a host runs

std::string StateText(const v1::Incident& incident) {
  return Word(*v1::IncidentState_descriptor(), incident.state());
}

void PrintIncident(const v1::Incident& incident, std::ostream& out) {
  const auto by = [](const std::string& who, const google::protobuf::Timestamp& at) {
    return who.empty() ? "-" : absl::StrCat(who, ", ", TimeText(at));
  };
  out << cli::FormatPairs(
      {{"incident", incident.id()},
       {"state", StateText(incident)},
       {"host", incident.host_id()},
       {"hostname", OrDash(incident.hostname())},
       {"host's state", Word(*v1::TrustState_descriptor(), incident.host_trust())},
       {"why", OrDash(incident.why())},
       {"reasons", OrDash(absl::StrJoin(incident.reasons(), ", "))},
       {"action", OrDash(incident.action())},
       {"opened", absl::StrCat(TimeText(incident.opened_at()), " by ",
                               incident.opened_by().empty() ? "a verdict" : incident.opened_by())},
       {"failures", absl::StrCat(incident.failures(), ", last ", TimeText(incident.last_at()))},
       {"verdict", OrDash(incident.first_verdict_id())},
       {"assignee", OrDash(incident.assignee())},
       {"root cause", OrDash(incident.root_cause())},
       {"disposition", OrDash(incident.disposition())},
       {"ticket", OrDash(incident.ticket())},
       {"resolved", by(incident.resolved_by(), incident.resolved_at())},
       {"released", by(incident.approved_by(), incident.approved_at())},
       {"closed", incident.has_closed_at() ? TimeText(incident.closed_at()) : "-"}});
}

void PrintEvents(const v1::GetIncidentResponse& answer, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::IncidentEvent& event : answer.events()) {
    rows.push_back({TimeText(event.at()), OrDash(event.actor()), event.kind(), event.text()});
  }
  if (!rows.empty()) out << "\n" << cli::FormatTable({"AT", "WHO", "WHAT", "TEXT"}, rows);
}

void PrintEvidence(const v1::GetIncidentResponse& answer, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const v1::EvidencePart& part : answer.evidence()) {
    rows.push_back({part.name(), part.sha256().empty() ? "gone" : absl::StrCat(part.size()),
                    OrDash(part.sha256())});
  }
  if (!rows.empty()) out << "\n" << cli::FormatTable({"EVIDENCE", "BYTES", "SHA-256"}, rows);
}

// What all changes of one incident do: call, then the incident as it is now.
template <typename Request, typename Answer>
ExitCode Act(const Console& console, absl::string_view method, Request& request, Answer answer,
             const std::string& done) {
  const absl::Status status = Change(console.api, method, request, answer);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(answer.incident());
  } else {
    console.out << answer.incident().id() << " " << done << "; it is "
                << StateText(answer.incident()) << "\n";
  }
  return ExitCode::kSuccess;
}

absl::StatusOr<Bytes> Fetch(Api& api, const std::string& incident_id) {
  constexpr size_t kMaxArchive = size_t{1} << 30;  // bytes
  v1::ExportIncidentRequest request;
  v1::ExportIncidentResponse part;
  request.set_incident_id(incident_id);
  Bytes archive;
  std::string digest;
  BG_RETURN_IF_ERROR(
      api.Stream("IncidentService/ExportIncident", request, part, [&]() -> absl::Status {
        const ByteView chunk = AsBytes(part.chunk());
        if (archive.size() + chunk.size() > kMaxArchive) {
          return absl::ResourceExhaustedError("the archive is larger than 1 GiB");
        }
        archive.insert(archive.end(), chunk.begin(), chunk.end());
        if (!part.archive_sha256().empty()) digest = part.archive_sha256();
        return absl::OkStatus();
      }));
  if (crypto::Hash(crypto::HashAlg::kSha256, archive).hex() != digest) {
    return absl::DataLossError("the archive did not arrive whole; try again");
  }
  return archive;
}

}  // namespace

ExitCode IncidentList(const Console& console, const IncidentListOptions& options) {
  v1::ListIncidentsRequest request;
  v1::ListIncidentsResponse all;
  for (const std::string& word : options.states) {
    const absl::StatusOr<int> state = Value(*v1::IncidentState_descriptor(), word);
    if (!state.ok()) return Fail(console, state.status());
    request.add_states(static_cast<v1::IncidentState>(*state));
  }
  request.set_host_id(options.host_id);
  request.set_assignee(options.assignee);
  request.set_reason(options.reason);
  request.set_selector(options.selector);
  const absl::Status status = ListAll(console.api, "IncidentService/ListIncidents", request, all,
                                      "incidents", options.limit);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonList(all, "incidents");
  } else if (all.incidents().empty()) {
    console.out << "no such incident\n";
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const v1::Incident& incident : all.incidents()) {
      rows.push_back({incident.id(), StateText(incident), incident.host_id(),
                      OrDash(incident.hostname()), TimeText(incident.opened_at()),
                      absl::StrCat(incident.failures()), OrDash(incident.assignee()),
                      OrDash(incident.why())});
    }
    console.out << cli::FormatTable(
        {"INCIDENT", "STATE", "HOST", "NAME", "OPENED", "FAILURES", "ASSIGNEE", "WHY"}, rows);
  }
  return ExitCode::kSuccess;
}

ExitCode IncidentShow(const Console& console, const std::string& incident_id) {
  v1::GetIncidentRequest request;
  v1::GetIncidentResponse answer;
  request.set_incident_id(incident_id);
  const absl::Status status = console.api.Call("IncidentService/GetIncident", request, answer);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(answer);
    return ExitCode::kSuccess;
  }
  PrintIncident(answer.incident(), console.out);
  PrintEvents(answer, console.out);
  PrintEvidence(answer, console.out);
  return ExitCode::kSuccess;
}

ExitCode IncidentAssign(const Console& console, const std::string& incident_id,
                        const std::string& assignee) {
  v1::AssignIncidentRequest request;
  request.set_incident_id(incident_id);
  request.set_assignee(assignee);
  return Act(console, "IncidentService/AssignIncident", request, v1::AssignIncidentResponse(),
             assignee.empty() ? "is nobody's now" : absl::StrCat("is ", assignee, "'s now"));
}

ExitCode IncidentNote(const Console& console, const std::string& incident_id,
                      const std::string& text) {
  v1::NoteIncidentRequest request;
  request.set_incident_id(incident_id);
  request.set_text(text);
  return Act(console, "IncidentService/NoteIncident", request, v1::NoteIncidentResponse(),
             "has a note more");
}

ExitCode IncidentResolve(const Console& console, const IncidentResolveOptions& options) {
  v1::ResolveIncidentRequest request;
  request.set_incident_id(options.incident_id);
  request.set_root_cause(options.root_cause);
  request.set_disposition(options.disposition);
  request.set_ticket(options.ticket);
  return Act(console, "IncidentService/ResolveIncident", request, v1::ResolveIncidentResponse(),
             "has its root cause: release its host with `quarantine release`");
}

ExitCode IncidentClose(const Console& console, const std::string& incident_id,
                       const std::string& reason) {
  v1::CloseIncidentRequest request;
  request.set_incident_id(incident_id);
  request.set_reason(reason);
  return Act(console, "IncidentService/CloseIncident", request, v1::CloseIncidentResponse(),
             "is done with");
}

ExitCode IncidentDiff(const Console& console, const IncidentDiffOptions& options) {
  const absl::StatusOr<int> against = Value(*v1::DiffAgainst_descriptor(), options.against);
  if (!against.ok()) return Fail(console, against.status());
  v1::DiffIncidentRequest request;
  v1::DiffIncidentResponse answer;
  request.set_incident_id(options.incident_id);
  request.set_against(static_cast<v1::DiffAgainst>(*against));
  request.set_peer_host_id(options.peer);
  const absl::Status status = console.api.Call("IncidentService/DiffIncident", request, answer);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(answer);
    return ExitCode::kSuccess;
  }
  console.out << answer.words() << (answer.words().ends_with('\n') ? "" : "\n");
  return ExitCode::kSuccess;
}

ExitCode IncidentExport(const Console& console, const std::string& incident_id,
                        const std::string& file) {
  const absl::StatusOr<Bytes> archive = Fetch(console.api, incident_id);
  if (!archive.ok()) return Fail(console, archive.status());
  const absl::Status written = WriteFileAtomically(file, *archive, kOwnerOnly);
  if (!written.ok()) return Fail(console, written);
  const std::string digest = crypto::Hash(crypto::HashAlg::kSha256, *archive).hex();
  if (console.format == cli::OutputFormat::kJson) {
    v1::EvidencePart part;
    part.set_name(file);
    part.set_sha256(digest);
    part.set_size(static_cast<int64_t>(archive->size()));
    console.out << JsonText(part);
  } else {
    console.out << "wrote " << file << ": " << archive->size() << " bytes, SHA-256 " << digest
                << "\njudge it again with: bootgate-gatekeeper evidence verify " << file << "\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::client
