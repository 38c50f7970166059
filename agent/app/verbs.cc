#include "agent/app/verbs.h"

#include <sys/stat.h>

#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/str_cat.h"
#include "agent/app/attest.h"
#include "agent/app/export.h"
#include "agent/app/host.h"
#include "agent/app/join.h"
#include "agent/app/phase.h"
#include "agent/app/socket_report_file.h"
#include "agent/app/status_file.h"
#include "agent/app/verb_support.h"
#include "agent/identity/boot_secrets.h"
#include "agent/identity/installed_credential.h"
#include "agent/identity/stored_credential.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

using nlohmann::ordered_json;

std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

ordered_json ToJson(const AttestAnswer& answer) {
  ordered_json out = {
      {"outcome", answer.outcome}, {"trust", answer.trust}, {"verdict", answer.verdict_id}};
  out["findings"] = ordered_json::array();
  for (const DisclosedFinding& finding : answer.findings) {
    out["findings"].push_back(
        {{"code", finding.code}, {"severity", finding.severity}, {"text", finding.text}});
  }
  out["tpm_key"] = !answer.tpm_key.certificate.empty();
  out["sealed"] = !answer.sealed.payload.empty();
  out["seal_skipped_why"] = answer.seal_skipped_why;
  out["next_attestation_seconds"] = absl::ToInt64Seconds(answer.next_attestation);
  return out;
}

void Print(const AttestAnswer& answer) {
  std::cout << Printable(answer.outcome) << "  (this host is " << Printable(answer.trust)
            << ", verdict " << Printable(answer.verdict_id) << ")\n";
  for (const DisclosedFinding& finding : answer.findings) {
    std::cout << "  " << Printable(finding.severity) << "  " << Printable(finding.code) << "  "
              << Printable(finding.text, 1024) << "\n";
  }
  if (!answer.tpm_key.certificate.empty())
    std::cout << "  certificate for the key in the TPM received\n";
  if (!answer.sealed.payload.empty()) {
    std::cout << "  sealed credential received, good until " << FormatUtc(answer.sealed.not_after)
              << "\n";
  }
  if (!answer.seal_skipped_why.empty()) {
    std::cout << "  no sealed credential: " << Printable(answer.seal_skipped_why) << "\n";
  }
}

// The gatekeeper's last word, for scripts: trouble on the way to it is no verdict.
ExitCode CodeOf(const StatusReport& report) {
  return IsCutOff(report) ? ExitCode::kDenied : ExitCode::kSuccess;
}

// A report that is overdue tells of an agent that is not there, or cannot write.
bool IsOverdue(const StatusReport& report, absl::Time now) {
  constexpr absl::Duration kPatience = absl::Minutes(5);  // a slow TPM, deadlines of the channel
  return report.next_try_at > absl::UnixEpoch() && now > report.next_try_at + kPatience;
}

std::string AkText(tpm::AkKind ak) {
  const std::string name(tpm::Name(ak));
  return ak == tpm::AkKind::kEcc || ak == tpm::AkKind::kRsa ? name : name + ", the cloud's own";
}

void PrintTpm(const StatusReport& report) {
  if (report.tpm.has_value()) {
    const tpm::Health& tpm = *report.tpm;
    std::cout << "TPM:          " << Printable(tpm.properties.manufacturer) << " "
              << Printable(tpm.properties.vendor) << ", reset count " << tpm.clock.reset_count
              << ", " << tpm.handles.objects << " objects and " << tpm.handles.sessions
              << " sessions loaded\n";
  }
  std::cout << "TSS:          " << TssNote() << "\n";
}

// The file says whom to trust, and holds a secret.
absl::Status CheckJoinFileMode(const std::string& file) {
  struct stat info = {};
  if (stat(file.c_str(), &info) != 0) return absl::OkStatus();  // reading it tells why
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(file,
                     " may be written by others, who could have put another gatekeeper into "
                     "it; get it anew, or after a look: chmod 600 ",
                     file));
  }
  if ((info.st_mode & (S_IRGRP | S_IROTH)) != 0) {
    std::cerr << "warning: others may read " << file
              << ", and join with it as long as it is good: chmod 600, and --delete-file\n";
  }
  return absl::OkStatus();
}

std::string NextAfterJoining(const JoinAnswer& answer) {
  if (answer.trust == "quarantined" || answer.trust == "investigating") {
    return absl::StrCat("this host is ", answer.trust,
                        ", and joining does not end that: ask your operators\n");
  }
  if (answer.approved) return "next: bootgate-agent run\n";
  return absl::StrCat("next: an operator approves this host: bootgate-gatekeeper host approve ",
                      Printable(answer.host_id), "\n");
}

}  // namespace

