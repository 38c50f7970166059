// What a set is asked of an entry of an IMA list.
#pragma once

#include <optional>

#include "common/ima/entry.h"
#include "gatekeeper/reference/imaset/ima_set.h"

namespace bootgate::gatekeeper::reference {

// A digest of an algorithm that we do not know is in no set. Borrows the entry's bytes.
inline SetQuery QueryOf(const ima::Entry& entry, const std::optional<DigestAlg>& alg) {
  const SetKinds kinds = entry.HoldsBuffer()             ? SetKinds::kBuffers
                         : entry.digest_type == "verity" ? SetKinds::kFsVerity
                                                         : SetKinds::kFiles;
  return {.path = entry.path,
          .digest = alg.has_value() ? entry.file_digest : ByteView(),
          .alg = alg.value_or(DigestAlg::kSha256),
          .kinds = kinds};
}

inline SetQuery QueryOf(const ima::Entry& entry) {
  return QueryOf(entry, DigestAlgFromName(entry.digest_name));
}

}  // namespace bootgate::gatekeeper::reference
