#include "gatekeeper/diagnosis/causes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/eventlog/decode/boot_chain.h"
#include "common/eventlog/decode/describe.h"
#include "common/eventlog/event_type.h"

namespace bootgate::gatekeeper::diagnosis {
namespace {

using eventlog::BootPart;
using eventlog::BootRole;
using eventlog::BootStack;
using eventlog::Event;
using eventlog::Log;

constexpr uint32_t kSecureBootRegister = 7;
constexpr uint32_t kFirstLoaderRegister = 8;
constexpr uint32_t kShimRegister = 14;
constexpr size_t kMaxDetails = 3;  // named when nothing more telling changed

// The lower, the more it tells.
enum Rank {
  kSecureBoot,
  kChain,
  kCommandLine,
  kKeys,
  kCode,
  kFirmware,
  kDetail,
};

struct Cause {
  Rank rank;
  std::string text;
};

bool IsCode(const Event& event, const std::optional<BootPart>& part) {
  return eventlog::IsImageLoad(event.untrusted_type) ||
         (part.has_value() && (part->role == BootRole::kKernel || part->role == BootRole::kInitrd));
}

bool IsFirmwareRegister(uint32_t index) { return index == 0 || index == 2; }

Rank RankOf(const SeenChange& change) {
  const Event* const event = change.second != nullptr ? change.second : change.first;
  if (event == nullptr) return kFirmware;
  if (eventlog::PairingKey(*event) == "var:SecureBoot") return kSecureBoot;
  const std::optional<BootPart> part = eventlog::DecodeBootPart(*event);
  if (part.has_value() && part->role == BootRole::kCommandLine) return kCommandLine;
  if (change.register_index == kSecureBootRegister) return kKeys;
  if (IsCode(*event, part)) return kCode;
  return IsFirmwareRegister(change.register_index) ? kFirmware : kDetail;
}

// An event that is there, or is not, because another program booted the machine.
bool FollowsFromChain(const SeenChange& change) {
  if (change.first != nullptr && change.second != nullptr) return false;
  const Event* const event = change.second != nullptr ? change.second : change.first;
  if (event == nullptr) return false;
  return change.register_index >= kFirstLoaderRegister ||
         event->untrusted_type == eventlog::kEvEfiVariableAuthority ||
         eventlog::IsImageLoad(event->untrusted_type) ||
         eventlog::DecodeBootPart(*event).has_value();
}

void Add(Rank rank, const std::string& text, std::vector<Cause>* causes) {
  const bool said =
      std::ranges::any_of(*causes, [&](const Cause& cause) { return cause.text == text; });
  if (!said) causes->push_back({rank, text});
}

// What shim leaves in PCR 14 whatever it is asked to boot.
bool IsShims(const Event& event, const std::optional<BootPart>& part) {
  if (event.register_index == kShimRegister && event.untrusted_type == eventlog::kEvIpl)
    return true;
  return part.has_value() && part->stack == BootStack::kShim;
}

// Names of the programs that leave traces of their own, in the order in which they run.
struct Taker {
  BootStack stack;
  absl::string_view name;
};
constexpr Taker kTakers[] = {
    {BootStack::kShim, "shim"},
    {BootStack::kGrub, "GRUB"},
    {BootStack::kSystemdBoot, "systemd-boot"},
    {BootStack::kSystemdStub, "systemd-stub"},
    {BootStack::kLinuxStub, "kernel (through its EFI stub)"},
};

}  // namespace

std::string BootChain(const Log& log) {
  bool took_part[std::size(kTakers)] = {};
  for (const Event& event : log.events()) {
    const std::optional<BootPart> part = eventlog::DecodeBootPart(event);
    for (size_t i = 0; i < std::size(kTakers); ++i) {
      const bool shims = kTakers[i].stack == BootStack::kShim && IsShims(event, part);
      took_part[i] |= shims || (part.has_value() && part->stack == kTakers[i].stack);
    }
  }
  std::vector<absl::string_view> names = {"firmware"};
  for (size_t i = 0; i < std::size(kTakers); ++i) {
    if (took_part[i]) names.push_back(kTakers[i].name);
  }
  const bool by_grub = names.back() == "GRUB";
  if (by_grub) names.push_back("kernel");
  return absl::StrJoin(names, ", ");
}

std::vector<std::string> PickCauses(const Log& first, const Log& second,
                                    std::vector<SeenChange> changes) {
  if (changes.empty()) return {};
  std::vector<Cause> causes;
  const std::string was = BootChain(first), is = BootChain(second);
  const bool other_chain = was != is;
  if (other_chain) Add(kChain, absl::StrCat("the boot went ", was, "; now it goes ", is), &causes);
  for (const SeenChange& change : changes) {
    if (other_chain && FollowsFromChain(change)) continue;
    Add(RankOf(change), change.text, &causes);
  }
  std::ranges::stable_sort(causes, {}, &Cause::rank);
  const bool only_details = !causes.empty() && causes.front().rank == kDetail;
  const size_t most = only_details ? kMaxDetails : kMaxCauses;
  std::vector<std::string> out;
  for (Cause& cause : causes) {
    if (out.size() == most || (!only_details && cause.rank == kDetail)) break;
    out.push_back(std::move(cause.text));
  }
  return out;
}

}  // namespace bootgate::gatekeeper::diagnosis
