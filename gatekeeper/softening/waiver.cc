#include "gatekeeper/softening/waiver.h"

#include <fnmatch.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/host/host.h"
#include "gatekeeper/reference/path_patterns.h"
#include "gatekeeper/softening/actions.h"

namespace bootgate::gatekeeper::softening {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint32_t kRegisters = 24;

absl::Status Bad(absl::string_view what) {
  return Refuse(absl::StatusCode::kInvalidArgument, Reason::kWaiver, what);
}

absl::Status CheckWords(absl::string_view name, absl::string_view words) {
  if (absl::StripAsciiWhitespace(words).empty()) return Bad(absl::StrCat(name, ": is missing"));
  if (words.size() > kMaxWaiverWords)
    return Bad(absl::StrCat(name, ": at most ", kMaxWaiverWords, " bytes"));
  return absl::OkStatus();
}

absl::Status CheckFinding(const WaivedFinding& finding) {
  const absl::StatusOr<Reason> code = ReadCode(Code(finding.code), Action::kObserve);
  if (!code.ok()) return Bad(code.status().message());
  if (finding.register_index.value_or(0) >= kRegisters)
    return Bad(absl::StrCat("register: ", *finding.register_index, " is none; 0 to 23 are"));
  const auto stars = std::count(finding.path.begin(), finding.path.end(), '*');
  if (finding.path.size() > kMaxPathPattern || static_cast<size_t>(stars) > kMaxPathStars) {
    return Bad(
        absl::StrCat("path: at most ", kMaxPathPattern, " bytes and ", kMaxPathStars, " '*'"));
  }
  if (!finding.path.empty() && finding.path.front() != '/')
    return Bad(absl::StrCat("path: '", Printable(finding.path, 64), "' does not begin with '/'"));
  if (finding.expected.size() > kMaxWaiverWords || finding.actual.size() > kMaxWaiverWords)
    return Bad(absl::StrCat("expected, actual: at most ", kMaxWaiverWords, " bytes"));
  return absl::OkStatus();
}

absl::Status CheckHosts(const Waiver& waiver) {
  if (waiver.hosts.empty() && waiver.selector.empty())
    return Bad("hosts: name at least one, or a selector; a waiver for all hosts there is not");
  if (waiver.hosts.size() > kMaxWaivedHosts)
    return Bad(absl::StrCat("hosts: at most ", kMaxWaivedHosts, "; take a selector"));
  for (const std::string& id : waiver.hosts) {
    if (!host::IsHostId(id))
      return Bad(absl::StrCat("hosts: '", Printable(id, 64), "' is no host id"));
  }
  return absl::OkStatus();
}

// ---- JSON

Json ToJson(const WaivedFinding& finding) {
  Json json{{"code", std::string(Code(finding.code))}};
  if (finding.register_index.has_value()) json["register"] = *finding.register_index;
  if (!finding.path.empty()) json["path"] = finding.path;
  if (!finding.expected.empty()) json["expected"] = finding.expected;
  if (!finding.actual.empty()) json["actual"] = finding.actual;
  return json;
}

absl::Status CheckMembers(const Json& json, absl::string_view of,
                          const std::set<std::string>& known) {
  if (!json.is_object()) return Bad(absl::StrCat(of, ": is no JSON object"));
  for (const auto& [name, value] : json.items()) {
    if (!known.contains(name))
      return Bad(absl::StrCat(of, ": '", Printable(name, 64), "' is not known"));
  }
  return absl::OkStatus();
}

absl::Status TakeText(const Json& json, const char* name, std::string* to) {
  const auto found = json.find(name);
  if (found == json.end()) return absl::OkStatus();
  if (!found->is_string()) return Bad(absl::StrCat(name, ": is no text"));
  *to = found->get<std::string>();
  return absl::OkStatus();
}

absl::StatusOr<WaivedFinding> FindingFrom(const Json& json) {
  BG_RETURN_IF_ERROR(
      CheckMembers(json, "findings", {"code", "register", "path", "expected", "actual"}));
  WaivedFinding finding;
  std::string code;
  BG_RETURN_IF_ERROR(TakeText(json, "code", &code));
  const absl::StatusOr<Reason> reason = ReadCode(code, Action::kObserve);
  if (!reason.ok()) return Bad(reason.status().message());
  finding.code = *reason;
  if (const auto found = json.find("register"); found != json.end()) {
    if (!found->is_number_unsigned() || found->get<uint64_t>() >= kRegisters)
      return Bad("register: is not 0 to 23");
    finding.register_index = found->get<uint32_t>();
  }
  BG_RETURN_IF_ERROR(TakeText(json, "path", &finding.path));
  BG_RETURN_IF_ERROR(TakeText(json, "expected", &finding.expected));
  BG_RETURN_IF_ERROR(TakeText(json, "actual", &finding.actual));
  return finding;
}

absl::Status TakeFindings(const Json& json, Waiver* to) {
  const Json findings = json.value("findings", Json());
  if (!findings.is_array() || findings.size() > kMaxWaivedFindings)
    return Bad(absl::StrCat("findings: is no list of at most ", kMaxWaivedFindings));
  for (const Json& finding : findings) {
    BG_ASSIGN_OR_RETURN(to->findings.emplace_back(), FindingFrom(finding));
  }
  return absl::OkStatus();
}

absl::Status TakeHosts(const Json& json, Waiver* to) {
  const Json hosts = json.value("hosts", Json());
  BG_RETURN_IF_ERROR(CheckMembers(hosts, "hosts", {"ids", "selector"}));
  BG_RETURN_IF_ERROR(TakeText(hosts, "selector", &to->selector));
  const auto ids = hosts.find("ids");
  if (ids == hosts.end()) return absl::OkStatus();
  if (!ids->is_array() || ids->size() > kMaxWaivedHosts)
    return Bad(absl::StrCat("ids: is no list of at most ", kMaxWaivedHosts));
  for (const Json& id : *ids) {
    if (!id.is_string()) return Bad("ids: one is no text");
    to->hosts.push_back(id.get<std::string>());
  }
  return absl::OkStatus();
}

bool Fits(const WaivedFinding& waived, const Finding& finding) {
  if (waived.code != finding.code) return false;
  if (waived.register_index.has_value() && waived.register_index != finding.register_index)
    return false;
  if (!waived.expected.empty() && waived.expected != finding.expected) return false;
  if (!waived.actual.empty() && waived.actual != finding.actual) return false;
  if (waived.path.empty()) return true;
  return reference::IsPlainPath(finding.path) &&
         fnmatch(waived.path.c_str(), finding.path.c_str(), FNM_PATHNAME | FNM_NOESCAPE) == 0;
}

}  // namespace

