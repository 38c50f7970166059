#include "gatekeeper/softening/softening.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::softening {
namespace {

using Json = nlohmann::ordered_json;
using Parsed = nlohmann::json;  // what was frozen somewhere; finds a member of many in no time

constexpr size_t kMaxSofteningBytes = size_t{16} << 20;
constexpr size_t kMaxWaivers = 10000;

const Waiver* CoveringOne(const std::vector<Waiver>& waivers, const Finding& finding) {
  const auto found =
      std::ranges::find_if(waivers, [&](const Waiver& waiver) { return Covers(waiver, finding); });
  return found == waivers.end() ? nullptr : &*found;
}

void Soften(const Softening& softening, Finding* finding) {
  finding->action = ActionOf(softening.actions, finding->code);
  const Waiver* const waiver = CoveringOne(softening.waivers, *finding);
  if (waiver != nullptr) {
    finding->action = Action::kObserve;
    finding->waiver = waiver->id;
    absl::StrAppend(&finding->text, " Waived until ", FormatUtc(waiver->expires_at), " by ",
                    waiver->id, ".");
  } else if (finding->action == Action::kObserve) {
    absl::StrAppend(&finding->text, " Only observed, by configuration.");
  }
  if (finding->action == Action::kObserve) finding->severity = Severity::kWarning;
}

absl::Status Bad(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("actions and waivers: ", what));
}

absl::Status TakeCodes(const Parsed& json, const char* name, std::vector<std::string>* to) {
  const Parsed codes = json.value(name, Parsed());
  if (!codes.is_array()) return Bad(absl::StrCat(name, " is no list"));
  for (const Parsed& code : codes) {
    if (!code.is_string()) return Bad(absl::StrCat(name, " holds something else than text"));
    to->push_back(code.get<std::string>());
  }
  return absl::OkStatus();
}

absl::Status TakeWaivers(const Parsed& json, std::vector<Waiver>* to) {
  const Parsed waivers = json.value("waivers", Parsed());
  if (!waivers.is_array() || waivers.size() > kMaxWaivers) return Bad("waivers is no list");
  for (const Parsed& row : waivers) {
    const Parsed id = row.is_object() ? row.value("id", Parsed()) : Parsed();
    const Parsed text = row.is_object() ? row.value("text", Parsed()) : Parsed();
    if (!id.is_string() || !text.is_string()) return Bad("a waiver is not id and text");
    BG_ASSIGN_OR_RETURN(Waiver waiver, ReadWaiver(text.get<std::string>()));
    waiver.id = id.get<std::string>();
    to->push_back(std::move(waiver));
  }
  return absl::OkStatus();
}

}  // namespace

void Soften(const Softening& softening, std::vector<Finding>* findings) {
  for (Finding& finding : *findings) {
    const bool denies =
        finding.severity == Severity::kFail && Info(finding.code).outcome == OutcomeClass::kDeny;
    if (denies && !finding.action.has_value()) Soften(softening, &finding);
  }
}

bool LooksAtPaths(const Softening& softening) {
  return std::ranges::any_of(softening.waivers, [](const Waiver& waiver) {
    return std::ranges::any_of(waiver.findings,
                               [](const WaivedFinding& finding) { return !finding.path.empty(); });
  });
}

std::string SofteningText(const Softening& softening) {
  Json json{{"default", std::string(Name(softening.actions.otherwise))},
            {"observe", Json::array()},
            {"restrict", Json::array()},
            {"isolate", Json::array()},
            {"waivers", Json::array()}};
  for (const auto& [code, action] : softening.actions.of)
    json[std::string(Name(action))].push_back(std::string(Code(code)));
  for (const Waiver& waiver : softening.waivers)
    json["waivers"].push_back(Json{{"id", waiver.id}, {"text", WaiverText(waiver)}});
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<Softening> ReadSoftening(absl::string_view text) {
  if (text.size() > kMaxSofteningBytes) return Bad("too long");
  const Parsed json = Parsed::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Bad("no JSON object");
  ActionLists lists;
  const Parsed otherwise = json.value("default", Parsed());
  if (!otherwise.is_string()) return Bad("default is no text");
  lists.otherwise = otherwise.get<std::string>();
  BG_RETURN_IF_ERROR(TakeCodes(json, "observe", &lists.observe));
  BG_RETURN_IF_ERROR(TakeCodes(json, "restrict", &lists.restrict));
  BG_RETURN_IF_ERROR(TakeCodes(json, "isolate", &lists.isolate));
  Softening out;
  BG_ASSIGN_OR_RETURN(out.actions, ReadActions(lists));
  BG_RETURN_IF_ERROR(TakeWaivers(json, &out.waivers));
  return out;
}

}  // namespace bootgate::gatekeeper::softening
