#include "gatekeeper/quarantine/effect_pump.h"

#include <limits>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::quarantine {
namespace {

// All of them: a page full of failing effects must not hide the ones behind it.
constexpr int kNoLimit = std::numeric_limits<int>::max();

void Warn(const store::EffectRow& effect, const absl::Status& why) {
  Log(LogLevel::kWarning, "an effect failed and will be tried again",
      {{"effect", effect.kind},
       {"sequence", absl::StrCat(effect.sequence)},
       {"host", effect.host_id},
       {"error", why.ToString()}});
}

}  // namespace

absl::StatusOr<Drained> EffectPump::Drain() {
  BG_ASSIGN_OR_RETURN(const std::vector<store::EffectRow> effects, store_.PendingEffects(kNoLimit));
  Drained drained;
  std::set<std::string> stuck_hosts;
  for (const store::EffectRow& effect : effects) {
    if (stuck_hosts.count(effect.host_id) > 0) {
      ++drained.held_up;
      continue;
    }
    const absl::Status status = handler_(effect);
    if (!status.ok()) {
      Warn(effect, status);
      stuck_hosts.insert(effect.host_id);
      ++drained.failed;
      continue;
    }
    BG_RETURN_IF_ERROR(store_.MarkEffectDone(effect.sequence));
    ++drained.done;
  }
  return drained;
}

}  // namespace bootgate::gatekeeper::quarantine
