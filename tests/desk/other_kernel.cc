#include "tests/desk/other_kernel.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/eventlog/replay.h"
#include "tests/desk/captured_boot.h"

namespace bootgate::desk {
namespace {

constexpr uint32_t kApplications = 4, kLoadedFiles = 9, kImaRegister = 10;

bool IsKernelFile(const eventlog::Event& event) {
  return event.register_index == kLoadedFiles && absl::StrContains(AsText(event.data), "/vmlinuz");
}

// Over each digest of the event that of `content`.
void Replace(const eventlog::Log& log, const eventlog::Event& event, absl::string_view content,
             const std::vector<registers::RegisterBank>& banks, Bytes& bytes) {
  for (const registers::RegisterBank& bank : banks) {
    const auto old = log.DigestOf(event, bank.alg());
    if (!old.has_value()) continue;
    const crypto::Digest digest = crypto::Hash(bank.alg(), AsBytes(content));
    const auto at = std::search(bytes.begin() + static_cast<ptrdiff_t>(event.offset), bytes.end(),
                                old->begin(), old->end());
    std::copy(digest.view().begin(), digest.view().end(), at);
  }
}

// The kernel's file, and its image as often as firmware or shim looked at it afterwards.
absl::StatusOr<Bytes> LogWithKernel(const CapturedBoot& boot, absl::string_view kernel) {
  Bytes bytes = boot.boot_log;
  const eventlog::Log log = eventlog::Log::Parse(boot.boot_log);
  bool seen = false;
  for (const eventlog::Event& event : log.events()) {
    if (IsKernelFile(event)) {
      Replace(log, event, kernel, boot.registers, bytes);
      seen = true;
    } else if (seen && event.register_index == kApplications) {
      Replace(log, event, absl::StrCat("image of ", kernel), boot.registers, bytes);
    }
  }
  if (!seen) return absl::InvalidArgumentError("the log tells of no kernel");
  return bytes;
}

// What the log leads to, in place of what was captured.
void FollowLog(CapturedBoot& boot) {
  const eventlog::Log log = eventlog::Log::Parse(boot.boot_log);
  for (registers::RegisterBank& bank : boot.registers) {
    const eventlog::Replay replay = eventlog::ReplayBank(log, bank.alg());
    for (const uint32_t index : {kApplications, kLoadedFiles}) {
      bank.Set(index, replay.bank.Get(index).value());
    }
  }
}

// The list with the boot_aggregate of these registers, and register 10 after it.
absl::Status FollowIma(CapturedBoot& boot) {
  const ima::List list = ima::List::Parse(boot.ima);
  if (list.entries().size() < 2) return absl::InvalidArgumentError("the IMA list is too short");
  for (const registers::RegisterBank& bank : boot.registers) {
    if (bank.alg() != crypto::HashAlg::kSha256) continue;
    const auto aggregate = ima::BootAggregate(bank);
    if (!aggregate.has_value()) return absl::InvalidArgumentError("no boot_aggregate");
    Bytes changed = ImaEntryOf("boot_aggregate", *aggregate);
    changed.insert(changed.end(),
                   boot.ima.begin() + static_cast<ptrdiff_t>(list.entries()[1].offset),
                   boot.ima.end());
    boot.ima = std::move(changed);
  }
  const ima::List followed = ima::List::Parse(boot.ima);
  for (registers::RegisterBank& bank : boot.registers) {
    bank.Set(kImaRegister,
             ima::Replay(followed, crypto::Digest(bank.alg()), boot.ima_rules.at(bank.alg())));
  }
  return absl::OkStatus();
}

std::string PcrsJson(const std::vector<registers::RegisterBank>& banks) {
  nlohmann::json out;
  for (const registers::RegisterBank& bank : banks) {
    for (uint32_t index = 0; index < registers::kCount; ++index) {
      const auto value = bank.Get(index);
      if (value.has_value()) {
        out[std::string(crypto::Name(bank.alg()))][std::to_string(index)] = value->hex();
      }
    }
  }
  return out.dump(1);
}

}  // namespace

absl::Status WriteBootWithKernel(const std::string& case_folder, absl::string_view kernel,
                                 const std::string& folder) {
  constexpr mode_t kMode = 0644;
  BG_ASSIGN_OR_RETURN(CapturedBoot boot, LoadBoot(case_folder));
  BG_ASSIGN_OR_RETURN(boot.boot_log, LogWithKernel(boot, kernel));
  FollowLog(boot);
  BG_RETURN_IF_ERROR(FollowIma(boot));
  std::filesystem::create_directories(folder);
  BG_RETURN_IF_ERROR(WriteFileAtomically(folder + "/eventlog.bin", boot.boot_log, kMode));
  BG_RETURN_IF_ERROR(WriteFileAtomically(folder + "/ima.bin", boot.ima, kMode));
  return WriteFileAtomically(folder + "/pcrs.json", AsBytes(PcrsJson(boot.registers)), kMode);
}

}  // namespace bootgate::desk
