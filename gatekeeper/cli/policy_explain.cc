#include "gatekeeper/cli/policy_explain.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "gatekeeper/admission/trace_json.h"
#include "gatekeeper/cli/policy_trace_text.h"
#include "gatekeeper/cli/stored_claims.h"
#include "gatekeeper/cli/verdict_output.h"
#include "gatekeeper/rollout/assignments.h"

namespace bootgate::gatekeeper::cli {
namespace {

using Json = nlohmann::ordered_json;

absl::string_view Name(policy::Decision decision) {
  switch (decision) {
    case policy::Decision::kPermit:
      return "permit";
    case policy::Decision::kDeny:
      return "deny";
    case policy::Decision::kError:
      return "evaluation-error";
  }
  __builtin_unreachable();
}

Json HeadOf(const store::VerdictRow& row) {
  return {{"verdict", row.id},
          {"host", row.host_id},
          {"at", FormatUtc(row.at)},
          {"outcome", row.outcome},
          {"policy", row.policy_id}};
}

void PrintHead(const store::VerdictRow& row, std::ostream& out) {
  out << FormatPairs({{"verdict", row.id},
                      {"host", row.host_id},
                      {"at", FormatUtc(row.at)},
                      {"outcome", row.outcome},
                      {"policy", row.policy_id}});
}

std::string Dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

ExitCode TellMissing(const Operator& op, const store::VerdictRow& row, const StoredClaims& stored) {
  if (op.format == OutputFormat::kJson) {
    Json json = HeadOf(row);
    json["whole"] = false;
    json["missing"] = stored.missing;
    op.out << Dumped(json);
  } else {
    PrintHead(row, op.out);
    op.out << "The verdict does not keep " << Printable(absl::StrJoin(stored.missing, ", "))
           << ", which the policy reads: it cannot be evaluated again from the store alone.\n"
              "From the host's evidence it can: bootgate-gatekeeper policy explain FILE --evidence "
              "DIR\n";
  }
  return ExitCode::kConflict;
}

void TellAgain(const Operator& op, const store::VerdictRow& row,
               const policy::Evaluation& evaluation) {
  if (op.format == OutputFormat::kJson) {
    Json json = HeadOf(row);
    json["whole"] = true;
    json["decision"] = std::string(Name(evaluation.decision));
    json["trace"] = Json::parse(admission::TraceJson(*evaluation.trace));
    op.out << Dumped(json);
    return;
  }
  PrintHead(row, op.out);
  op.out << TraceTable(*evaluation.trace) << "evaluated again: " << Name(evaluation.decision)
         << "\n";
}

absl::StatusOr<policy::Policy> PolicyOf(const Operator& op, const store::VerdictRow& row) {
  const absl::StatusOr<store::DocumentRow> document =
      op.store.GetDocument(rollout::kPolicyKind, row.policy_id);
  if (!document.ok()) return document.status();
  policy::ParseError error;
  std::optional<policy::Policy> policy = policy::Policy::Read(document->text, &error);
  if (policy) return *std::move(policy);
  return absl::DataLossError(absl::StrCat("the policy ", row.policy_id,
                                          " in the store cannot be read: line ", error.line));
}

}  // namespace

ExitCode PolicyExplainVerdict(const Operator& op, const std::string& verdict_id) {
  const absl::StatusOr<store::VerdictRow> row = op.store.GetVerdict(verdict_id);
  if (!row.ok()) return Fail(op.err, row.status());
  if (row->policy_id.empty()) {
    return Fail(op.err, absl::NotFoundError(absl::StrCat("verdict ", Printable(verdict_id),
                                                         " was given without a policy")));
  }
  const absl::StatusOr<policy::Policy> policy = PolicyOf(op, *row);
  if (!policy.ok()) return Fail(op.err, policy.status());
  const absl::StatusOr<StoredClaims> stored = ReadStoredClaims(row->body_json, *policy);
  if (!stored.ok()) return Fail(op.err, stored.status());
  if (!stored->missing.empty()) return TellMissing(op, *row, *stored);
  TellAgain(
      op, *row,
      policy::Evaluate(*policy, {.claims = stored->claims, .documents = {}}, {.trace = true}));
  return ExitCode::kSuccess;
}

ExitCode PolicyExplainEvidence(const EvidenceVerifyOptions& options, OutputFormat format,
                               std::ostream& out, std::ostream& err) {
  std::shared_ptr<const policy::Trace> trace;
  EvidenceVerifyOptions traced = options;
  traced.trace = &trace;
  const absl::StatusOr<Verdict> verdict = VerdictOver(traced);
  if (!verdict.ok()) return Fail(err, verdict.status());
  if (format == OutputFormat::kJson) {
    Json json = {{"outcome", std::string(bootgate::Name(verdict->outcome))},
                 {"policy", verdict->policy_id}};
    json["trace"] = trace ? Json::parse(admission::TraceJson(*trace)) : Json(nullptr);
    out << Dumped(json);
  } else {
    if (trace) out << TraceTable(*trace);
    PrintTable(*verdict, out);
  }
  return ExitCodeOf(verdict->outcome);
}

}  // namespace bootgate::gatekeeper::cli
