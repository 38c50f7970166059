#include "gatekeeper/client/audit.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "bootgate/v1/admin.pb.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "gatekeeper/client/detail.h"
#include "gatekeeper/client/words.h"

namespace bootgate::gatekeeper::client {
namespace {

using cli::OrDash;

constexpr mode_t kOwnerOnly = 0600;

absl::Status SetPoint(const std::string& text, google::protobuf::Timestamp* out) {
  const absl::StatusOr<absl::Time> time = PointInTime(text, absl::Now());
  if (time.ok()) SetTime(*time, out);
  return time.status();
}

}  // namespace

ExitCode AuditList(const Console& console, const AuditListOptions& options) {
  v1::ListAuditRequest request;
  v1::ListAuditResponse all;
  request.set_actor(options.actor);
  request.set_action(options.action);
  request.set_subject(options.subject);
  absl::Status status;
  if (!options.since.empty()) status.Update(SetPoint(options.since, request.mutable_since()));
  if (!options.until.empty()) status.Update(SetPoint(options.until, request.mutable_until()));
  if (status.ok()) {
    status = ListAll(console.api, "AuditService/ListAudit", request, all, "entries", options.limit);
  }
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonList(all, "entries");
    return ExitCode::kSuccess;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::AuditEntry& entry : all.entries()) {
    rows.push_back({absl::StrCat(entry.number()), TimeText(entry.at()), entry.actor(),
                    entry.action(), OrDash(ShortDigest(entry.subject())),
                    DetailText(entry.detail_json())});
  }
  if (rows.empty()) {
    console.out << "no such act\n";
  } else {
    console.out << cli::FormatTable({"NUMBER", "AT", "WHO", "ACT", "SUBJECT", "DETAIL"}, rows);
  }
  return ExitCode::kSuccess;
}

ExitCode AuditVerify(const Console& console) {
  constexpr absl::Duration kLong = absl::Minutes(10);  // of a trail of many years
  v1::VerifyAuditResponse answer;
  const absl::Status status =
      console.api.Call("AuditService/VerifyAudit", v1::VerifyAuditRequest(), answer, kLong);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(answer);
  } else if (answer.intact()) {
    console.out << "the audit trail is whole: " << answer.rows() << " rows, "
                << answer.checkpoints() << " signed checkpoints\n";
  }
  if (answer.intact()) return ExitCode::kSuccess;
  for (const v1::AuditProblem& problem : answer.problems()) {
    console.err << "row " << problem.number() << ": " << Printable(problem.text(), 1024) << "\n";
  }
  return Fail(console, Refuse(absl::StatusCode::kDataLoss, Reason::kAuditBroken,
                              "the audit trail is not whole"));
}

ExitCode AuditExport(const Console& console, const std::string& file) {
  v1::ExportAuditRequest request;
  v1::ExportAuditResponse part;
  std::string lines;
  absl::Status status =
      console.api.Stream("AuditService/ExportAudit", request, part, [&]() -> absl::Status {
        lines += part.chunk();
        return absl::OkStatus();
      });
  if (status.ok()) status = WriteFileAtomically(file, AsBytes(lines), kOwnerOnly);
  if (!status.ok()) return Fail(console, status);
  console.out << "wrote " << file << ": " << lines.size() << " bytes\n";
  return ExitCode::kSuccess;
}

ExitCode WhoAmI(const Console& console) {
  v1::WhoAmIResponse answer;
  const absl::Status status =
      console.api.Call("IdentityService/WhoAmI", v1::WhoAmIRequest(), answer);
  if (!status.ok()) return Fail(console, status);
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonText(answer);
    return ExitCode::kSuccess;
  }
  console.out << cli::FormatPairs(
      {{"name", answer.name()},
       {"roles", absl::StrJoin(answer.roles(), ", ")},
       {"cluster", answer.cluster_id()},
       {"certificate", answer.certificate_serial().empty()
                           ? "none: the gatekeeper's own machine"
                           : absl::StrCat(answer.certificate_serial(), ", until ",
                                          TimeText(answer.certificate_not_after()))},
       {"gatekeeper", answer.gatekeeper_version()}});
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::client
