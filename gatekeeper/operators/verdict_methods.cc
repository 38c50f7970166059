// VerdictService.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bootgate/v1/fleet.pb.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/fleet/hosts.h"
#include "gatekeeper/fleet/names.h"
#include "gatekeeper/operators/handler.h"
#include "gatekeeper/operators/host_codec.h"
#include "gatekeeper/operators/paging.h"
#include "gatekeeper/operators/verdict_codec.h"

namespace bootgate::gatekeeper::operators {
namespace {

constexpr int kBatch = 500;  // rows read at once
// Rows that one call looks at. A page may be short, and even empty: its token says that it goes on.
constexpr size_t kMostLooked = 10'000;

absl::string_view OutcomeName(v1::Outcome outcome) {
  if (outcome == v1::OUTCOME_ADMIT) return "ADMIT";
  return outcome == v1::OUTCOME_DENY ? "DENY" : "";
}

bool Matches(const store::VerdictRow& row, const v1::ListVerdictsRequest& request) {
  const absl::string_view outcome = OutcomeName(request.outcome());
  return (outcome.empty() || outcome == row.outcome) &&
         (!request.has_until() || row.at <= TimeOf(request.until()));
}

absl::StatusOr<store::VerdictRow> Find(const Call& call, const std::string& id) {
  BG_RETURN_IF_ERROR(fleet::CheckId("verdict_id", id));
  absl::StatusOr<store::VerdictRow> row = call.backend.store.GetVerdict(id);
  if (!absl::IsNotFound(row.status())) return row;
  return Refuse(absl::StatusCode::kNotFound, Reason::kVerdictUnknown,
                absl::StrCat("there is no verdict ", Printable(id, 64)));
}

absl::Status ListVerdicts(const Call& call, const v1::ListVerdictsRequest& request,
                          v1::ListVerdictsResponse* answer) {
  BG_ASSIGN_OR_RETURN(const Page page, PageOf(call, request));
  if (!request.host_id().empty())
    BG_RETURN_IF_ERROR(fleet::FindHost(call.backend.store, request.host_id()).status());
  std::string at = page.after;
  for (size_t looked = 0;; looked += kBatch) {
    if (looked >= kMostLooked) {
      answer->set_next_page_token(TokenFor(call, request, at));
      return absl::OkStatus();
    }
    BG_ASSIGN_OR_RETURN(const std::vector<store::VerdictRow> rows,
                        call.backend.store.ListVerdicts(request.host_id(), at, kBatch));
    for (const store::VerdictRow& row : rows) {
      if (request.has_since() && row.at < TimeOf(request.since())) return absl::OkStatus();
      at = row.id;
      if (!Matches(row, request)) continue;
      EncodeSummary(row, answer->add_verdicts());
      if (static_cast<size_t>(answer->verdicts_size()) < page.size) continue;
      answer->set_next_page_token(TokenFor(call, request, at));
      return absl::OkStatus();
    }
    if (rows.size() < kBatch) return absl::OkStatus();
  }
}

absl::Status GetVerdict(const Call& call, const v1::GetVerdictRequest& request,
                        v1::GetVerdictResponse* answer) {
  BG_ASSIGN_OR_RETURN(const store::VerdictRow row, Find(call, request.verdict_id()));
  return EncodeWhole(row, answer->mutable_verdict());
}

// The body for people: each finding with both its sides, then what was claimed.
std::vector<std::string> LinesOf(const v1::Verdict& verdict, const std::string& body_json) {
  std::vector<std::string> lines;
  const nlohmann::json body = nlohmann::json::parse(body_json, nullptr, false);
  const auto text = [](const nlohmann::json& row, const char* name) {
    const auto at = row.find(name);
    return at != row.end() && at->is_string() ? Printable(at->get<std::string>()) : std::string();
  };
  for (const v1::Finding& finding : verdict.findings())
    lines.push_back(absl::StrCat(finding.code(), ": ", finding.text()));
  for (const v1::NotChecked& row : verdict.not_checked())
    lines.push_back(absl::StrCat("not checked: ", row.what(), ": ", row.why()));
  const auto claims = body.is_object() ? body.find("claims") : body.end();
  if (!body.is_object() || claims == body.end() || !claims->is_array()) return lines;
  for (const nlohmann::json& claim : *claims) {
    if (!claim.is_object()) continue;
    const auto value = claim.find("value");
    const std::string shown =
        value == claim.end()
            ? "(not kept)"
            : Printable(value->is_string() ? value->get<std::string>()
                                           : value->dump(-1, ' ', false,
                                                         nlohmann::json::error_handler_t::replace));
    lines.push_back(absl::StrCat("claim ", text(claim, "type"), " = ", shown));
  }
  return lines;
}

// Claims are evidence of what a host runs: who has looked at them is kept.
absl::Status ExplainVerdict(const Call& call, const v1::ExplainVerdictRequest& request,
                            v1::ExplainVerdictResponse* answer) {
  BG_ASSIGN_OR_RETURN(const store::VerdictRow row, Find(call, request.verdict_id()));
  BG_RETURN_IF_ERROR(EncodeWhole(row, answer->mutable_verdict()));
  answer->set_body_json(row.body_json);
  for (const std::string& line : LinesOf(answer->verdict(), row.body_json)) answer->add_lines(line);
  return call.backend.store.PutAudit(audit::MakeRow(call.backend.clock.Now(), call.caller.actor,
                                                    "verdict.explain", row.id,
                                                    audit::Detail().Text("host", row.host_id)));
}

constexpr Method kMethods[] = {
    {"bootgate.v1.VerdictService.ListVerdicts", Unary<&ListVerdicts>, nullptr},
    {"bootgate.v1.VerdictService.GetVerdict", Unary<&GetVerdict>, nullptr},
    {"bootgate.v1.VerdictService.ExplainVerdict", Unary<&ExplainVerdict>, nullptr},
};

}  // namespace

std::span<const Method> VerdictMethods() { return kMethods; }

}  // namespace bootgate::gatekeeper::operators
