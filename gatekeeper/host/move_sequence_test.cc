// What no sequence of events does, tried with all of them up to a length.
#include <functional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gatekeeper/host/move.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::host {
namespace {

using enum Trust;

// A host, the TPM's counter it boots with, and whether an operator has released it since it was
// last shut out.
struct World {
  HostRecord host;
  uint32_t boot = 7;
  bool released = false;
};

// One thing that happens. `boots` is what the host does to its boot before it sends evidence.
struct Step {
  std::string name;
  Event event;
  int boots = 0;
  bool by_operator = false;
};

Judged Of(OutcomeClass outcome, Action action = Action::kIsolate, bool brake = false) {
  return {.outcome = outcome, .boot = {}, .action = action, .brake_holds = brake};
}

// All that a host can bring about by itself, alone or together with others (the brake).
std::vector<Step> HostMade() {
  std::vector<Step> steps;
  for (const int boots : {0, 1, -1}) {
    const std::string when = boots == 0 ? "" : boots > 0 ? ", rebooted" : ", gone back";
    steps.push_back({"admit" + when, Of(OutcomeClass::kAdmit), boots});
    steps.push_back({"deny" + when, Of(OutcomeClass::kDeny), boots});
  }
  steps.push_back({"restrict", Of(OutcomeClass::kDeny, Action::kRestrict)});
  steps.push_back({"deny+brake", Of(OutcomeClass::kDeny, Action::kIsolate, true)});
  steps.push_back({"reject", Of(OutcomeClass::kReject)});
  return steps;
}

std::vector<Step> Everything() {
  std::vector<Step> steps = HostMade();
  for (const Act act : {Act::kQuarantine, Act::kInvestigate, Act::kRelease, Act::kReopen,
                        Act::kRetire, Act::kReinstate, Act::kConfirm, Act::kForgive}) {
    steps.push_back({std::string(Name(act)), act, 0, true});
  }
  return steps;
}

// False: the act is not for the host's state; nothing happened.
bool Take(const Step& step, World* world) {
  Event event = step.event;
  if (auto* const judged = std::get_if<Judged>(&event)) {
    if (world->host.trust == kRetired) return false;  // admission asks it for nothing
    world->boot = static_cast<uint32_t>(static_cast<int>(world->boot) + step.boots);
    judged->boot = {.reset_count = world->boot, .restart_count = 0, .clock_ms = 1};
  }
  const std::optional<Move> move = NextMove(world->host, event);
  if (!move.has_value()) return false;
  world->host = After(world->host, event, *move, "operator alice", absl::UnixEpoch());
  if (const auto* const judged = std::get_if<Judged>(&event)) world->host.last_boot = judged->boot;
  if (step.name == "release") world->released = true;
  if (world->host.trust == kQuarantined) world->released = false;
  return true;
}

World ThatIs(Trust trust) {
  World world;
  world.host.trust = trust;
  world.host.last_boot = BootMark{.reset_count = 7, .restart_count = 0, .clock_ms = 1};
  if (IsShutOut(trust) || trust == kSuspect) world.host.quarantined_boot = world.host.last_boot;
  return world;
}

// All that a later move can depend on, and how much is left to walk: two sequences that lead to the
// same need not both be followed further.
using Place = std::tuple<Trust, std::optional<uint32_t>, uint32_t, bool, bool, int>;
Place PlaceOf(const World& world, int left) {
  std::optional<uint32_t> mark;
  if (world.host.quarantined_boot.has_value()) mark = world.host.quarantined_boot->reset_count;
  return {world.host.trust, mark, world.boot, world.host.shut_out_by.empty(), world.released, left};
}

// Goes through all sequences of `steps` up to a length, and shows each step to `look`: the world
// before and after it, and the names of the steps so far. `look` says whether to go on from there.
using Path = std::vector<const Step*>;
using Look = std::function<bool(const World&, const World&, const Path&)>;

class Walker {
 public:
  Walker(std::vector<Step> steps, Look look) : steps_(std::move(steps)), look_(std::move(look)) {}

  void Walk(const World& world, int length) {
    if (length == 0 || !been_.insert(PlaceOf(world, length)).second) return;
    for (const Step& step : steps_) {
      World next = world;
      if (!Take(step, &next)) continue;
      path_.push_back(&step);
      if (look_(world, next, path_)) Walk(next, length - 1);
      path_.pop_back();
    }
  }

 private:
  const std::vector<Step> steps_;
  const Look look_;
  Path path_;
  std::set<Place> been_;
};

constexpr int kLength = 6;

std::string Told(const std::vector<const Step*>& path) {
  std::string out;
  for (const Step* const step : path) absl::StrAppend(&out, step->name, "; ");
  return out;
}

// Evidence, reboots, clocks of the TPM that go back, a mass failure: whatever a host can bring
// about, in whatever order.
TEST(Attack, A81_NoSequenceOfHostMadeEventsLeavesTheShutOutStates) {
  for (const Trust held : {kQuarantined, kInvestigating, kSuspect}) {
    int64_t walked = 0;
    Walker walker(HostMade(), [&](const World&, const World& now, const Path& by) {
      ++walked;
      if (now.host.trust != held) {
        ADD_FAILURE() << Name(held) << ": " << Told(by);
      }
      return true;
    });
    walker.Walk(ThatIs(held), kLength);
    EXPECT_GT(walked, kLength) << Name(held);
  }
}

// With operators among them: between being shut out and being trusted lies a release, and the last
// step is an ADMIT of a boot later than the bad one.
TEST(Attack, A81_FromShutOutToTrustedOnlyThroughReleaseLaterBootAndAdmit) {
  int64_t returns = 0;
  for (const Trust held : {kQuarantined, kInvestigating}) {
    Walker walker(Everything(), [&](const World& before, const World& now, const Path& by) {
      if (now.host.trust != kTrusted) return true;
      ++returns;
      const bool later = before.host.quarantined_boot.has_value() &&
                         now.boot > before.host.quarantined_boot->reset_count;
      if (!before.released || before.host.trust != kRemediated || !later ||
          !by.back()->name.starts_with("admit")) {
        ADD_FAILURE() << Name(held) << ": " << Told(by);
      }
      return false;
    });
    walker.Walk(ThatIs(held), kLength);
  }
  EXPECT_GT(returns, 0) << "the proper way back was never walked";
}

// A release that came before the host failed again is worth nothing.
TEST(Attack, A81_AReleasedHostThatFailsIsShutOutWhateverItFailsIn) {
  for (const Step& step : HostMade()) {
    World world = ThatIs(kRemediated);
    const auto* const judged = std::get_if<Judged>(&step.event);
    if (judged->outcome != OutcomeClass::kDeny) continue;
    ASSERT_TRUE(Take(step, &world));
    EXPECT_EQ(world.host.trust, kQuarantined) << step.name;
  }
}

// No credential is ever issued to a host that is shut out, held or retired.
TEST(NextMove, CredentialsFollowTrustAlone) {
  for (const Trust trust : {kPending, kTrusted, kQuarantined, kRestricted, kSuspect}) {
    Walker walker(Everything(), [&](const World& before, const World&, const Path& by) {
      const auto* const judged = std::get_if<Judged>(&by.back()->event);
      if (judged == nullptr) return true;
      const Move move = NextMove(before.host, *judged);
      if (move.may_issue && move.next != kTrusted) {
        ADD_FAILURE() << Told(by);
      }
      return true;
    });
    walker.Walk(ThatIs(trust), kLength);
  }
}

}  // namespace
}  // namespace bootgate::gatekeeper::host
