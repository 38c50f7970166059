// What two boots did differently, told from their logs event by event and in words.
//
// Events are aligned as the reference comparison aligns them; both sides are decoded. Of what
// differs, the causes are picked out: a change of the command line is a cause, the GRUB commands
// that carry it to the kernel are its consequences and stay in the list of changes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/eventlog/log.h"

namespace bootgate::gatekeeper::diagnosis {

enum class ChangeKind { kChanged, kMoved, kOnlyInFirst, kOnlyInSecond };
absl::string_view Name(ChangeKind kind);  // "changed", "moved", "only_in_first", "only_in_second"

struct EventChange {
  ChangeKind kind = ChangeKind::kChanged;
  std::optional<uint32_t> first, second;  // event numbers in the two logs
  std::string was, is;                    // both sides decoded; empty when there is no such event
  std::string text;                       // what differs, in words, without a full stop
};

struct RegisterDifference {
  uint32_t register_index = 0;
  crypto::Digest first, second;      // what the logs lead to
  std::vector<EventChange> changes;  // in the order of the logs: the first is where they part
  std::string note;                  // when no event differs and the values do
};

struct LogDifference {
  crypto::HashAlg bank = crypto::HashAlg::kSha256;
  std::vector<std::string> causes;  // in words, the most telling first; at most kMaxCauses
  std::vector<RegisterDifference> registers;
  bool SameStory() const { return registers.empty(); }
};

inline constexpr size_t kMaxCauses = 8;

// `bank`: in which to compare; none: the strongest that both logs have. kInvalidArgument when there
// is no such bank.
absl::StatusOr<LogDifference> CompareLogs(const eventlog::Log& first, const eventlog::Log& second,
                                          std::optional<crypto::HashAlg> bank);

}  // namespace bootgate::gatekeeper::diagnosis
