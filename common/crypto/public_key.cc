// OpenSSL 3 calls the RSA_ functions deprecated. For a key that is used once, as that of a quote,
// EVP adds a fifth to the arithmetic.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/crypto/public_key.h"

#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/der.h"

namespace bootgate::crypto {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 4096;
constexpr size_t kMaxRsaBytes = kMaxRsaBits / 8;
constexpr size_t kMaxExponentBytes = 4;  // what a TPM can hold
constexpr size_t kMaxSpkiBytes = 2048;   // RSA 4096 needs 550; OAEP parameters add some
constexpr size_t kMaxFieldBytes = 66;
constexpr size_t kMaxEcdsaDerBytes = 144;

struct CurveRow {
  Curve curve;
  size_t field_bytes;
  int bits;
  const char* openssl_name;
  absl::string_view oid;  // contents of the OBJECT IDENTIFIER
};

constexpr CurveRow kCurves[] = {
    {Curve::kP256, 32, 256, "prime256v1", absl::string_view("\x2a\x86\x48\xce\x3d\x03\x01\x07", 8)},
    {Curve::kP384, 48, 384, "secp384r1", absl::string_view("\x2b\x81\x04\x00\x22", 5)},
    {Curve::kP521, 66, 521, "secp521r1", absl::string_view("\x2b\x81\x04\x00\x23", 5)},
};

constexpr absl::string_view kOidRsaEncryption("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9);
constexpr absl::string_view kOidRsaesOaep("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07", 9);
constexpr absl::string_view kOidEcPublicKey("\x2a\x86\x48\xce\x3d\x02\x01", 7);

const CurveRow& RowOf(Curve curve) {
  for (const CurveRow& row : kCurves) {
    if (row.curve == curve) return row;
  }
  std::abort();  // an enum value that is none: a bug of ours
}

absl::Status Weak(absl::string_view why) { return Malformed(Reason::kKeyWeak, why); }
absl::Status TooLarge(absl::string_view why) { return Malformed(Reason::kKeyTooLarge, why); }

ByteView WithoutLeadingZeros(ByteView number) {
  const auto first = std::ranges::find_if(number, [](uint8_t b) { return b != 0; });
  return ByteView(first, number.end());
}

int BitsOf(ByteView stripped) {
  if (stripped.empty()) return 0;
  return static_cast<int>(stripped.size() * 8) - std::countl_zero(stripped[0]);
}

absl::Status CheckRsaNumbers(ByteView modulus, ByteView exponent) {
  const int bits = BitsOf(modulus);
  if (bits > kMaxRsaBits) return TooLarge(absl::StrCat("RSA key of ", bits, " bits"));
  if (bits < kMinRsaBits) return Weak(absl::StrCat("RSA key of ", bits, " bits"));
  if ((modulus.back() & 1) == 0) return Weak("RSA modulus is even");
  if (exponent.size() > kMaxExponentBytes) return TooLarge("RSA exponent longer than 32 bits");
  if (BitsOf(exponent) < 2 || (exponent.back() & 1) == 0) return Weak("RSA exponent is even or 1");
  return absl::OkStatus();
}

absl::StatusOr<PkeyPtr> ImportRsa(ByteView modulus, ByteView exponent) {
  using RsaPtr = std::unique_ptr<RSA, FreeWith<RSA_free>>;
  RsaPtr rsa(RSA_new());
  PkeyPtr key(EVP_PKEY_new());
  BnPtr n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
  BnPtr e(BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
  if (rsa == nullptr || key == nullptr || n == nullptr || e == nullptr ||
      RSA_set0_key(rsa.get(), n.get(), e.get(), nullptr) != 1) {
    return OpenSslError(absl::StatusCode::kInternal, "import an RSA key");
  }
  n.release();  // the RSA owns both now
  e.release();
  if (EVP_PKEY_assign_RSA(key.get(), rsa.get()) != 1) {
    return OpenSslError(absl::StatusCode::kInternal, "import an RSA key");
  }
  rsa.release();
  return key;
}

void PadTo(ByteView number, std::span<uint8_t> field) {
  std::ranges::fill(field, uint8_t{0});
  std::ranges::copy(number, field.end() - static_cast<std::ptrdiff_t>(number.size()));
}

// A key of the curve without a point. Working out a group costs more than all else of an import.
PkeyPtr WithoutPoint(const CurveRow& row) {
  char name[16] = {};  // OpenSSL reads to a NUL
  absl::string_view(row.openssl_name).copy(name, sizeof name);
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name,
                                       absl::string_view(row.openssl_name).size()),
      OSSL_PARAM_construct_end()};
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEY_PARAMETERS, params) != 1) {
    std::abort();  // the default provider is missing: nothing can work
  }
  return PkeyPtr(key);
}

