#include "gatekeeper/app/quarantine_config.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace bootgate::gatekeeper::app {
namespace {

constexpr absl::Duration kLongestSpan = absl::Hours(24 * 365);
constexpr int64_t kMostHosts = 10'000'000;

void ReadActions(config::ConfigFile& file, softening::Actions* out) {
  softening::ActionLists lists;
  file.Text("actions.default", &lists.otherwise);
  file.Texts("actions.observe", &lists.observe);
  file.Texts("actions.restrict", &lists.restrict);
  file.Texts("actions.isolate", &lists.isolate);
  absl::StatusOr<softening::Actions> actions = softening::ReadActions(lists);
  if (actions.ok()) {
    *out = *std::move(actions);
    return;
  }
  const std::string complaints(actions.status().message());
  for (const absl::string_view line : absl::StrSplit(complaints, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(": ", 1));
    file.Complain(absl::StrCat("actions.", parts.first), parts.second);
  }
}

void ReadBrake(config::ConfigFile& file, quarantine::BrakeOptions* out) {
  std::string mode = "on";
  file.Choice("brake.mode", {"on", "off"}, &mode);
  out->on = mode != "off";
  file.Integer("brake.share_percent", 1, 100, &out->share_percent);
  file.Integer("brake.least", 1, kMostHosts, &out->least);
  file.Span("brake.window", absl::Seconds(10), absl::Hours(24), &out->window);
}

}  // namespace

void ReadQuarantine(config::ConfigFile& file, QuarantineConfig* out) {
  ReadActions(file, &out->actions);
  file.Span("waivers.longest", absl::Hours(1), kLongestSpan, &out->longest_waiver);
  ReadBrake(file, &out->brake);
  file.Flag("quarantine.second_approver", &out->second_approver);
}

std::string CodesOf(const softening::Actions& actions, Action action) {
  std::vector<std::string> codes;
  for (const auto& [code, comes_to] : actions.of) {
    if (comes_to == action) codes.emplace_back(Code(code));
  }
  return absl::StrJoin(codes, ",");
}

}  // namespace bootgate::gatekeeper::app
