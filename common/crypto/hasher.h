// A hash over bytes that come in pieces: files larger than memory should hold.
#pragma once

#include "common/base/bytes_view.h"
#include "common/crypto/hash.h"
#include "common/crypto/owners.h"

namespace bootgate::crypto {

// Not shared between threads.
class Hasher {
 public:
  explicit Hasher(HashAlg alg);
  void Add(ByteView bytes);
  Digest Finish();  // once; afterwards it begins anew

 private:
  void Begin();
  HashAlg alg_;
  MdCtxPtr context_;
};

}  // namespace bootgate::crypto