EVP_PKEY* GroupOf(const CurveRow& row) {
  static const std::array<PkeyPtr, std::size(kCurves)> groups = {
      WithoutPoint(kCurves[0]), WithoutPoint(kCurves[1]), WithoutPoint(kCurves[2])};
  return groups[static_cast<size_t>(&row - kCurves)].get();
}

// Setting the point checks that it lies on the curve. These curves have cofactor 1, so such a point
// has the right order and the costly order check would tell nothing more.
absl::StatusOr<PkeyPtr> ImportEc(const CurveRow& row, ByteView point) {
  PkeyPtr key(EVP_PKEY_dup(GroupOf(row)));
  if (key == nullptr ||
      EVP_PKEY_set1_encoded_public_key(key.get(), point.data(), point.size()) != 1) {
    ClearOpenSslErrors();
    return Weak("not a valid EC public key");
  }
  return key;
}

const CurveRow* CurveOfEvp(const EVP_PKEY* key) {
  char name[32] = {};
  if (EVP_PKEY_get_group_name(key, name, sizeof name, nullptr) != 1) return nullptr;
  const auto row = std::ranges::find_if(
      kCurves, [&](const CurveRow& r) { return absl::string_view(r.openssl_name) == name; });
  return row == std::end(kCurves) ? nullptr : row;
}

absl::Status CheckRsaEvp(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits > kMaxRsaBits) return TooLarge(absl::StrCat("RSA key of ", bits, " bits"));
  if (bits < kMinRsaBits) return Weak(absl::StrCat("RSA key of ", bits, " bits"));
  std::array<uint8_t, kMaxRsaBytes> n;
  std::array<uint8_t, kMaxRsaBytes> e;
  BIGNUM* raw_n = nullptr;
  BIGNUM* raw_e = nullptr;
  const bool have = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &raw_n) == 1 &&
                    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw_e) == 1;
  const BnPtr own_n(raw_n);
  const BnPtr own_e(raw_e);
  if (!have) return Weak("RSA key without modulus or exponent");
  if (BN_num_bytes(raw_e) > static_cast<int>(kMaxExponentBytes))
    return TooLarge("RSA exponent longer than 32 bits");
  const auto n_size = static_cast<size_t>(BN_bn2bin(raw_n, n.data()));
  const auto e_size = static_cast<size_t>(BN_bn2bin(raw_e, e.data()));
  return CheckRsaNumbers({n.data(), n_size}, {e.data(), e_size});
}

struct Spki {
  absl::string_view algorithm;
  absl::string_view curve;  // EC only
  ByteView key;
};

absl::StatusOr<Spki> ReadSpki(ByteView der) {
  DerReader outer(der);
  BG_ASSIGN_OR_RETURN(const ByteView spki, outer.Take(DerReader::kSequence));
  if (!outer.empty()) return absl::InvalidArgumentError("bytes after the public key");
  DerReader fields(spki);
  BG_ASSIGN_OR_RETURN(const ByteView algorithm, fields.Take(DerReader::kSequence));
  Spki out;
  BG_ASSIGN_OR_RETURN(out.key, fields.TakeBitString());
  if (!fields.empty()) return absl::InvalidArgumentError("bytes after the public key");
  DerReader inner(algorithm);
  BG_ASSIGN_OR_RETURN(const ByteView oid, inner.Take(DerReader::kOid));
  out.algorithm = AsText(oid);
  if (out.algorithm == kOidEcPublicKey) {
    BG_ASSIGN_OR_RETURN(const ByteView curve, inner.Take(DerReader::kOid));
    out.curve = AsText(curve);
  }
  return out;
}

struct RsaNumbers {
  ByteView modulus, exponent;
};