ExitCode JoinVerb(const Config& config, const std::string& join_file, AfterJoin after,
                  OutputFormat format) {
  constexpr size_t kMaxJoinFile = size_t{1} << 20;
  if (const absl::Status fit = CheckJoinFileMode(join_file); !fit.ok()) return Fail(fit);
  const absl::StatusOr<std::string> text = ReadTextFile(join_file, kMaxJoinFile);
  if (!text.ok()) return Fail(text.status());
  const absl::StatusOr<config::JoinFile> file = config::ParseJoinFile(*text, join_file);
  if (!file.ok()) return Fail(file.status());
  const absl::StatusOr<std::unique_ptr<tpm::Tpm>> tpm = OpenTpm(config);
  if (!tpm.ok()) return Fail(tpm.status());
  const absl::StatusOr<JoinAnswer> answer = Join(config, *file, **tpm);
  if (!answer.ok()) return Fail(answer.status());
  if (after == AfterJoin::kDeleteFile) {
    if (const absl::Status gone = RemoveFile(join_file); !gone.ok()) {
      std::cerr << "warning: joined, but " << join_file << " is still there: " << gone.message()
                << "\n";
    }
  }
  if (format == OutputFormat::kJson) {
    std::cout << Dump({{"host", answer->host_id},
                       {"cluster", answer->cluster_id},
                       {"trust", answer->trust},
                       {"approved", answer->approved}});
    return ExitCode::kSuccess;
  }
  std::cout << "joined cluster " << Printable(answer->cluster_id) << " as "
            << Printable(answer->host_id) << "\n"
            << NextAfterJoining(*answer);
  return ExitCode::kSuccess;
}

ExitCode AttestVerb(const Config& config, const RequestWords& words, OutputFormat format) {
  const absl::StatusOr<AttestRequest> request = RequestOf(words);
  if (!request.ok()) return Fail(request.status());
  const absl::StatusOr<AttestAnswer> answer = AttestOnce(config, *request);
  if (!answer.ok()) return Fail(answer.status());
  if (format == OutputFormat::kJson) {
    std::cout << Dump(ToJson(*answer));
  } else {
    Print(*answer);
  }
  return CodeOf(*answer);
}

ExitCode StatusVerb(const Config& config, OutputFormat format) {
  const absl::StatusOr<identity::JoinState> joined = Joined(config);
  if (!joined.ok()) return Fail(joined.status());
  absl::StatusOr<StatusReport> report = ReadStatus(config.state_folder);
  if (absl::IsNotFound(report.status())) {
    report = StatusReport{};
    report->phase = "joined, not running";
    report->detail = "start it: bootgate-agent run";
    report->host_id = joined->host_id;
  }
  if (!report.ok()) return Fail(report.status());
  if (IsOverdue(*report, SystemClock().Now())) {
    report->notices.push_back(absl::StrCat(
        "this report is old: the agent does not run, or cannot write into ", config.state_folder));
  }
  report->ak = std::string(tpm::Name(joined->ak));
  report->socket = ReadSocketReport(config.state_folder);
  if (format == OutputFormat::kJson) {
    std::cout << StatusJson(*report);
    return CodeOf(*report);
  }
  const auto time = [](absl::Time at) {
    return at <= absl::UnixEpoch() ? std::string("-") : FormatUtc(at);
  };
  std::cout << "host:         " << Printable(joined->host_id) << "\n"
            << "gatekeeper:   " << Printable(joined->gatekeeper) << " (cluster "
            << Printable(joined->cluster_id) << ")\n"
            << "keys:         EK " << tpm2::Name(joined->ek_template) << ", attestation key "
            << AkText(joined->ak) << "\n"
            << "state:        " << Printable(report->phase) << ", since " << time(report->since)
            << "\n";
  if (!report->trust.empty()) {
    std::cout << "trust:        " << Printable(report->trust)
              << (report->trust_since > absl::UnixEpoch()
                      ? ", since " + FormatUtc(report->trust_since)
                      : "")
              << "\n";
  }
  for (const std::string& reason : report->reasons)
    std::cout << "reason:       " << Printable(reason) << "\n";
  if (!report->incident_id.empty())
    std::cout << "incident:     " << Printable(report->incident_id) << "\n";
  if (!report->detail.empty())
    std::cout << "why:          " << Printable(report->detail, 1024) << "\n";
  const Advice advice = AdviceFor(*report);
  if (!advice.way_out.empty() && report->phase != Name(Phase::kTrusted)) {
    std::cout << "meaning:      " << (report->reason.empty() ? "" : report->reason + ": ")
              << advice.meaning << "\nway out:      " << advice.way_out << "\n";
  }
  for (const std::string& notice : report->notices)
    std::cout << "notice:       " << Printable(notice, notice.size()) << "\n";
  std::cout << "heard:        " << time(report->heard_at)
            << (report->listens ? ", tells of a quarantine at once" : "") << "\n"
            << "last verdict: " << time(report->last_verdict_at) << "\n"
            << "next try:     " << time(report->next_try_at);
  if (report->failures > 0)
    std::cout << " (after " << report->failures << " without an answer, backing off)";
  std::cout << "\n";
  const absl::StatusOr<identity::StoredCredential> stored =
      identity::LoadStoredCredential(config.state_folder);
  std::cout << "credential:   "
            << (stored.ok() ? "sealed, good until " + FormatUtc(stored->not_after)
                            : std::string("none"))
            << "\n";
  for (const ReportLine& line : ReadWorkloadReports(config.state_folder))
    std::cout << std::left << std::setw(14) << line.name + ":" << line.text << "\n";
  PrintTpm(*report);
  return CodeOf(*report);
}

