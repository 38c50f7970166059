// Making a reference from one proven boot.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/replay.h"
#include "gatekeeper/reference/file_digest.h"
#include "gatekeeper/reference/reference.h"
#include "gatekeeper/reference/register_events.h"

namespace bootgate::gatekeeper::reference {
namespace {

// Registers whose silence counts too: an event in one of them that the reference boot did not have
// is unexpected. The resettable and the dynamic ones (16-23) are listed only when they have events.
constexpr uint32_t kStaticRegisters = 0xffff & ~(1u << kImaRegister);

RegisterReference LearnRegister(const eventlog::Log& log, crypto::HashAlg alg, uint32_t index,
                                const crypto::Digest& value) {
  RegisterReference learned{value, {}};
  for (const eventlog::Event* event : EventsOf(log, alg, index)) {
    ReferenceEvent row;
    row.digest = DigestOf(log, *event, alg);
    row.type = event->untrusted_type;
    row.key = KeyOf(*event);
    row.description = WordsFor(log, *event, alg);
    learned.events.push_back(std::move(row));
  }
  return learned;
}

void LearnBank(const LearnInput& input, crypto::HashAlg alg, Reference* out) {
  const eventlog::Replay replay = eventlog::ReplayBank(input.log, alg);
  auto& learned = out->banks[alg];
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    const bool told = replay.bank.Has(i);
    if (i == kImaRegister || ((input.mask >> i) & 1u) == 0) continue;
    if (!told && ((kStaticRegisters >> i) & 1u) == 0) continue;
    learned.emplace(
        i, LearnRegister(input.log, alg, i, told ? *replay.bank.Get(i) : crypto::Digest(alg)));
  }
}

void LearnIma(const LearnInput& input, Reference* out) {
  if (input.ima == nullptr) return;
  out->ima.present = true;
  out->ima.unlisted = input.unlisted;
  const auto& entries = input.ima->entries();
  const size_t count = std::min(input.ima_entries, entries.size());
  for (size_t i = 0; i < count; ++i) {
    const ima::Entry& entry = entries[i];
    if (!IsComparable(entry)) continue;
    auto& table = IsBuffer(entry) ? out->ima.buffers : out->ima.files;
    table[std::string(entry.path)].insert(FileDigest(entry));
  }
}

}  // namespace

Reference Learn(const LearnInput& input) {
  Reference out;
  out.name = Printable(input.name);
  out.learned_from = Printable(input.learned_from);
  out.learned_at = Printable(input.learned_at);
  for (const crypto::HashAlg alg : input.banks) LearnBank(input, alg, &out);
  LearnIma(input, &out);
  out.id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(ToJson(out))).hex();
  return out;
}

}  // namespace bootgate::gatekeeper::reference
