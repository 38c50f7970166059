// OpenSSL 3 calls the RSA_ functions deprecated. For a key that is used once, as that of a host,
// EVP adds a fifth to the arithmetic.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/crypto/key_agreement.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <string>

#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::crypto {
namespace {

constexpr size_t kMaxFieldBytes = 66;

absl::Status Failed(absl::string_view doing) {
  return OpenSslError(absl::StatusCode::kInternal, doing);
}

PkeyCtxPtr MakeGenerator(Curve curve) {
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  if (context != nullptr && (EVP_PKEY_keygen_init(context.get()) != 1 ||
                             EVP_PKEY_CTX_set_group_name(context.get(), GroupName(curve)) != 1)) {
    context.reset();
  }
  return context;
}

// Kept by the thread: working out the group costs as much as making a key.
EVP_PKEY_CTX* Generator(Curve curve) {
  thread_local const std::array<PkeyCtxPtr, 3> contexts = {
      MakeGenerator(Curve::kP256), MakeGenerator(Curve::kP384), MakeGenerator(Curve::kP521)};
  switch (curve) {
    case Curve::kP256:
      return contexts[0].get();
    case Curve::kP384:
      return contexts[1].get();
    case Curve::kP521:
      return contexts[2].get();
  }
  std::abort();  // an enum value that is none: a bug of ours
}

// Fetched once for the process: looking a hash up costs more than a short message. nullptr when
// this OpenSSL lacks it.
const EVP_MD* MessageDigest(HashAlg alg) {
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA2-384", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
  static const EVP_MD* const sm3 = EVP_MD_fetch(nullptr, "SM3", nullptr);
  switch (alg) {
    case HashAlg::kSha1:
      return sha1;
    case HashAlg::kSha256:
      return sha256;
    case HashAlg::kSha384:
      return sha384;
    case HashAlg::kSha512:
      return sha512;
    case HashAlg::kSm3_256:
      return sm3;
  }
  std::abort();  // an enum value that is none: a bug of ours
}

absl::StatusOr<SecretBytes> Derive(EVP_PKEY* own, EVP_PKEY* peer, size_t field) {
  constexpr int kValidatedAtImport = 0;  // a PublicKey is on its curve; checking again costs twice
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
  SecretBytes z(field);
  size_t size = field;
  if (context == nullptr || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer_ex(context.get(), peer, kValidatedAtImport) != 1 ||
      EVP_PKEY_derive(context.get(), z.mutable_view().data(), &size) != 1 || size != field) {
    return Failed("agree on a secret");
  }
  return z;
}

absl::StatusOr<Agreement> AgreeBy(const PublicKey& key, EVP_PKEY* one_time) {
  const size_t field = FieldSize(*key.curve());
  std::array<uint8_t, 1 + 2 * kMaxFieldBytes> point;
  size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(one_time, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                      &size) != 1 ||
      size != 1 + 2 * field || point[0] != POINT_CONVERSION_UNCOMPRESSED) {
    return Failed("read a one-time key");
  }
  Agreement out;
  out.x = ToBytes(ByteView(point).subspan(1, field));
  out.y = ToBytes(ByteView(point).subspan(1 + field, field));
  BG_ASSIGN_OR_RETURN(out.z, Derive(one_time, key.get(), field));
  return out;
}

absl::Status RequireEc(const PublicKey& key) {
  if (key.kind() == PublicKey::Kind::kEc) return absl::OkStatus();
  return absl::InvalidArgumentError("not an EC key");
}

// The public point of a scalar; for AgreeWithForTest.
absl::StatusOr<Bytes> PointOf(Curve curve, const BIGNUM* scalar) {
  using GroupPtr = std::unique_ptr<EC_GROUP, FreeWith<EC_GROUP_free>>;
  using PointPtr = std::unique_ptr<EC_POINT, FreeWith<EC_POINT_free>>;
  const GroupPtr group(EC_GROUP_new_by_curve_name(EC_curve_nist2nid(GroupName(curve))));
  const PointPtr point(group == nullptr ? nullptr : EC_POINT_new(group.get()));
  Bytes out(1 + 2 * FieldSize(curve));
  if (point == nullptr ||
      EC_POINT_mul(group.get(), point.get(), scalar, nullptr, nullptr, nullptr) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, out.data(),
                         out.size(), nullptr) != out.size()) {
    return Failed("point of a scalar");
  }
  return out;
}

absl::StatusOr<PkeyPtr> KeyOf(Curve curve, ByteView scalar) {
  const BnPtr number(BN_bin2bn(scalar.data(), static_cast<int>(scalar.size()), nullptr));
  if (number == nullptr) return Failed("scalar");
  BG_ASSIGN_OR_RETURN(Bytes point, PointOf(curve, number.get()));
  Bytes native(scalar.rbegin(), scalar.rend());
  std::string name = GroupName(curve);
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), 0),
      OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native.data(), native.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, params) != 1) {
    return Failed("one-time key from a scalar");
  }
  return PkeyPtr(key);
}

}  // namespace

absl::StatusOr<Bytes> RsaOaepEncrypt(const PublicKey& key, HashAlg alg, ByteView label,
                                     ByteView plain) {
  if (key.kind() != PublicKey::Kind::kRsa) return absl::InvalidArgumentError("not an RSA key");
  const EVP_MD* const hash = MessageDigest(alg);
  const RSA* const rsa = EVP_PKEY_get0_RSA(key.get());
  if (hash == nullptr || rsa == nullptr) return Failed("RSA-OAEP");
  SecretBytes padded(static_cast<size_t>(RSA_size(rsa)));
  Bytes out(padded.size());
  const int size = static_cast<int>(out.size());
  // OpenSSL takes a key that may change, for the numbers that it keeps inside under a lock.
  if (RSA_padding_add_PKCS1_OAEP_mgf1(padded.mutable_view().data(), size, plain.data(),
                                      static_cast<int>(plain.size()), label.data(),
                                      static_cast<int>(label.size()), hash, hash) != 1 ||
      RSA_public_encrypt(size, padded.view().data(), out.data(), const_cast<RSA*>(rsa),
                         RSA_NO_PADDING) != size) {
    return Failed("RSA-OAEP");
  }
  return out;
}

absl::StatusOr<Agreement> AgreeWith(const PublicKey& key) {
  BG_RETURN_IF_ERROR(RequireEc(key));
  EVP_PKEY_CTX* const context = Generator(*key.curve());
  EVP_PKEY* one_time = nullptr;
  if (context == nullptr || EVP_PKEY_generate(context, &one_time) != 1) {
    return Failed("generate a one-time key");
  }
  return AgreeBy(key, PkeyPtr(one_time).get());
}

absl::StatusOr<Agreement> AgreeWithForTest(const PublicKey& key, ByteView one_time_private) {
  BG_RETURN_IF_ERROR(RequireEc(key));
  BG_ASSIGN_OR_RETURN(const PkeyPtr one_time, KeyOf(*key.curve(), one_time_private));
  return AgreeBy(key, one_time.get());
}

}  // namespace bootgate::crypto
