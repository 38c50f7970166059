// Test only: keys with one defect each (A30), as SubjectPublicKeyInfo in DER.
#pragma once

#include <initializer_list>
#include <ostream>
#include <string>
#include <vector>

#include "common/base/bytes_view.h"
#include "common/crypto/owners.h"
#include "common/crypto/private_key.h"
#include "pki/der.h"

namespace bootgate::pki {

// Of a sound key, or of a number that is just as long where no key is generated.
inline Bytes OddModulus(size_t bytes) {
  static const auto* const kSound =
      new Bytes(crypto::PrivateKey::GenerateRsa(2048)->Public().Rsa()->modulus);
  if (bytes == kSound->size()) return *kSound;
  Bytes modulus(bytes, 0x5b);
  modulus.front() = 0xc5;
  return modulus;
}
inline Bytes RsaSpkiWith(ByteView modulus, ByteView exponent) {
  const Bytes parameters = {0x05, 0x00};
  const Bytes key = der::Sequence({der::Integer(modulus), der::Integer(exponent)});
  return der::Sequence(
      {der::Sequence({der::Oid({1, 2, 840, 113549, 1, 1, 1}), parameters}), der::BitString(key)});
}
inline Bytes EcSpkiWith(std::initializer_list<uint32_t> curve, const Bytes& point) {
  return der::Sequence({der::Sequence({der::Oid({1, 2, 840, 10045, 2, 1}), der::Oid(curve)}),
                        der::BitString(point)});
}
inline Bytes Point(size_t field) {
  Bytes point(1 + 2 * field, 0x5b);
  point[0] = 0x04;
  return point;
}
// As long as a sound modulus, and near it.
inline Bytes WithSmallFactor() {
  const Bytes sound = OddModulus(256);
  crypto::BnPtr number(BN_bin2bn(sound.data(), static_cast<int>(sound.size()), nullptr));
  while (BN_mod_word(number.get(), 641) != 0) BN_sub_word(number.get(), 2);
  Bytes out(256);
  BN_bn2binpad(number.get(), out.data(), 256);
  return out;
}
// Modulo every prime a power of 65537, as the flawed generator's (key_strength_test.cc has those).
inline Bytes Shaped() {
  crypto::BnPtr number(BN_new());
  BN_one(number.get());
  while (BN_num_bits(number.get()) <= 2040) BN_mul_word(number.get(), 65537);
  Bytes out(static_cast<size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), out.data());
  return out;
}

struct WeakKey {
  const char* name;
  Bytes (*spki)();
  const char* says;
};
inline void PrintTo(const WeakKey& row, std::ostream* os) { *os << row.name; }

inline std::vector<WeakKey> AllWeakKeys() {
  static constexpr uint8_t kF4[] = {1, 0, 1}, kOne[] = {1}, kEven[] = {1, 0, 0};
  return {
      {"Rsa1024", [] { return RsaSpkiWith(OddModulus(128), kF4); }, "1024 bits"},
      {"Rsa2040", [] { return RsaSpkiWith(OddModulus(255), kF4); }, "2040 bits"},
      {"ExponentOne", [] { return RsaSpkiWith(OddModulus(256), kOne); }, "exponent"},
      {"ExponentEven", [] { return RsaSpkiWith(OddModulus(256), kEven); }, "exponent"},
      {"ModulusEven",
       [] {
         Bytes even = OddModulus(256);
         even.back() &= 0xfe;
         return RsaSpkiWith(even, kF4);
       },
       "even"},
      {"SmallFactor", [] { return RsaSpkiWith(WithSmallFactor(), kF4); }, "has the factor"},
      {"Roca", [] { return RsaSpkiWith(Shaped(), kF4); }, "ROCA"},
      {"P192",
       [] {
         return EcSpkiWith({1, 2, 840, 10045, 3, 1, 1}, Point(24));
       },
       "neither"},
      {"Sm2",
       [] {
         return EcSpkiWith({1, 2, 156, 10197, 1, 301}, Point(32));
       },
       "neither"},
      {"OffTheCurve",
       [] {
         return EcSpkiWith({1, 2, 840, 10045, 3, 1, 7}, Point(32));
       },
       "not a valid EC"},
      {"AtInfinity",
       [] {
         return EcSpkiWith({1, 2, 840, 10045, 3, 1, 7}, Bytes{0x00});
       },
       "uncompressed"},
      {"Compressed",
       [] {
         Bytes point(33, 0x5b);
         point[0] = 0x02;
         return EcSpkiWith({1, 2, 840, 10045, 3, 1, 7}, point);
       },
       "uncompressed"},
  };
}

}  // namespace bootgate::pki