absl::StatusOr<RsaNumbers> ReadRsaPublicKey(ByteView der) {
  DerReader outer(der);
  BG_ASSIGN_OR_RETURN(const ByteView numbers, outer.Take(DerReader::kSequence));
  DerReader in(numbers);
  RsaNumbers out;
  BG_ASSIGN_OR_RETURN(out.modulus, in.TakePositiveInteger());
  BG_ASSIGN_OR_RETURN(out.exponent, in.TakePositiveInteger());
  if (!outer.empty() || !in.empty())
    return absl::InvalidArgumentError("bytes after the RSA numbers");
  return out;
}

// SubjectPublicKeyInfo of an EC key, put together here: OpenSSL's encoder takes fifty times as
// long.
Bytes EcSpkiDer(ByteView point, const CurveRow& row) {
  const auto append = [](Bytes& to, uint8_t tag, ByteView contents) {
    to.push_back(tag);
    if (contents.size() >= 0x80) to.push_back(0x81);  // none here is longer than 255 bytes
    to.push_back(static_cast<uint8_t>(contents.size()));
    to.insert(to.end(), contents.begin(), contents.end());
  };
  Bytes algorithm, bits = {0}, fields, spki;  // the bit string has no unused bits
  append(algorithm, DerReader::kOid, AsBytes(kOidEcPublicKey));
  append(algorithm, DerReader::kOid, AsBytes(row.oid));
  bits.insert(bits.end(), point.begin(), point.end());
  append(fields, DerReader::kSequence, algorithm);
  append(fields, DerReader::kBitString, bits);
  append(spki, DerReader::kSequence, fields);
  return spki;
}

int NidOf(HashAlg alg) {
  switch (alg) {
    case HashAlg::kSha1:
      return NID_sha1;
    case HashAlg::kSha256:
      return NID_sha256;
    case HashAlg::kSha384:
      return NID_sha384;
    case HashAlg::kSha512:
      return NID_sha512;
    case HashAlg::kSm3_256:
      return NID_sm3;
  }
  std::abort();  // an enum value that is none: a bug of ours
}

// An ECDSA or RSAPSS operation on `key`, with padding and hash set in one go.
PkeyCtxPtr VerifyContext(EVP_PKEY* key, SignatureScheme scheme, HashAlg alg) {
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (context == nullptr) return nullptr;
  if (scheme == SignatureScheme::kEcdsa) {
    if (EVP_PKEY_verify_init(context.get()) != 1) context.reset();
    return context;
  }
  char digest[16] = {};
  Name(alg).copy(digest, sizeof digest - 1);
  int padding = RSA_PKCS1_PSS_PADDING;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &padding),
      OSSL_PARAM_construct_end()};
  if (EVP_PKEY_verify_init_ex(context.get(), params) != 1) context.reset();
  return context;
}

absl::Status BadSignature(absl::string_view why) { return NotAuthentic(Reason::kSigInvalid, why); }

bool HoldsRsassa(EVP_PKEY* key, const Digest& digest, ByteView signature) {
  const RSA* const rsa = EVP_PKEY_get0_RSA(key);
  // OpenSSL takes a key that may change, for the numbers that it keeps inside under a lock.
  return rsa != nullptr &&
         RSA_verify(NidOf(digest.alg()), digest.view().data(),
                    static_cast<unsigned int>(digest.size()), signature.data(),
                    static_cast<unsigned int>(signature.size()), const_cast<RSA*>(rsa)) == 1;
}

bool HoldsByContext(EVP_PKEY* key, SignatureScheme scheme, const Digest& digest,
                    ByteView signature) {
  const PkeyCtxPtr context = VerifyContext(key, scheme, digest.alg());
  return context != nullptr && EVP_PKEY_verify(context.get(), signature.data(), signature.size(),
                                               digest.view().data(), digest.size()) == 1;
}

absl::Status VerifyWith(EVP_PKEY* key, SignatureScheme scheme, const Digest& digest,
                        ByteView signature) {
  if (scheme == SignatureScheme::kRsassa ? HoldsRsassa(key, digest, signature)
                                         : HoldsByContext(key, scheme, digest, signature)) {
    return absl::OkStatus();
  }
  ClearOpenSslErrors();
  return BadSignature("the signature does not verify");
}

}  // namespace

size_t FieldSize(Curve curve) { return RowOf(curve).field_bytes; }

