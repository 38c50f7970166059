#include "common/cel/replay.h"

#include "absl/strings/str_cat.h"

namespace bootgate::cel {
namespace {

Defect NoDigest(const Record& record, crypto::HashAlg alg) {
  return {Reason::kCelDigests, record.offset, record.number,
          absl::StrCat("record ", record.number, " has no ", crypto::Name(alg), " digest")};
}

}  // namespace

Replay ReplayBank(const Log& log, const registers::RegisterBank& start) {
  Replay replay{.bank = start, .extended = 0, .defects = {}};
  for (const Record& record : log.records()) {
    if (!record.pcr.has_value()) continue;
    const crypto::Digest* const digest = record.DigestOf(start.alg());
    if (digest == nullptr) {
      if (replay.defects.size() < kMaxDefects)
        replay.defects.push_back(NoDigest(record, start.alg()));
      continue;
    }
    replay.bank.Extend(*record.pcr, *digest);
    replay.extended |= 1u << *record.pcr;
  }
  return replay;
}

crypto::Digest NvStartValue(crypto::HashAlg alg, NvStart start) {
  const crypto::Digest zeros(alg);
  return start == NvStart::kUnwritten ? zeros : registers::Extended(zeros, zeros);
}

std::map<uint32_t, NvRegister> ReplayNv(const Log& log, crypto::HashAlg alg, NvStart start) {
  std::map<uint32_t, NvRegister> out;
  for (const Record& record : log.records()) {
    const crypto::Digest* const digest = record.DigestOf(alg);
    if (!record.nv_index.has_value() || digest == nullptr) continue;
    const auto [at, is_new] = out.try_emplace(*record.nv_index);
    NvRegister& index = at->second;
    if (is_new) {
      index.value = NvStartValue(alg, start);
      index.untrusted_name = record.untrusted_nv_name;
    }
    index.value = registers::Extended(index.value, *digest);
    ++index.extends;
  }
  return out;
}

}  // namespace bootgate::cel
