// Any bytes as an OCSP request: what is accepted keeps to the bounds, and all that an answer
// repeats of it stood in the request.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "pki/ocsp.h"
#include "tests/fuzz/require.h"

namespace {

using bootgate::ByteView;
using bootgate::fuzz::Require;

bool Contains(ByteView whole, ByteView part) {
  return !std::ranges::search(whole, part).empty() || part.empty();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace pki = bootgate::pki;
  const ByteView input(data, size);
  const auto request = pki::ReadOcspRequest(input);
  if (!request.ok()) return 0;
  Require(size <= pki::kMaxOcspRequest);
  Require(!request->certificates.empty());
  Require(request->certificates.size() <= pki::kMaxOcspCertificates);
  Require(request->nonce.size() <= pki::kMaxOcspNonce + 3);
  Require(Contains(input, request->nonce));
  for (const pki::OcspCertId& id : request->certificates) {
    Require(!id.der.empty() && Contains(input, id.der));
    Require(Contains(id.der, id.issuer_name_hash) && Contains(id.der, id.issuer_key_hash));
    Require(id.serial.size() <= pki::kMaxSerialSize && Contains(id.der, id.serial));
  }
  // A byte more or less is another message, and none.
  Require(!pki::ReadOcspRequest(input.first(size - 1)).ok());
  return 0;
}
