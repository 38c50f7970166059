// AuditService.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "bootgate/v1/admin.pb.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/key_folder.h"
#include "gatekeeper/audit/trail_text.h"
#include "gatekeeper/audit/verify.h"
#include "gatekeeper/operators/handler.h"
#include "gatekeeper/operators/host_codec.h"
#include "gatekeeper/operators/paging.h"

namespace bootgate::gatekeeper::operators {
namespace {

constexpr int kBatch = 1000;  // rows read at once
constexpr size_t kChunkBytes = size_t{200} << 10;

void Encode(const store::AuditRow& row, v1::AuditEntry* out) {
  out->set_number(row.sequence);
  operators::Encode(row.at, out->mutable_at());
  out->set_actor(row.actor);
  out->set_action(row.action);
  out->set_subject(row.subject);
  out->set_detail_json(row.detail_json);
  const absl::string_view chain = AsText(row.chain);
  out->set_chain(chain.data(), chain.size());
}

// "host.approve", or "host.*".
bool IsAction(const std::string& action, const std::string& wanted) {
  if (!absl::EndsWith(wanted, ".*")) return action == wanted;
  return absl::StartsWith(action, wanted.substr(0, wanted.size() - 1));
}

bool Matches(const store::AuditRow& row, const v1::ListAuditRequest& request) {
  return (request.actor().empty() || row.actor == request.actor()) &&
         (request.subject().empty() || row.subject == request.subject()) &&
         (request.action().empty() || IsAction(row.action, request.action())) &&
         (!request.has_since() || row.at >= TimeOf(request.since())) &&
         (!request.has_until() || row.at <= TimeOf(request.until()));
}

absl::Status ListAudit(const Call& call, const v1::ListAuditRequest& request,
                       v1::ListAuditResponse* answer) {
  BG_ASSIGN_OR_RETURN(const Page page, PageOf(call, request));
  int64_t at = 0;
  if (!page.after.empty() && !absl::SimpleAtoi(page.after, &at))
    return Malformed(Reason::kPageToken, "page_token: not one that was given out");
  while (true) {
    BG_ASSIGN_OR_RETURN(const std::vector<store::AuditRow> rows,
                        call.backend.store.ListAudit(at, kBatch));
    if (rows.empty()) return absl::OkStatus();
    for (const store::AuditRow& row : rows) {
      at = row.sequence;
      if (!Matches(row, request)) continue;
      Encode(row, answer->add_entries());
      if (static_cast<size_t>(answer->entries_size()) < page.size) continue;
      answer->set_next_page_token(TokenFor(call, request, absl::StrCat(at)));
      return absl::OkStatus();
    }
  }
}

absl::Status ListCheckpoints(const Call& call, const v1::ListCheckpointsRequest& request,
                             v1::ListCheckpointsResponse* answer) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::CheckpointRow> rows,
                      call.backend.store.ListCheckpoints());
  BG_ASSIGN_OR_RETURN(const Slice slice, SliceOf(call, request, rows.size(), [&](size_t i) {
                        return absl::StrCat(rows[i].sequence, ".", rows[i].key_id);
                      }));
  for (size_t i = slice.begin; i < slice.end; ++i) {
    v1::Checkpoint* const out = answer->add_checkpoints();
    out->set_number(rows[i].sequence);
    operators::Encode(rows[i].at, out->mutable_at());
    out->set_chain(std::string(AsText(rows[i].chain)));
    out->set_key_id(rows[i].key_id);
    out->set_signature(std::string(AsText(rows[i].signature)));
  }
  answer->set_next_page_token(slice.next);
  return absl::OkStatus();
}

absl::Status VerifyAudit(const Call& call, const v1::VerifyAuditRequest&,
                         v1::VerifyAuditResponse* answer) {
  BG_ASSIGN_OR_RETURN(const audit::CheckpointKeys keys,
                      audit::ReadCheckpointKeys(call.backend.audit_folder));
  BG_ASSIGN_OR_RETURN(const audit::Verification found,
                      audit::VerifyTrail(call.backend.store, keys));
  answer->set_intact(found.intact());
  answer->set_rows(found.rows);
  answer->set_checkpoints(found.checkpoints);
  for (const audit::Problem& problem : found.problems) {
    v1::AuditProblem* const one = answer->add_problems();
    one->set_number(problem.number);
    one->set_text(Printable(problem.text));
  }
  return absl::OkStatus();
}

class Trail final : public Source {
 public:
  explicit Trail(audit::TrailExport trail) : trail_(std::move(trail)) {}

  absl::StatusOr<Piece> Next() override {
    BG_ASSIGN_OR_RETURN(std::string lines, trail_.Next(kChunkBytes));
    if (lines.empty()) return Piece{};
    v1::ExportAuditResponse message;
    message.set_chunk(std::move(lines));
    message.set_last(trail_.last());
    return Piece{.kind = Piece::Kind::kMessage, .bytes = message.SerializeAsString()};
  }

 private:
  audit::TrailExport trail_;
};

absl::StatusOr<std::unique_ptr<Source>> ExportAudit(const Call& call,
                                                    const v1::ExportAuditRequest& request) {
  if (request.after() < 0) return Malformed(Reason::kMessageMalformed, "after: 0 or more");
  BG_ASSIGN_OR_RETURN(audit::TrailExport trail,
                      audit::TrailExport::Open(call.backend.store, request.after()));
  return std::make_unique<Trail>(std::move(trail));
}

constexpr Method kMethods[] = {
    {"bootgate.v1.AuditService.VerifyAudit", Unary<&VerifyAudit>, nullptr},
    {"bootgate.v1.AuditService.ExportAudit", nullptr, Stream<&ExportAudit>},
    {"bootgate.v1.AuditService.ListAudit", Unary<&ListAudit>, nullptr},
    {"bootgate.v1.AuditService.ListCheckpoints", Unary<&ListCheckpoints>, nullptr},
};

}  // namespace

std::span<const Method> AuditMethods() { return kMethods; }

}  // namespace bootgate::gatekeeper::operators
