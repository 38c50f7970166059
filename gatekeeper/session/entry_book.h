// IMA entries that were proven here once, by name, so that other hosts can send the name alone.
//
// A name is the SHA-256 of the record's bytes, and beside a record stands the SHA-256 of its
// template data, both computed here: whoever fills the book cannot make a name stand for other
// bytes, nor a record for another digest. Two generations, each of at most half of the bytes: when
// the young one is full the old one goes, and what was met again meanwhile stays. Any thread.
#pragma once

#include <mutex>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/base/bytes_view.h"
#include "common/crypto/hash.h"
#include "common/ima/known_digests.h"

namespace bootgate::gatekeeper::session {

class EntryBook {
 public:
  // `max_bytes`: of records, names and digests; 0: the book stays empty.
  explicit EntryBook(size_t max_bytes);

  // Keeps the first `proven` entries of a list, which a quote vouches for. Violations and records
  // longer than ima::kMaxKnownRecord are not kept.
  void Learn(ByteView list, uint64_t proven);

  // Hands the records of these names, 32 bytes each, to `take`, in order, each with the SHA-256 of
  // its template data; what is handed over must not be kept. Ends where `take` fails. kNotFound at
  // the first name that is not known. Nobody else reads meanwhile: not for more than some hundred.
  absl::Status Read(
      ByteView names,
      absl::FunctionRef<absl::Status(ByteView record, ByteView template_digest)> take) const;
  // Bit i % 8 of byte i / 8: is the i-th of the names, 32 bytes each, known?
  Bytes Known(ByteView names) const;

  size_t size() const;  // records, those twice that are in both generations

 private:
  void Keep(const ima::Record& record);
  ima::KnownDigests NewGeneration() const;

  const size_t generation_bytes_;
  mutable std::mutex mutex_;
  // All below: guarded by mutex_.
  ima::KnownDigests young_, old_;
  size_t young_bytes_ = 0;
};

}  // namespace bootgate::gatekeeper::session