namespace {

// What opens at the next start; empty: nothing is held for it.
std::string BootSecretsText(const Config& config) {
  const absl::StatusOr<evidence::BootSecrets> held = identity::LoadBootSecrets(config.state_folder);
  if (absl::IsNotFound(held.status())) return "";
  if (!held.ok()) return std::string(held.status().message());
  return absl::StrCat("open in ", held->approvals.size(), " approved state",
                      held->approvals.size() == 1 ? "" : "s", " of ",
                      registers::Format(held->selection));
}

}  // namespace

ExitCode CredentialShowVerb(const Config& config, OutputFormat format) {
  const absl::StatusOr<identity::StoredCredential> stored =
      identity::LoadStoredCredential(config.state_folder);
  if (absl::IsNotFound(stored.status()))
    return Fail(absl::NotFoundError("this host holds no credential; attest first"));
  if (!stored.ok()) return Fail(stored.status());
  const bool installed = identity::IsCredentialInstalled(config.runtime_folder);
  const bool tpm_key = FileExists(TpmKeyCertificatePath(config));
  const std::string boot_secrets = BootSecretsText(config);
  if (format == OutputFormat::kJson) {
    std::cout << Dump({{"not_after", FormatUtc(stored->not_after)},
                       {"boot_secrets", boot_secrets},
                       {"sealed_to", registers::Format(stored->selection)},
                       {"certificate", ToBase64(stored->certificate)},
                       {"installed", installed},
                       {"tpm_key_certificate", tpm_key ? TpmKeyCertificatePath(config) : ""}});
    return ExitCode::kSuccess;
  }
  std::cout << "sealed to:   this TPM, " << registers::Format(stored->selection) << "\n"
            << "good until:  " << FormatUtc(stored->not_after) << "\n"
            << "installed:   " << (installed ? "yes, in " + config.runtime_folder : "no") << "\n"
            << "tpm-key:     " << (tpm_key ? TpmKeyCertificatePath(config) : "none") << "\n"
            << "next start:  " << (boot_secrets.empty() ? "no secrets" : "secrets " + boot_secrets)
            << "\n\n"
            << PemOf(stored->certificate);
  return ExitCode::kSuccess;
}

ExitCode EvidenceExportVerb(const Config& config, const std::string& folder,
                            const std::string& nonce_hex, OutputFormat format) {
  const absl::StatusOr<Bytes> nonce = FromHex(nonce_hex);
  if (!nonce.ok() || nonce->size() > crypto::kMaxDigestSize) {
    return Fail(absl::InvalidArgumentError("--nonce: at most 64 bytes in hexadecimal"));
  }
  const absl::StatusOr<std::unique_ptr<tpm::Tpm>> tpm = OpenTpm(config);
  if (!tpm.ok()) return Fail(tpm.status());
  const absl::Status exported = ExportEvidence(config, **tpm, folder, *nonce);
  if (!exported.ok()) return Fail(exported);
  if (format == OutputFormat::kJson) {
    std::cout << Dump({{"folder", folder}});
  } else {
    std::cout << "evidence of this boot is in " << folder << "\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::agent::app
