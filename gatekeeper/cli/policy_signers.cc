#include "gatekeeper/cli/policy_signers.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/rollout/assignments.h"
#include "gatekeeper/rollout/history.h"
#include "gatekeeper/rollout/signers.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

constexpr size_t kShownDigits = 12;

struct Request {
  rollout::SignerChange change;
  bool configured = false;  // the certificate is a signer's already
  int64_t newest = 0;
};

absl::StatusOr<Request> ReadRequest(const Operator& op, const std::string& file) {
  BG_ASSIGN_OR_RETURN(const std::string bytes, ReadTextFile(file, rollout::kMaxSignerBytes));
  BG_ASSIGN_OR_RETURN(const std::vector<rollout::SignerCertificate> signers,
                      rollout::ConfiguredSigners(op.store));
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> steps,
                      op.store.ListSteps(rollout::kSignerKind));
  const std::vector<Bytes> roots = rollout::RootsOf(signers);
  Request request;
  BG_ASSIGN_OR_RETURN(request.change,
                      rollout::ReadSignerChange(bytes, roots, steps, op.clock.Now()));
  request.configured = std::ranges::any_of(
      signers, [&](const auto& signer) { return signer.id == request.change.root.id; });
  request.newest = rollout::NewestOf(steps);
  return request;
}

store::AssignmentRow StepOf(const Operator& op, store::Step step, const Request& request) {
  store::AssignmentRow row;
  row.kind = rollout::kSignerKind;
  row.selector = request.change.root.id;
  row.author = op.actor;
  row.at = op.clock.Now();
  row.step = step;
  row.why = rollout::WhyOf(request.change);
  return row;
}

absl::Status Take(const Operator& op, store::AssignmentRow row, const char* action,
                  const Request& request) {
  const rollout::SignerCertificate& root = request.change.root;
  const audit::Detail detail =
      audit::Detail().Text("subject", root.subject).Text("by", rollout::WhyOf(request.change));
  return op.store.Assign(row, AuditOf(op, action, root.id, detail), request.newest);
}

absl::Status Add(const Operator& op, const Request& request) {
  const rollout::SignerCertificate& root = request.change.root;
  if (request.configured)
    return absl::FailedPreconditionError(absl::StrCat("signer ", root.id, " is configured"));
  store::DocumentRow document;
  document.kind = rollout::kSignerKind;
  document.id = root.id;
  document.name = root.subject;
  document.text = ToBase64(root.der);
  document.author = op.actor;
  document.created_at = op.clock.Now();
  const audit::Detail detail = audit::Detail().Text("subject", root.subject);
  BG_RETURN_IF_ERROR(
      op.store.PutDocument(document, AuditOf(op, "policy-signer.store", root.id, detail)));
  store::AssignmentRow row = StepOf(op, store::Step::kEnforce, request);
  row.document_id = root.id;
  return Take(op, row, "policy-signer.add", request);
}

absl::Status Remove(const Operator& op, const Request& request) {
  const rollout::SignerCertificate& root = request.change.root;
  if (!request.configured)
    return absl::NotFoundError(absl::StrCat("signer ", root.id, " is not configured"));
  return Take(op, StepOf(op, store::Step::kEnd, request), "policy-signer.remove", request);
}

ExitCode Change(const Operator& op, const std::string& file,
                absl::Status (*change)(const Operator&, const Request&), const char* done) {
  const absl::StatusOr<Request> request = ReadRequest(op, file);
  if (!request.ok()) return Fail(op.err, request.status());
  const absl::Status status = change(op, *request);
  if (!status.ok()) return Fail(op.err, status);
  const rollout::SignerCertificate& root = request->change.root;
  if (op.format == OutputFormat::kJson) {
    op.out << ordered_json{{"signer", root.id}, {"subject", root.subject}, {"done", done}}.dump(2)
           << "\n";
  } else {
    op.out << "signer " << root.id.substr(0, kShownDigits) << " (" << Printable(root.subject)
           << ") is " << done << "\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace

ExitCode PolicySignerAdd(const Operator& op, const std::string& file) {
  return Change(op, file, Add, "added");
}

ExitCode PolicySignerRemove(const Operator& op, const std::string& file) {
  return Change(op, file, Remove, "removed");
}

ExitCode PolicySignerList(const Operator& op) {
  const absl::StatusOr<std::vector<rollout::SignerCertificate>> signers =
      rollout::ConfiguredSigners(op.store);
  if (!signers.ok()) return Fail(op.err, signers.status());
  ordered_json json = ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const rollout::SignerCertificate& signer : *signers) {
    json.push_back(
        {{"signer", signer.id}, {"subject", signer.subject}, {"not_after", signer.not_after}});
    rows.push_back({signer.id, signer.subject, signer.not_after});
  }
  if (op.format == OutputFormat::kJson) {
    op.out << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else if (rows.empty()) {
    op.out << "no signer is configured: policies are taken unsigned\n";
  } else {
    op.out << FormatTable({"SIGNER", "SUBJECT", "NOT AFTER"}, rows);
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
