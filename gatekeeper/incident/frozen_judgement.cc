#include "gatekeeper/incident/frozen_judgement.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "gatekeeper/store/cursor_codec.h"

namespace bootgate::gatekeeper::incident {
namespace {

using Json = nlohmann::ordered_json;
// What others wrote: finds a member of many in no time, where the ordered kind looks at each.
using Parsed = nlohmann::json;

constexpr int kFormat = 1;
constexpr size_t kMaxJudgement = size_t{8} << 20;  // bytes of the JSON part
constexpr size_t kMaxNotes = 1000;                 // findings, claims, or rows of coverage
constexpr size_t kMaxSets = 128;
constexpr size_t kMaxLabels = 256;
constexpr uint32_t kPcrOfIma = 10;
constexpr char kPart[] = "judgement";
constexpr char kProgressPart[] = "ima_progress";

// The raw parts, each at its place; those of the evidence have the names they always had.
template <typename Judgement, typename Use>
void ForRawParts(Judgement& j, const Use& use) {
  use("boot_log", j.evidence.boot_log);
  use("user_log", j.evidence.user_log);
  use("ima_before_quote", j.evidence.ima.before_quote);
  use("ima_after_quote", j.evidence.ima.after_quote);
  use("quote", j.evidence.quote.attest);
  use("signature", j.evidence.quote.signature);
  use("rp_data", j.evidence.statement.rp_data);
  use("ak_public", j.host.ak_public);
  use("ak_qualified_name", j.host.ak_qualified_name);
  use("ak_certificate", j.host.ak_certificate);
  use("ek_public", j.host.ek_public);
  use("ek_certificate", j.host.ek_certificate);
  use("own_ek_certificate", j.host.own_ek_certificate);
}

template <typename Judgement, typename Use>
void ForTextParts(Judgement& j, const Use& use) {
  use("request_key", j.evidence.statement.request_key);
  use("kernel_boot_id", j.evidence.statement.kernel_boot_id);
  use(kPolicyPart, j.policy);
  use("candidate_policy", j.candidate);
  use(kReferencePart, j.reference);
  use("softening", j.softening);
  use(kVerdictPart, j.verdict_json);
  use(kTracePart, j.trace_json);
}

Json NumberOrNull(const std::optional<uint32_t>& number) {
  return number ? Json(*number) : Json(nullptr);
}

Json ToJson(const Finding& f) {
  return Json{{"code", std::string(Code(f.code))},
              {"severity", Name(f.severity)},
              {"register", NumberOrNull(f.register_index)},
              {"event", NumberOrNull(f.event)},
              {"expected", f.expected},
              {"actual", f.actual},
              {"text", f.text}};
}

Json ToJson(const Claim& claim) {
  return Json{{"type", claim.type},
              {"value", std::visit([](const auto& held) { return Json(held); }, claim.value)},
              {"issuer", Name(claim.issuer)},
              {"read_only", claim.read_only}};
}

Json ToJson(const StateNotes& notes) {
  Json out = {{"findings", Json::array()},
              {"claims", Json::array()},
              {"checked", notes.coverage.checked},
              {"not_checked", Json::array()}};
  for (const Finding& finding : notes.findings) out["findings"].push_back(ToJson(finding));
  for (const Claim& claim : notes.claims) out["claims"].push_back(ToJson(claim));
  for (const NotChecked& row : notes.coverage.not_checked)
    out["not_checked"].push_back({{"what", row.what}, {"why", row.why}});
  return out;
}

Json ToJson(const std::vector<evidence::CertifiedKey>& keys) {
  Json out = Json::array();
  for (const evidence::CertifiedKey& key : keys) {
    out.push_back({{"public", ToHex(key.public_area)},
                   {"attest", ToHex(key.certify_attest)},
                   {"signature", ToHex(key.certify_signature)}});
  }
  return out;
}

// What the host said is kept in hexadecimal: it need not be text at all.
Json ToJson(const std::vector<evidence::CustomClaim>& claims) {
  Json out = Json::array();
  for (const evidence::CustomClaim& claim : claims) {
    out.push_back({{"name", ToHex(AsBytes(claim.name))},
                   {"value", ToHex(AsBytes(claim.value))},
                   {"type", ToHex(AsBytes(claim.value_type))}});
  }
  return out;
}

Json ToJson(const std::vector<tpm2::UntrustedPcr>& values) {
  Json out = Json::array();
  for (const tpm2::UntrustedPcr& value : values) {
    out.push_back({{"bank", std::string(crypto::Name(value.bank))},
                   {"index", value.index},
                   {"value", ToHex(value.value)}});
  }
  return out;
}

Json HostJson(const JudgedHost& host) {
  return Json{{"id", host.id},
              {"hostname", Printable(host.hostname)},
              {"trust", host.trust},
              {"labels", host.labels},
              {"ek_trust", host.ek_trust},
              {"assurance", host.assurance},
              {"last_boot", host.last_boot},
              {"admitted_ima_entries", host.admitted_ima_entries}};
}

Json FactsJson(const evidence::HostFacts& facts) {
  return Json{{"hostname", Printable(facts.hostname)},
              {"kernel_release", Printable(facts.kernel_release)},
              {"os_release", Printable(facts.os_release)},
              {"agent_version", Printable(facts.agent_version)},
              {"boot_id", Printable(facts.boot_id)}};
}

std::string JudgementJson(const FrozenJudgement& j) {
  const evidence::Evidence& e = j.evidence;
  const Json json = {{"format", kFormat},
                     {"verdict_id", j.verdict_id},
                     {"program", j.program},
                     {"at", FormatUtc(j.at)},
                     {"at_ns", absl::ToUnixNanos(j.at)},
                     {"host", HostJson(j.host)},
                     {"cluster_id", j.cluster_id},
                     {"nonce", ToHex(e.nonce)},
                     {"selection", registers::Format(j.selection)},
                     {"runtime_extended", j.runtime_extended},
                     {"behind_is_failure", j.behind_is_failure},
                     {"ima_first_entry", e.ima.first_entry},
                     {"ima_bound_entries", e.ima.before_quote_count},
                     {"sets", j.sets},
                     {"pcr_values", ToJson(e.quote.values)},
                     {"identity_keys", ToJson(e.identity_keys)},
                     {"other_keys", ToJson(e.other_keys)},
                     {"custom_claims", ToJson(e.statement.custom_claims)},
                     {"facts", FactsJson(e.facts)},
                     {"notes", ToJson(j.notes)}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::Status Bad(absl::string_view part, absl::string_view what) {
  return Malformed(Reason::kArchive, absl::StrCat("part ", part, ": ", what));
}

// One JSON object, read member by member; the first that is missing or of another kind is told.
class Members {
 public:
  Members(const Parsed& json, absl::Status* status) : json_(json), status_(status) {}

  std::string Text(const char* name) const {
    const Parsed* const found = Find(name);
    if (found == nullptr) return "";
    if (found->is_string()) return found->get<std::string>();
    Complain(name, "is not a text");
    return "";
  }
  uint64_t Number(const char* name, uint64_t most) const {
    const Parsed* const found = Find(name);
    if (found == nullptr) return 0;
    if (found->is_number_unsigned() && found->get<uint64_t>() <= most)
      return found->get<uint64_t>();
    Complain(name, "is not a number from 0 on, or is too large");
    return 0;
  }
  int64_t Signed(const char* name) const {
    const Parsed* const found = Find(name);
    if (found == nullptr) return 0;
    if (found->is_number_integer()) return found->get<int64_t>();
    Complain(name, "is not a number");
    return 0;
  }
  bool Flag(const char* name) const {
    const Parsed* const found = Find(name);
    if (found == nullptr) return false;
    if (found->is_boolean()) return found->get<bool>();
    Complain(name, "is neither true nor false");
    return false;
  }
  Bytes Hex(const char* name, size_t max_bytes) const {
    const absl::StatusOr<Bytes> bytes = FromHex(Text(name));
    if (bytes.ok() && bytes->size() <= max_bytes) return *bytes;
    Complain(name, "is not hexadecimal, or too long");
    return {};
  }
  std::optional<uint32_t> NumberIfAny(const char* name) const {
    const Parsed* const found = Find(name);
    if (found == nullptr || found->is_null()) return std::nullopt;
    return static_cast<uint32_t>(Number(name, UINT32_MAX));
  }
  Members Object(const char* name) const {
    static const Parsed empty = Parsed::object();
    const Parsed* const found = Find(name);
    if (found != nullptr && found->is_object()) return {*found, status_};
    Complain(name, "is not an object");
    return {empty, status_};
  }
  // Its elements, at most `most`.
  const Parsed& Array(const char* name, size_t most) const {
    static const Parsed none = Parsed::array();
    const Parsed* const found = Find(name);
    if (found != nullptr && found->is_array() && found->size() <= most) return *found;
    Complain(name, "is not an array, or has too many elements");
    return none;
  }
  const Parsed& json() const { return json_; }
  absl::Status* status() const { return status_; }

 private:
  const Parsed* Find(const char* name) const {
    const auto found = json_.is_object() ? json_.find(name) : json_.end();
    if (json_.is_object() && found != json_.end()) return &*found;
    Complain(name, "is missing");
    return nullptr;
  }
  void Complain(const char* name, absl::string_view what) const {
    status_->Update(Bad(kPart, absl::StrCat(name, " ", what)));
  }

  const Parsed& json_;
  absl::Status* const status_;
};

Finding FindingFrom(const Members& in) {
  Finding finding;
  const std::optional<Reason> code = ReasonFromCode(in.Text("code"));
  if (code.has_value())
    finding.code = *code;
  else
    in.status()->Update(Bad(kPart, "a finding has a code that this program does not know"));
  const std::string severity = in.Text("severity");
  for (const Severity one : {Severity::kInfo, Severity::kWarning, Severity::kFail}) {
    if (severity == Name(one)) finding.severity = one;
  }
  finding.register_index = in.NumberIfAny("register");
  finding.event = in.NumberIfAny("event");
  finding.expected = in.Text("expected");
  finding.actual = in.Text("actual");
  finding.text = in.Text("text");
  return finding;
}

Claim ClaimFrom(const Members& in) {
  Claim claim;
  claim.type = in.Text("type");
  const auto value = in.json().find("value");
  if (value == in.json().end())
    in.status()->Update(Bad(kPart, "a claim has no value"));
  else if (value->is_boolean())
    claim.value = value->get<bool>();
  else if (value->is_number_integer())
    claim.value = value->get<int64_t>();
  else
    claim.value = in.Text("value");
  const std::string issuer = in.Text("issuer");
  for (const Issuer one :
       {Issuer::kAttestationService, Issuer::kAttestationPolicy, Issuer::kCustomClaim}) {
    if (issuer == Name(one)) claim.issuer = one;
  }
  claim.read_only = in.Flag("read_only");
  return claim;
}

StateNotes NotesFrom(const Members& in) {
  StateNotes notes;
  for (const Parsed& row : in.Array("findings", kMaxNotes))
    notes.findings.push_back(FindingFrom({row, in.status()}));
  for (const Parsed& row : in.Array("claims", kMaxNotes))
    if (row.is_object()) notes.claims.push_back(ClaimFrom({row, in.status()}));
  for (const Parsed& row : in.Array("checked", kMaxNotes))
    notes.coverage.checked.push_back(row.is_string() ? row.get<std::string>() : "");
  for (const Parsed& row : in.Array("not_checked", kMaxNotes)) {
    const Members member(row, in.status());
    notes.coverage.not_checked.push_back({member.Text("what"), member.Text("why")});
  }
  return notes;
}

std::vector<evidence::CertifiedKey> KeysFrom(const Parsed& rows, absl::Status* status) {
  std::vector<evidence::CertifiedKey> keys;
  for (const Parsed& row : rows) {
    const Members in(row, status);
    keys.push_back({.public_area = in.Hex("public", evidence::kMaxSmallPart),
                    .certify_attest = in.Hex("attest", evidence::kMaxSmallPart),
                    .certify_signature = in.Hex("signature", evidence::kMaxSmallPart)});
  }
  return keys;
}

std::string AsText(const Bytes& bytes) { return std::string(bytes.begin(), bytes.end()); }

std::vector<evidence::CustomClaim> CustomFrom(const Parsed& rows, absl::Status* status) {
  std::vector<evidence::CustomClaim> claims;
  for (const Parsed& row : rows) {
    const Members in(row, status);
    claims.push_back({.name = AsText(in.Hex("name", evidence::kMaxCustomName)),
                      .value = AsText(in.Hex("value", evidence::kMaxCustomValue)),
                      .value_type = AsText(in.Hex("type", evidence::kMaxCustomName))});
  }
  return claims;
}

std::vector<tpm2::UntrustedPcr> ValuesFrom(const Parsed& rows, absl::Status* status) {
  std::vector<tpm2::UntrustedPcr> values;
  for (const Parsed& row : rows) {
    const Members in(row, status);
    tpm2::UntrustedPcr& value = values.emplace_back();
    const std::optional<crypto::HashAlg> bank = crypto::HashAlgFromName(in.Text("bank"));
    if (bank.has_value())
      value.bank = *bank;
    else
      status->Update(Bad(kPart, "a PCR value is of no known bank"));
    value.index = static_cast<uint32_t>(in.Number("index", registers::kCount - 1));
    value.value = in.Hex("value", crypto::kMaxDigestSize);
  }
  return values;
}

JudgedHost HostFrom(const Members& in) {
  JudgedHost host;
  host.id = in.Text("id");
  host.hostname = in.Text("hostname");
  host.trust = in.Text("trust");
  const Members labels = in.Object("labels");
  if (labels.json().size() > kMaxLabels) in.status()->Update(Bad(kPart, "too many labels"));
  for (const auto& [name, value] : labels.json().items()) {
    if (value.is_string()) host.labels[name] = value.get<std::string>();
  }
  host.ek_trust = in.Text("ek_trust");
  host.assurance = in.Text("assurance");
  host.last_boot = in.Text("last_boot");
  host.admitted_ima_entries = in.Number("admitted_ima_entries", UINT64_MAX);
  return host;
}

evidence::Evidence EvidenceFrom(const Members& in) {
  evidence::Evidence e;
  e.nonce = in.Hex("nonce", evidence::kMaxSmallPart);
  e.ima.first_entry = in.Number("ima_first_entry", UINT64_MAX);
  e.ima.before_quote_count = in.Number("ima_bound_entries", UINT64_MAX);
  e.quote.values = ValuesFrom(in.Array("pcr_values", evidence::kMaxPcrValues), in.status());
  e.identity_keys = KeysFrom(in.Array("identity_keys", 1), in.status());
  e.other_keys = KeysFrom(in.Array("other_keys", evidence::kMaxOtherKeys), in.status());
  e.statement.custom_claims =
      CustomFrom(in.Array("custom_claims", evidence::kMaxCustomClaims), in.status());
  return e;
}

absl::StatusOr<FrozenJudgement> FromJson(ByteView text) {
  if (text.size() > kMaxJudgement) return Bad(kPart, "is too long");
  const Parsed json = Parsed::parse(text.begin(), text.end(), nullptr, false);
  if (!json.is_object()) return Bad(kPart, "is no JSON object");
  absl::Status status;
  const Members in(json, &status);
  if (in.Number("format", UINT32_MAX) != kFormat) {
    return Bad(kPart,
               absl::StrCat("is of a format that this program does not know; it reads ", kFormat));
  }
  FrozenJudgement j;
  j.evidence = EvidenceFrom(in);
  j.verdict_id = in.Text("verdict_id");
  j.program = in.Text("program");
  j.at = absl::FromUnixNanos(in.Signed("at_ns"));
  j.host = HostFrom(in.Object("host"));
  j.evidence.host_id = j.host.id;
  j.cluster_id = in.Text("cluster_id");
  j.runtime_extended = static_cast<uint32_t>(in.Number("runtime_extended", UINT32_MAX));
  j.behind_is_failure = in.Flag("behind_is_failure");
  for (const Parsed& set : in.Array("sets", kMaxSets))
    j.sets.push_back(set.is_string() ? set.get<std::string>() : "");
  j.notes = NotesFrom(in.Object("notes"));
  BG_RETURN_IF_ERROR(status);
  absl::StatusOr<registers::Selection> selection = registers::ParseSelection(in.Text("selection"));
  if (!selection.ok()) return Bad(kPart, selection.status().message());
  j.selection = *std::move(selection);
  return j;
}

}  // namespace

Parts Pack(const FrozenJudgement& judgement) {
  Parts parts;
  ForRawParts(judgement, [&parts](absl::string_view name, const Bytes& bytes) {
    if (!bytes.empty()) parts[std::string(name)] = bytes;
  });
  ForTextParts(judgement, [&parts](absl::string_view name, const std::string& text) {
    if (!text.empty()) parts[std::string(name)] = ToBytes(AsBytes(text));
  });
  const Bytes custom_claims = evidence::CustomClaimsBytes(judgement.evidence.statement);
  if (!custom_claims.empty()) parts["custom_claims"] = custom_claims;
  if (judgement.before.has_value()) {
    bytes::Writer out;
    store::PutImaProgress(out, *judgement.before);
    parts[kProgressPart] = ToBytes(out.view());
  }
  parts[kPart] = ToBytes(AsBytes(JudgementJson(judgement)));
  return parts;
}

absl::StatusOr<FrozenJudgement> Unpack(const Parts& parts) {
  const auto head = parts.find(kPart);
  if (head == parts.end()) return Bad(kPart, "is missing");
  BG_ASSIGN_OR_RETURN(FrozenJudgement judgement, FromJson(head->second));
  ForRawParts(judgement, [&parts](absl::string_view name, Bytes& bytes) {
    if (const auto found = parts.find(std::string(name)); found != parts.end())
      bytes = found->second;
  });
  ForTextParts(judgement, [&parts](absl::string_view name, std::string& text) {
    if (const auto found = parts.find(std::string(name)); found != parts.end())
      text = AsText(found->second);
  });
  for (const absl::string_view needed : {"quote", "signature", "ak_public", "verdict"}) {
    if (!parts.contains(std::string(needed))) return Bad(needed, "is missing");
  }
  if (const auto found = parts.find(kProgressPart); found != parts.end()) {
    bytes::Reader in(found->second);
    absl::StatusOr<ImaProgress> before = store::TakeImaProgress(in);
    if (!before.ok() || !in.ExpectEnd().ok()) return Bad(kProgressPart, "cannot be read");
    judgement.before = *std::move(before);
  }
  return judgement;
}

absl::StatusOr<std::vector<std::string>> SetsOf(const Parts& parts) {
  const auto head = parts.find(kPart);
  if (head == parts.end()) return Bad(kPart, "is missing");
  BG_ASSIGN_OR_RETURN(FrozenJudgement judgement, FromJson(head->second));
  return std::move(judgement.sets);
}

std::string PcrsJson(const std::vector<tpm2::UntrustedPcr>& values) {
  nlohmann::json out = nlohmann::json::object();
  for (const tpm2::UntrustedPcr& value : values) {
    if (value.index == kPcrOfIma) continue;
    out[std::string(crypto::Name(value.bank))][absl::StrCat(value.index)] = ToHex(value.value);
  }
  return out.dump();
}

absl::StatusOr<std::vector<tpm2::UntrustedPcr>> ReadPcrsJson(absl::string_view json) {
  const Parsed banks = Parsed::parse(json.begin(), json.end(), nullptr, false);
  if (!banks.is_object()) return Bad(kPcrsPart, "is no JSON object");
  std::vector<tpm2::UntrustedPcr> values;
  for (const auto& [name, bank] : banks.items()) {
    const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromName(name);
    if (!alg.has_value() || !bank.is_object()) return Bad(kPcrsPart, "has no known bank");
    for (uint32_t index = 0; index < registers::kCount; ++index) {
      const auto found = bank.find(absl::StrCat(index));
      if (found == bank.end() || !found->is_string()) continue;
      BG_ASSIGN_OR_RETURN(Bytes value, FromHex(found->get<std::string>()));
      values.push_back({.bank = *alg, .index = index, .value = std::move(value)});
    }
  }
  return values;
}

}  // namespace bootgate::gatekeeper::incident
