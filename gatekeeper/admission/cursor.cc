#include "gatekeeper/admission/cursor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::admission {
namespace {

// The program that judged is one of the rules: what it learns to see in a new version, it looks for
// in earlier entries, too.
constexpr char kProgram[] = "bootgate-gatekeeper " BOOTGATE_VERSION;

absl::Status Resync(absl::string_view why) {
  return Malformed(Reason::kRetryResync, absl::StrCat(why, "; send the whole IMA list"));
}

bool MayBuildOn(const host::HostRecord& host, const Rules& rules, const host::ImaRules& rules_id,
                absl::Time now) {
  if (!host.ima_cursor.has_value() || host::IsShutOut(host.trust)) return false;
  if (rules.policy == nullptr || rules.policy->Reads("events")) return false;
  return host.ima_cursor->rules == rules_id && now < host.ima_cursor->good_until;
}

}  // namespace

host::ImaRules RulesId(const Rules& rules, const JudgingOptions& options) {
  const std::string configured = absl::StrCat(kProgram, "\n", registers::Format(options.selection),
                                              "\n", options.runtime_extended);
  host::ImaRules id;
  if (rules.policy != nullptr) id.policy_id = rules.policy->id();
  if (rules.reference != nullptr) id.reference_id = rules.reference->id;
  id.options_id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(configured)).hex();
  return id;
}

uint64_t FirstEntryToAsk(const host::HostRecord& host, const Rules& rules,
                         const host::ImaRules& rules_id, absl::Time now) {
  if (rules.candidate != nullptr && rules.candidate->Reads("events")) return 0;
  return MayBuildOn(host, rules, rules_id, now) ? host.ima_cursor->progress.entries : 0;
}

absl::StatusOr<const ImaProgress*> ProgressBefore(const host::HostRecord& host, const Rules& rules,
                                                  const host::ImaRules& rules_id,
                                                  const Continuation& continuation,
                                                  absl::Time now) {
  if (continuation.sent == 0) return nullptr;
  if (continuation.sent != continuation.asked) {
    return Resync(absl::StrCat("IMA entries from ", continuation.sent, " on, asked for from ",
                               continuation.asked));
  }
  if (!MayBuildOn(host, rules, rules_id, now))
    return Resync("the earlier IMA entries are to be judged again");
  const host::ImaCursor& cursor = *host.ima_cursor;
  if (cursor.reset_count != continuation.boot.reset_count ||
      cursor.restart_count != continuation.boot.restart_count) {
    return Resync("the host has booted since its IMA list was judged");
  }
  if (cursor.progress.entries != continuation.sent) {
    return Resync(absl::StrCat("IMA entries from ", continuation.sent, " on, known up to ",
                               cursor.progress.entries));
  }
  return &cursor.progress;
}

host::ImaCursor NextCursor(const Kept& kept, ImaProgress progress) {
  const absl::Time whole_again = std::min(kept.now + kept.whole_every, kept.good_until);
  host::ImaCursor cursor;
  cursor.reset_count = kept.boot.reset_count;
  cursor.restart_count = kept.boot.restart_count;
  cursor.rules = kept.rules_id;
  cursor.good_until = kept.was_whole || !kept.host.ima_cursor.has_value()
                          ? whole_again
                          : std::min(kept.host.ima_cursor->good_until, whole_again);
  cursor.progress = std::move(progress);
  return cursor;
}

}  // namespace bootgate::gatekeeper::admission
