#include "gatekeeper/sealing/approval.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::sealing {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr size_t kDigestSize = 32;  // bytes, SHA-256
constexpr size_t kShownDigits = 16;
constexpr char kLabel[] = "bootgate/v1/state-approval\n";  // keeps this signature apart from others

absl::Status Bad(absl::string_view why) { return NotAuthentic(Reason::kSealApproval, why); }

crypto::Digest Signed(const std::string& body) {
  return crypto::Hash(crypto::HashAlg::kSha256, {AsBytes(kLabel), AsBytes(body)});
}

std::string BodyOf(const Approval& approval) {
  Json states = Json::object();
  for (const auto& [host, policy] : approval.states) states[host] = ToHex(policy);
  return Json{{"version", kVersion},
              {"selection", registers::Format(approval.selection)},
              {"expires", absl::ToUnixSeconds(approval.expires)},
              {"reason", approval.reason},
              {"states", states}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<std::map<std::string, Bytes>> StatesOf(const Json& json) {
  if (!json.is_object() || json.size() > kMaxHostsOfApproval) return Bad("its states");
  std::map<std::string, Bytes> states;
  for (const auto& [host, value] : json.items()) {
    const std::string hex = value.is_string() ? value.get<std::string>() : "";
    absl::StatusOr<Bytes> policy = FromHex(hex);
    if (!policy.ok() || policy->size() != kDigestSize) return Bad("a state that is no digest");
    states.emplace(host, *std::move(policy));
  }
  return states;
}

// Of a body whose signature holds: what we once wrote.
absl::StatusOr<Approval> FromBody(const std::string& body) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  const bool whole = json.is_object() && json.value("version", Json()) == Json(kVersion) &&
                     json.value("selection", Json()).is_string() &&
                     json.value("expires", Json()).is_number_integer() &&
                     json.value("reason", Json()).is_string() && json.contains("states");
  if (!whole) return Bad("not the fields that we write");
  const auto selection = registers::ParseSelection(json["selection"].get<std::string>());
  if (!selection.ok()) return Bad(selection.status().message());
  Approval approval{.selection = *selection,
                    .expires = absl::FromUnixSeconds(json["expires"].get<int64_t>()),
                    .reason = json["reason"],
                    .states = {}};
  BG_ASSIGN_OR_RETURN(approval.states, StatesOf(json["states"]));
  return approval;
}

// The document of a step. Its name in the store is no part of what was signed: it must be the
// text's digest.
absl::StatusOr<Approval> Read(store::Store& store, const std::string& document_id,
                              const crypto::PublicKey& key, absl::Status* failed) {
  const absl::StatusOr<store::DocumentRow> document = store.GetDocument(kApprovalKind, document_id);
  if (!document.ok()) {
    *failed = document.status();
    return document.status();
  }
  if (crypto::Hash(crypto::HashAlg::kSha256, AsBytes(document->text)).hex() != document_id) {
    return Bad("the document is not the one of this name");
  }
  return ApprovalFromText(document->text, key);
}

RecordedApproval RecordOf(const store::AssignmentRow& row,
                          const absl::StatusOr<Approval>& approval) {
  RecordedApproval record;
  record.id = row.selector;
  record.author = row.author;
  record.document_id = row.document_id;
  record.since = row.at;
  record.approval = approval;
  return record;
}

// ECDSA signatures can be rewritten by anybody, which gives the same approval another name.
RecordedApproval CheckedAgainst(const std::vector<RecordedApproval>& earlier,
                                RecordedApproval record) {
  if (!record.approval.ok()) return record;
  if (record.id != ApprovalId(record.document_id)) {
    record.approval = Bad("it stands under another id than its document's");
    return record;
  }
  for (const RecordedApproval& other : earlier) {
    if (!other.approval.ok() || *other.approval != *record.approval) continue;
    record.approval = Bad(absl::StrCat("it is a second copy of ", other.id));
    break;
  }
  return record;
}

}  // namespace

absl::StatusOr<std::string> ToText(const Approval& approval, const pki::KeyHolder& key) {
  if (approval.states.empty() || approval.states.size() > kMaxHostsOfApproval) {
    return absl::InvalidArgumentError(absl::StrCat("an approval for ", approval.states.size(),
                                                   " hosts; 1 to ", kMaxHostsOfApproval,
                                                   " are possible"));
  }
  const std::string body = BodyOf(approval);
  BG_ASSIGN_OR_RETURN(const Bytes signature, key.Sign(Signed(body)));
  return absl::StrCat(ToHex(signature), "\n", body);
}

absl::StatusOr<Approval> ApprovalFromText(const std::string& text, const crypto::PublicKey& key) {
  const size_t end = text.find('\n');
  if (end == std::string::npos) return Bad("no signature");
  const absl::StatusOr<Bytes> signature = FromHex(text.substr(0, end));
  const std::string body = text.substr(end + 1);
  if (!signature.ok() ||
      !key.Verify(crypto::SignatureScheme::kEcdsa, Signed(body), *signature).ok()) {
    return Bad("the approval is not signed by this gatekeeper's approving key");
  }
  return FromBody(body);
}

std::string ApprovalId(const std::string& document_id) {
  return absl::StrCat("a-", document_id.substr(0, kShownDigits));
}

absl::StatusOr<std::vector<RecordedApproval>> ReadApprovals(
    store::Store& store, const crypto::PublicKey& key,
    std::map<std::string, absl::StatusOr<Approval>>& known) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> steps,
                      store.ListSteps(kApprovalKind));
  std::vector<RecordedApproval> out;
  for (const store::AssignmentRow& step : steps) {
    // Each approval is made once: a later step on it ends it.
    const auto made = std::find_if(out.begin(), out.end(), [&](const RecordedApproval& record) {
      return record.id == step.selector;
    });
    if (made != out.end()) {
      made->revoked = true;
      continue;
    }
    auto read = known.find(step.document_id);
    if (read == known.end()) {
      absl::Status failed;
      absl::StatusOr<Approval> approval = Read(store, step.document_id, key, &failed);
      BG_RETURN_IF_ERROR(failed);
      read = known.emplace(step.document_id, std::move(approval)).first;
    }
    out.push_back(CheckedAgainst(out, RecordOf(step, read->second)));
  }
  return out;
}

uint32_t GenerationOf(const std::string& host_id, const std::vector<RecordedApproval>& approvals,
                      absl::Time now) {
  uint32_t generation = 1;
  for (const RecordedApproval& record : approvals) {
    const bool names_host = record.approval.ok() && record.approval->states.contains(host_id);
    if (names_host && !record.Stands(now)) ++generation;
  }
  return generation;
}

}  // namespace bootgate::gatekeeper::sealing