absl::StatusOr<Waiver> ReadWaiver(absl::string_view text) {
  if (text.size() > kMaxWaiverBytes)
    return Bad(absl::StrCat("a waiver has at most ", kMaxWaiverBytes, " bytes"));
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Bad("the waiver is no JSON");
  BG_RETURN_IF_ERROR(
      CheckMembers(json, "waiver", {"findings", "hosts", "owner", "reason", "expires_at"}));
  Waiver waiver;
  BG_RETURN_IF_ERROR(TakeFindings(json, &waiver));
  BG_RETURN_IF_ERROR(TakeHosts(json, &waiver));
  BG_RETURN_IF_ERROR(TakeText(json, "owner", &waiver.owner));
  BG_RETURN_IF_ERROR(TakeText(json, "reason", &waiver.reason));
  std::string expires;
  BG_RETURN_IF_ERROR(TakeText(json, "expires_at", &expires));
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_sec, expires, &waiver.expires_at, &error))
    return Bad("expires_at: is no time like 2026-12-24T00:00:00Z");
  BG_RETURN_IF_ERROR(CheckWaiver(waiver));
  return waiver;
}

absl::Status CheckWaiver(const Waiver& waiver) {
  if (waiver.findings.empty() || waiver.findings.size() > kMaxWaivedFindings)
    return Bad(absl::StrCat("findings: name 1 to ", kMaxWaivedFindings));
  for (const WaivedFinding& finding : waiver.findings) BG_RETURN_IF_ERROR(CheckFinding(finding));
  BG_RETURN_IF_ERROR(CheckHosts(waiver));
  BG_RETURN_IF_ERROR(CheckWords("owner", waiver.owner));
  return CheckWords("reason", waiver.reason);
}

std::string WaiverText(const Waiver& waiver) {
  Json findings = Json::array();
  for (const WaivedFinding& finding : waiver.findings) findings.push_back(ToJson(finding));
  const Json json{{"findings", findings},
                  {"hosts", {{"ids", waiver.hosts}, {"selector", waiver.selector}}},
                  {"owner", waiver.owner},
                  {"reason", waiver.reason},
                  {"expires_at", FormatUtc(waiver.expires_at)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Describe(const WaivedFinding& finding) {
  std::string out(Code(finding.code));
  if (!finding.path.empty()) absl::StrAppend(&out, " of ", Printable(finding.path));
  if (finding.register_index.has_value()) absl::StrAppend(&out, ", PCR ", *finding.register_index);
  if (!finding.expected.empty())
    absl::StrAppend(&out, ", expected ", Printable(finding.expected, 80));
  if (!finding.actual.empty()) absl::StrAppend(&out, ", actual ", Printable(finding.actual, 80));
  return out;
}

bool Covers(const Waiver& waiver, const Finding& finding) {
  if (MildestFor(finding.code).action != Action::kObserve) return false;
  return std::ranges::any_of(waiver.findings,
                             [&](const WaivedFinding& waived) { return Fits(waived, finding); });
}

}  // namespace bootgate::gatekeeper::softening
