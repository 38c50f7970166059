#include "common/eventlog/replay.h"

#include "absl/strings/str_cat.h"
#include "common/eventlog/defects.h"

namespace bootgate::eventlog {
namespace {

using registers::RegisterBank;

bool ExtendsRegister(const Event& event) {
  return event.Extends() && event.register_index < registers::kCount;
}

Defect NoDigest(const Event& event, crypto::HashAlg alg) {
  return {.reason = Reason::kLogDigests,
          .offset = event.offset,
          .event = event.number,
          .register_index = event.register_index,
          .text = absl::StrCat("event ", event.number, " has no ", crypto::Name(alg), " digest")};
}

Replay Run(const Log& log, crypto::HashAlg alg, const RegisterBank* starts) {
  Replay replay{.bank = RegisterBank(alg), .defects = {}};
  for (const Event& event : log.events()) {
    if (!ExtendsRegister(event)) continue;
    const uint32_t index = event.register_index;
    const std::optional<ByteView> digest = log.DigestOf(event, alg);
    if (!digest.has_value()) {
      AddDefect(replay.defects, NoDigest(event, alg));
      continue;
    }
    if (!replay.bank.Has(index)) {
      const bool given = starts != nullptr && starts->Has(index);
      replay.bank.Set(index, given ? *starts->Get(index) : ValueAtStart(log, alg, index));
    }
    replay.bank.Extend(index, *digest);
  }
  return replay;
}

}  // namespace

StartValue StartOf(const Log& log, uint32_t register_index) {
  if (log.register_kind() != RegisterKind::kPcr) return StartValue::kZeros;
  if (register_index == 0 && log.startup_locality() != 0) return StartValue::kLocality;
  if (!IsDynamicRegister(register_index)) return StartValue::kZeros;
  return log.dynamic_launch().has_value() ? StartValue::kDynamicLaunch : StartValue::kOnes;
}

crypto::Digest ValueAtStart(const Log& log, crypto::HashAlg alg, uint32_t register_index) {
  crypto::Digest value(alg);
  switch (StartOf(log, register_index)) {
    case StartValue::kZeros:
    case StartValue::kDynamicLaunch:
      return value;
    case StartValue::kLocality:
      value.mutable_view().back() = log.startup_locality();
      return value;
    case StartValue::kOnes:
      return crypto::Digest::Ones(alg);
  }
  __builtin_unreachable();
}

Replay ReplayBank(const Log& log, crypto::HashAlg alg) { return Run(log, alg, nullptr); }

Replay ReplayBankFrom(const Log& log, const RegisterBank& starts) {
  return Run(log, starts.alg(), &starts);
}

std::vector<crypto::Digest> Trace(const Log& log, crypto::HashAlg alg, uint32_t register_index) {
  std::vector<crypto::Digest> trace;
  crypto::Digest value = ValueAtStart(log, alg, register_index);
  for (const Event& event : log.events()) {
    if (!ExtendsRegister(event) || event.register_index != register_index) continue;
    const std::optional<ByteView> digest = log.DigestOf(event, alg);
    if (digest.has_value()) value = crypto::Hash(alg, {value.view(), *digest});
    trace.push_back(value);
  }
  return trace;
}

}  // namespace bootgate::eventlog
