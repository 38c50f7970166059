#include "common/eventlog/replay.h"

#include "absl/strings/str_cat.h"
#include "common/eventlog/defects.h"

namespace bootgate::eventlog {
namespace {

bool Extends(const Event& event) {
  return event.untrusted_type != kEvNoAction && event.register_index < registers::kCount;
}

crypto::Digest StartValue(const Log& log, crypto::HashAlg alg, uint32_t register_index) {
  crypto::Digest value(alg);
  if (register_index == 0) value.mutable_view().back() = log.startup_locality();
  return value;
}

// The event's digest as a value; nullopt when the record has none of this bank.
std::optional<crypto::Digest> DigestIn(const Log& log, const Event& event, crypto::HashAlg alg) {
  const std::optional<ByteView> bytes = log.DigestOf(event, alg);
  if (!bytes.has_value()) return std::nullopt;
  absl::StatusOr<crypto::Digest> digest = crypto::Digest::From(alg, *bytes);
  if (!digest.ok()) return std::nullopt;
  return *digest;
}

Defect NoDigest(const Event& event, crypto::HashAlg alg) {
  return {.reason = Reason::kLogDigests,
          .offset = event.offset,
          .event = event.number,
          .register_index = event.register_index,
          .text = absl::StrCat("event ", event.number, " has no ", crypto::Name(alg), " digest")};
}

}  // namespace

Replay ReplayBank(const Log& log, crypto::HashAlg alg) {
  Replay replay{.bank = registers::RegisterBank(alg), .defects = {}};
  for (const Event& event : log.events()) {
    if (!Extends(event)) continue;
    const std::optional<crypto::Digest> digest = DigestIn(log, event, alg);
    if (!digest.has_value()) {
      AddDefect(replay.defects, NoDigest(event, alg));
      continue;
    }
    if (!replay.bank.Has(event.register_index)) {
      replay.bank.Set(event.register_index, StartValue(log, alg, event.register_index));
    }
    replay.bank.Extend(event.register_index, *digest);
  }
  return replay;
}

std::vector<crypto::Digest> Trace(const Log& log, crypto::HashAlg alg, uint32_t register_index) {
  std::vector<crypto::Digest> trace;
  crypto::Digest value = StartValue(log, alg, register_index);
  for (const Event& event : log.events()) {
    if (!Extends(event) || event.register_index != register_index) continue;
    const std::optional<crypto::Digest> digest = DigestIn(log, event, alg);
    if (digest.has_value()) value = registers::Extended(value, *digest);
    trace.push_back(value);
  }
  return trace;
}

}  // namespace bootgate::eventlog
