#include "gatekeeper/sealing/boot_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "gatekeeper/audit/row.h"

namespace bootgate::gatekeeper::sealing {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

absl::Status Corrupt(absl::string_view why) {
  return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt,
                absl::StrCat("a stored boot state: ", why));
}

Json ToJson(const registers::RegisterBank& bank) {
  Json json = Json::object();
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    if (const auto value = bank.Get(i)) json[absl::StrCat(i)] = value->hex();
  }
  return json;
}

absl::StatusOr<registers::RegisterBank> BankOf(const std::string& name, const Json& json) {
  const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromName(name);
  if (!alg.has_value() || !json.is_object()) return Corrupt("a bank");
  registers::RegisterBank bank(*alg);
  for (const auto& [number, value] : json.items()) {
    uint32_t index = 0;
    const std::string hex = value.is_string() ? value.get<std::string>() : "";
    const absl::StatusOr<Bytes> bytes = FromHex(hex);
    if (!bytes.ok() || !absl::SimpleAtoi(number, &index)) return Corrupt("a register");
    const absl::StatusOr<crypto::Digest> digest = crypto::Digest::From(*alg, *bytes);
    if (!digest.ok() || !bank.Set(index, *digest)) return Corrupt("a register");
  }
  return bank;
}

absl::StatusOr<std::string> DocumentOf(store::Store& store, const std::string& host_id) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> rows,
                      store.ListAssignments(kBootStateKind));
  const auto row = std::ranges::find(rows, host_id, &store::AssignmentRow::selector);
  return row == rows.end() ? "" : row->document_id;
}

}  // namespace

std::string ToText(const BootState& state) {
  Json banks = Json::object();
  for (const registers::RegisterBank& bank : state.registers) {
    banks[std::string(crypto::Name(bank.alg()))] = ToJson(bank);
  }
  return Json{{"version", kVersion}, {"registers", banks}, {"boot_log", ToBase64(state.boot_log)}}
      .dump();
}

absl::StatusOr<BootState> BootStateFromText(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const bool whole = json.is_object() && json.value("version", Json()) == Json(kVersion) &&
                     json.value("registers", Json()).is_object() &&
                     json.value("boot_log", Json()).is_string();
  if (!whole) return Corrupt("not the fields that we write");
  BootState state;
  for (const auto& [name, bank] : json["registers"].items()) {
    BG_ASSIGN_OR_RETURN(registers::RegisterBank read, BankOf(name, bank));
    state.registers.push_back(std::move(read));
  }
  absl::StatusOr<Bytes> log = FromStrictBase64(json["boot_log"].get<std::string>());
  if (!log.ok()) return Corrupt("its log");
  state.boot_log = *std::move(log);
  return state;
}

absl::StatusOr<BootState> LastBootState(store::Store& store, const std::string& host_id) {
  BG_ASSIGN_OR_RETURN(const std::string id, DocumentOf(store, host_id));
  if (id.empty()) {
    return absl::NotFoundError(
        absl::StrCat(host_id, " was not admitted yet while it had secrets across boots"));
  }
  BG_ASSIGN_OR_RETURN(const store::DocumentRow document, store.GetDocument(kBootStateKind, id));
  return BootStateFromText(document.text);
}

absl::Status RememberBootState(store::Store& store, const std::string& host_id,
                               const BootState& state, absl::Time now) {
  store::DocumentRow document;
  document.kind = kBootStateKind;
  document.text = ToText(state);
  document.id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(document.text)).hex();
  document.name = host_id;
  document.author = std::string(audit::kGatekeeperActor);
  document.created_at = now;
  BG_ASSIGN_OR_RETURN(const std::string before, DocumentOf(store, host_id));
  if (before == document.id) return absl::OkStatus();
  const auto row = [&](absl::string_view action) {
    return audit::MakeRow(now, audit::kGatekeeperActor, action, host_id,
                          audit::Detail().Text("boot_state", document.id));
  };
  BG_RETURN_IF_ERROR(store.PutDocument(document, row("boot-state.store")));
  store::AssignmentRow assignment;
  assignment.kind = kBootStateKind;
  assignment.selector = host_id;
  assignment.document_id = document.id;
  assignment.author = document.author;
  assignment.at = now;
  return store.Assign(assignment, row("boot-state.assign"));
}

std::vector<registers::RegisterBank> Restricted(const std::vector<registers::RegisterBank>& banks,
                                                const registers::Selection& selection) {
  std::vector<registers::RegisterBank> out;
  for (const registers::RegisterBank& bank : banks) {
    registers::RegisterBank kept(bank.alg());
    const uint32_t mask = registers::MaskOf(selection, bank.alg()) & bank.mask();
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      if ((mask >> i & 1) != 0) kept.Set(i, *bank.Get(i));
    }
    if (kept.mask() != 0) out.push_back(std::move(kept));
  }
  return out;
}

}  // namespace bootgate::gatekeeper::sealing
