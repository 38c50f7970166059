// The fields inside an entry's template data.
//
// Implements: Linux Documentation/security/IMA-templates.rst (the fields);
// security/integrity/ima/ima_template_lib.c for their binary form.
#pragma once

#include <optional>

#include "common/crypto/hash.h"
#include "common/ima/entry.h"

namespace bootgate::ima {

// Names the template of `entry` and fills its fields from the template data. False when they are
// not well-formed: then no field is filled. Fields that we do not know are passed over; data of a
// template that we do not know at all is left alone.
bool ReadFields(Entry& entry);

// A record with its fields, as far as they are well-formed.
Entry EntryOf(const Record& record, uint32_t number);

// Does a buffer entry's digest belong to its buffer? The template's name is not hashed, so that a
// file's entry can be sent as a kernel record: only then its digest is not that of its buffer.
// nullopt when we cannot compute the digest's algorithm.
std::optional<bool> BufferDigestHolds(const Entry& entry);

// The algorithm by the kernel's name for it, which for SM3 has changed ("sm3", "sm3-256").
std::optional<crypto::HashAlg> DigestAlg(absl::string_view digest_name);

}  // namespace bootgate::ima
