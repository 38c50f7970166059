#include "gatekeeper/store/store.h"

namespace bootgate::gatekeeper::store {
namespace {

constexpr struct {
  Step step;
  absl::string_view name;
} kSteps[] = {
    {Step::kEnforce, "enforce"}, {Step::kReport, "report"},        {Step::kRollBack, "roll-back"},
    {Step::kEnd, "end"},         {Step::kEndReport, "end-report"},
};

}  // namespace

absl::string_view Name(Step step) {
  for (const auto& row : kSteps) {
    if (row.step == step) return row.name;
  }
  return "unknown";
}

std::optional<Step> StepFromName(absl::string_view name) {
  for (const auto& row : kSteps) {
    if (row.name == name) return row.step;
  }
  return std::nullopt;
}

}  // namespace bootgate::gatekeeper::store
