#include "common/crypto/key_id.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "common/crypto/der.h"
#include "common/crypto/owners.h"

namespace bootgate::crypto {
namespace {

Bytes OwnIdOf(ByteView certificate) {
  const unsigned char* at = certificate.data();
  const X509Ptr parsed(d2i_X509(nullptr, &at, static_cast<long>(certificate.size())));
  const ASN1_OCTET_STRING* const id =
      parsed == nullptr ? nullptr : X509_get0_subject_key_id(parsed.get());
  ClearOpenSslErrors();
  if (id == nullptr) return {};
  return ToBytes({ASN1_STRING_get0_data(id), static_cast<size_t>(ASN1_STRING_length(id))});
}

// nullopt is not possible for a key that we hold; an empty id names nothing.
Bytes HashOfBits(const PublicKey& key) {
  const Bytes spki = key.SpkiDer();
  DerReader outer(spki);
  const auto fields = outer.Take(DerReader::kSequence);
  if (!fields.ok()) return {};
  DerReader in(*fields);
  if (!in.Take(DerReader::kSequence).ok()) return {};
  const auto bits = in.TakeBitString();
  return bits.ok() ? ToBytes(Hash(HashAlg::kSha1, *bits).view()) : Bytes();
}

}  // namespace

std::vector<Bytes> KeyIds(const PemKey& key) {
  std::vector<Bytes> ids = {HashOfBits(key.key)};
  if (!key.certificate.empty()) ids.push_back(OwnIdOf(key.certificate));
  std::erase_if(ids, [](const Bytes& id) { return id.empty(); });
  return ids;
}

}  // namespace bootgate::crypto