const char* GroupName(Curve curve) {
  switch (curve) {
    case Curve::kP256:
      return "P-256";
    case Curve::kP384:
      return "P-384";
    case Curve::kP521:
      return "P-521";
  }
  std::abort();  // an enum value that is none: a bug of ours
}

std::optional<Curve> CurveFromTpm(uint16_t id) {
  for (const CurveRow& row : kCurves) {
    if (static_cast<uint16_t>(row.curve) == id) return row.curve;
  }
  return std::nullopt;
}

absl::StatusOr<PublicKey> PublicKey::FromRsa(ByteView modulus, uint32_t exponent) {
  const uint32_t e = exponent == 0 ? 65537 : exponent;
  const uint8_t bytes[] = {static_cast<uint8_t>(e >> 24), static_cast<uint8_t>(e >> 16),
                           static_cast<uint8_t>(e >> 8), static_cast<uint8_t>(e)};
  const ByteView n = WithoutLeadingZeros(modulus);
  BG_RETURN_IF_ERROR(CheckRsaNumbers(n, WithoutLeadingZeros(bytes)));
  BG_ASSIGN_OR_RETURN(PkeyPtr key, ImportRsa(n, WithoutLeadingZeros(bytes)));
  return PublicKey(std::move(key));
}

absl::StatusOr<PublicKey> PublicKey::FromEc(Curve curve, ByteView x, ByteView y) {
  const CurveRow& row = RowOf(curve);
  if (x.size() > row.field_bytes || y.size() > row.field_bytes) {
    return TooLarge("EC coordinate longer than the field");
  }
  std::array<uint8_t, 1 + 2 * kMaxFieldBytes> buffer;
  const std::span<uint8_t> point = std::span(buffer).first(1 + 2 * row.field_bytes);
  point[0] = POINT_CONVERSION_UNCOMPRESSED;
  PadTo(x, point.subspan(1, row.field_bytes));
  PadTo(y, point.subspan(1 + row.field_bytes));
  BG_ASSIGN_OR_RETURN(PkeyPtr key, ImportEc(row, point));
  return PublicKey(curve, point, std::move(key));
}

absl::StatusOr<PublicKey> PublicKey::FromSpkiDer(ByteView der) {
  if (der.size() > kMaxSpkiBytes) return TooLarge("SubjectPublicKeyInfo longer than 2048 bytes");
  absl::StatusOr<Spki> spki = ReadSpki(der);
  if (!spki.ok()) return WithReason(spki.status(), Reason::kKeyWeak);
  if (spki->algorithm == kOidRsaEncryption || spki->algorithm == kOidRsaesOaep) {
    const absl::StatusOr<RsaNumbers> numbers = ReadRsaPublicKey(spki->key);
    if (!numbers.ok()) return WithReason(numbers.status(), Reason::kKeyWeak);
    BG_RETURN_IF_ERROR(CheckRsaNumbers(numbers->modulus, numbers->exponent));
    BG_ASSIGN_OR_RETURN(PkeyPtr key, ImportRsa(numbers->modulus, numbers->exponent));
    return PublicKey(std::move(key));
  }
  const auto row = std::ranges::find_if(
      kCurves, [&](const CurveRow& r) { return !spki->curve.empty() && r.oid == spki->curve; });
  if (row == std::end(kCurves)) return Weak("neither an RSA key nor one on P-256, P-384, P-521");
  const size_t field = row->field_bytes;
  if (spki->key.size() != 1 + 2 * field || spki->key[0] != POINT_CONVERSION_UNCOMPRESSED) {
    return Weak("EC point is not an uncompressed one");
  }
  return FromEc(row->curve, spki->key.subspan(1, field), spki->key.subspan(1 + field));
}

absl::StatusOr<PublicKey> PublicKey::FromEvp(PkeyPtr key) {
  if (key == nullptr) return Weak("no key");
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1) {
    BG_RETURN_IF_ERROR(CheckRsaEvp(key.get()));
    return PublicKey(std::move(key));
  }
  const CurveRow* const row = EVP_PKEY_is_a(key.get(), "EC") == 1 ? CurveOfEvp(key.get()) : nullptr;
  if (row == nullptr) return Weak("neither an RSA key nor one on P-256, P-384, P-521");
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (context == nullptr || EVP_PKEY_public_check(context.get()) != 1) {
    ClearOpenSslErrors();
    return Weak("EC point is not on its curve");
  }
  std::array<uint8_t, 1 + 2 * kMaxFieldBytes> point;
  size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                      point.size(), &size) != 1 ||
      size != 1 + 2 * row->field_bytes || point[0] != POINT_CONVERSION_UNCOMPRESSED) {
    ClearOpenSslErrors();
    return Weak("EC point is not an uncompressed one");
  }
  return PublicKey(row->curve, ByteView(point).first(size), std::move(key));
}

