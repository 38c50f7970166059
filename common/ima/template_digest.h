// The hash of an entry's template data, and what a bank is extended with.
//
// Implements: Linux security/integrity/ima/ima_crypto.c (ima_calc_field_array_hash), ima_queue.c
// (ima_add_template_entry, ima_pcr_extend).
#pragma once

#include "common/crypto/hash.h"
#include "common/ima/record.h"

namespace bootgate::ima {

// How a bank is extended depends on the kernel: since 5.8 with the bank's own hash of the template
// data; before, and in banks whose algorithm it cannot compute, with the SHA-1 template digest
// padded with zeros.
//
//   kBankHash    the bank's own hash; a violation extends ones
//   kPaddedSha1  the SHA-1 template digest and zeros; a violation extends ones: the kernel knows
//                the bank's algorithm but lacks its code
//   kPaddedAll   the same, and a violation extends the 20 ones of SHA-1 and zeros: kernels before
//                5.8, and banks whose algorithm the kernel does not know
enum class ExtendRule { kBankHash, kPaddedSha1, kPaddedAll };

// The hash of the template data: what the kernel lists.
crypto::Digest TemplateDigest(const Record& record, crypto::HashAlg alg);

// The digest an entry extends a bank with.
crypto::Digest ExtendDigest(const Record& record, crypto::HashAlg alg, ExtendRule rule);

// A SHA-1 digest as it is extended into a longer bank.
crypto::Digest Padded(const crypto::Digest& sha1, crypto::HashAlg alg);

// False when the listed digest is not the hash of the template data (violations excepted). 20
// bytes are SHA-1, 48 SHA-384, 64 SHA-512, 32 SHA-256 or SM3.
bool ListedDigestHolds(const Record& record);

}  // namespace bootgate::ima
