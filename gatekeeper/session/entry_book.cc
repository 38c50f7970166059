#include "gatekeeper/session/entry_book.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/status_macros.h"
#include "common/ima/list.h"

namespace bootgate::gatekeeper::session {
namespace {

using ima::KnownDigests;

constexpr crypto::HashAlg kTemplateAlg = crypto::HashAlg::kSha256;
constexpr size_t kHeadBytes =
    12 + KnownDigests::kNameBytes + crypto::DigestSize(kTemplateAlg);  // kept beside each record

}  // namespace

EntryBook::EntryBook(size_t max_bytes)
    : generation_bytes_(max_bytes / 2), young_(NewGeneration()), old_(NewGeneration()) {}

KnownDigests EntryBook::NewGeneration() const {
  return KnownDigests({.banks = {kTemplateAlg}, .max_bytes = generation_bytes_});
}

void EntryBook::Learn(ByteView list, uint64_t proven) {
  if (generation_bytes_ == 0) return;
  const ima::List parsed = ima::List::Parse(list);
  const size_t count = std::min<uint64_t>(proven, parsed.entries().size());
  for (size_t i = 0; i < count; ++i) Keep(parsed.entries().RecordAt(i));
}

void EntryBook::Keep(const ima::Record& record) {
  const size_t size = kHeadBytes + record.bytes.size();
  if (record.bytes.size() > ima::kMaxKnownRecord || size > generation_bytes_) return;
  const std::lock_guard lock(mutex_);
  if (young_.Find(record.bytes) != KnownDigests::kNone) return;
  const bool full = young_bytes_ + size > generation_bytes_ ||
                    young_.size() >= KnownDigests::Options{}.max_records;
  if (full) {
    old_ = std::exchange(young_, NewGeneration());
    young_bytes_ = 0;
  }
  try {
    if (young_.Add(record)) young_bytes_ += size;
  } catch (...) {  // memory ran out, maybe half-way through
    young_.Clear();
    young_bytes_ = 0;
    throw;
  }
}

absl::Status EntryBook::Read(
    ByteView names,
    absl::FunctionRef<absl::Status(ByteView record, ByteView template_digest)> take) const {
  std::vector<KnownDigests::Place> places(names.size() / KnownDigests::kNameBytes);
  const std::lock_guard lock(mutex_);
  young_.FindNames(names, places);
  const KnownDigests::Bank of_young = young_.BankOf(kTemplateAlg),
                           of_old = old_.BankOf(kTemplateAlg);
  for (size_t i = 0; i < places.size(); ++i) {
    KnownDigests::Place place = places[i];
    const bool young = place != KnownDigests::kNone;
    if (!young) {
      place = old_.FindName(names.subspan(i * KnownDigests::kNameBytes, KnownDigests::kNameBytes));
      if (place == KnownDigests::kNone) return absl::NotFoundError("no entry of this name");
    }
    const KnownDigests& generation = young ? young_ : old_;
    BG_RETURN_IF_ERROR(take(generation.RecordBytes(place),
                            generation.TemplateDigestView(place, young ? of_young : of_old)));
  }
  return absl::OkStatus();
}

Bytes EntryBook::Known(ByteView names) const {
  const size_t count = names.size() / KnownDigests::kNameBytes;
  Bytes known((count + 7) / 8, 0);
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < count; ++i) {
    const ByteView name = names.subspan(i * KnownDigests::kNameBytes, KnownDigests::kNameBytes);
    if (young_.FindName(name) == KnownDigests::kNone && old_.FindName(name) == KnownDigests::kNone)
      continue;
    known[i / 8] = static_cast<uint8_t>(known[i / 8] | 1u << i % 8);
  }
  return known;
}

size_t EntryBook::size() const {
  const std::lock_guard lock(mutex_);
  return young_.size() + old_.size();
}

}  // namespace bootgate::gatekeeper::session