int PublicKey::bits() const { return EVP_PKEY_get_bits(key_.get()); }

absl::StatusOr<PublicKey::RsaParts> PublicKey::Rsa() const {
  if (kind_ != Kind::kRsa) return absl::InvalidArgumentError("not an RSA key");
  BIGNUM* raw_n = nullptr;
  BIGNUM* raw_e = nullptr;
  const bool have = EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_RSA_N, &raw_n) == 1 &&
                    EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_RSA_E, &raw_e) == 1;
  const BnPtr n(raw_n);
  const BnPtr e(raw_e);
  if (!have) return OpenSslError(absl::StatusCode::kInternal, "read an RSA key");
  RsaParts out{Bytes(static_cast<size_t>(BN_num_bytes(raw_n))),
               Bytes(static_cast<size_t>(BN_num_bytes(raw_e)))};
  BN_bn2bin(raw_n, out.modulus.data());
  BN_bn2bin(raw_e, out.exponent.data());
  return out;
}

absl::StatusOr<PublicKey::Point> PublicKey::EcPoint() const {
  if (kind_ != Kind::kEc) return absl::InvalidArgumentError("not an EC key");
  const size_t field = FieldSize(*curve_);
  const ByteView point(point_);  // 0x04, x, y
  if (point.size() != 1 + 2 * field) return absl::InternalError("an EC point of another form");
  return Point{ToBytes(point.subspan(1, field)), ToBytes(point.subspan(1 + field))};
}

Bytes PublicKey::SpkiDer() const {
  if (kind_ == Kind::kEc) return EcSpkiDer(point_, RowOf(*curve_));
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  if (size <= 0) std::abort();  // every key that we hold can be written
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

absl::Status PublicKey::Verify(SignatureScheme scheme, const Digest& digest,
                               ByteView signature) const {
  if ((scheme == SignatureScheme::kEcdsa) != (kind_ == Kind::kEc)) {
    return NotAuthentic(Reason::kSigScheme, "the signature's scheme does not fit the kind of key");
  }
  const auto longest = static_cast<size_t>(EVP_PKEY_get_size(key_.get()));
  const bool fits = kind_ == Kind::kRsa ? signature.size() == longest : signature.size() <= longest;
  if (!fits) return BadSignature(absl::StrCat("a signature of ", signature.size(), " bytes"));
  return VerifyWith(key_.get(), scheme, digest, signature);
}

absl::Status PublicKey::VerifyEcdsa(const Digest& digest, ByteView r, ByteView s) const {
  if (kind_ != Kind::kEc) {
    return NotAuthentic(Reason::kSigScheme, "the signature's scheme does not fit the kind of key");
  }
  const size_t field = FieldSize(*curve_);
  if (r.size() > field || s.size() > field) return BadSignature("r or s is longer than the field");
  if (WithoutLeadingZeros(r).empty() || WithoutLeadingZeros(s).empty()) {
    return BadSignature("r or s is 0");
  }
  Bytes numbers;
  numbers.reserve(kMaxEcdsaDerBytes);
  AppendDerInteger(r, numbers);
  AppendDerInteger(s, numbers);
  Bytes der = {DerReader::kSequence};
  der.reserve(kMaxEcdsaDerBytes);
  if (numbers.size() >= 0x80) der.push_back(0x81);
  der.push_back(static_cast<uint8_t>(numbers.size()));
  der.insert(der.end(), numbers.begin(), numbers.end());
  return VerifyWith(key_.get(), SignatureScheme::kEcdsa, digest, der);  // refuses r, s >= n
}

bool operator==(const PublicKey& a, const PublicKey& b) {
  return a.kind_ == b.kind_ && a.curve_ == b.curve_ && EVP_PKEY_eq(a.key_.get(), b.key_.get()) == 1;
}

}  // namespace bootgate::crypto
