#include "common/tpm2/public.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"

namespace bootgate::tpm2 {
namespace {

using bytes::Reader;
using crypto::HashAlg;

absl::Status Bad(const Reader& in, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(what, " before offset ", in.offset()));
}

absl::StatusOr<HashAlg> ReadHashAlg(Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint16_t id, in.U16Be());
  const std::optional<HashAlg> alg = crypto::HashAlgFromTpm(id);
  if (!alg.has_value()) return Bad(in, absl::StrCat("unknown hash algorithm 0x", absl::Hex(id)));
  return *alg;
}

absl::StatusOr<Alg> ReadAlg(Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint16_t id, in.U16Be());
  return static_cast<Alg>(id);
}

absl::StatusOr<Bytes> ReadSized(Reader& in, size_t longest, absl::string_view what) {
  BG_ASSIGN_OR_RETURN(const ByteView value, in.Sized16Be());
  if (value.size() > longest) {
    return Bad(in, absl::StrCat(what, " of ", value.size(), " bytes, at most ", longest));
  }
  return ToBytes(value);
}

// TPMT_SYM_DEF_OBJECT: none, or AES in CFB mode.
absl::Status ReadSymmetric(Reader& in, Public& out) {
  BG_ASSIGN_OR_RETURN(const Alg alg, ReadAlg(in));
  if (alg == Alg::kNull) return absl::OkStatus();
  if (alg != Alg::kAes) return Bad(in, "symmetric algorithm other than AES");
  BG_ASSIGN_OR_RETURN(out.symmetric_bits, in.U16Be());
  if (out.symmetric_bits != 128 && out.symmetric_bits != 192 && out.symmetric_bits != 256) {
    return Bad(in, absl::StrCat("AES key of ", out.symmetric_bits, " bits"));
  }
  BG_ASSIGN_OR_RETURN(const Alg mode, ReadAlg(in));
  if (mode != Alg::kCfb) return Bad(in, "AES mode other than CFB");
  return absl::OkStatus();
}

// Which schemes a type of object can have, and whether a hash follows.
struct SchemeRow {
  Alg type, scheme;
  bool has_hash, has_count;
};
constexpr SchemeRow kSchemes[] = {
    {Alg::kRsa, Alg::kNull, false, false},       {Alg::kRsa, Alg::kRsaes, false, false},
    {Alg::kRsa, Alg::kRsassa, true, false},      {Alg::kRsa, Alg::kRsapss, true, false},
    {Alg::kRsa, Alg::kOaep, true, false},        {Alg::kEcc, Alg::kNull, false, false},
    {Alg::kEcc, Alg::kEcdsa, true, false},       {Alg::kEcc, Alg::kEcdaa, true, true},
    {Alg::kKeyedHash, Alg::kNull, false, false}, {Alg::kKeyedHash, Alg::kHmac, true, false},
};

absl::Status ReadScheme(Reader& in, Public& out) {
  BG_ASSIGN_OR_RETURN(out.scheme, ReadAlg(in));
  const auto row = std::ranges::find_if(
      kSchemes, [&](const SchemeRow& r) { return r.type == out.type && r.scheme == out.scheme; });
  if (row == std::end(kSchemes)) {
    return Bad(in, absl::StrCat("unknown scheme 0x", absl::Hex(static_cast<uint16_t>(out.scheme))));
  }
  if (row->has_hash) {
    BG_ASSIGN_OR_RETURN(out.scheme_hash, ReadHashAlg(in));
  }
  return row->has_count ? in.Skip(2) : absl::OkStatus();
}

absl::Status ReadRsa(Reader& in, Public& out) {
  BG_RETURN_IF_ERROR(ReadSymmetric(in, out));
  BG_RETURN_IF_ERROR(ReadScheme(in, out));
  BG_ASSIGN_OR_RETURN(out.rsa_bits, in.U16Be());
  BG_ASSIGN_OR_RETURN(out.rsa_exponent, in.U32Be());
  const size_t whole = out.rsa_bits / 8u;
  BG_ASSIGN_OR_RETURN(out.rsa_modulus, ReadSized(in, whole, "RSA modulus"));
  if (!out.rsa_modulus.empty() && out.rsa_modulus.size() != whole) {
    return Bad(in, absl::StrCat("RSA modulus of ", out.rsa_modulus.size(), " bytes in a key of ",
                                out.rsa_bits, " bits"));
  }
  return absl::OkStatus();
}

absl::Status ReadEcc(Reader& in, Public& out) {
  BG_RETURN_IF_ERROR(ReadSymmetric(in, out));
  BG_RETURN_IF_ERROR(ReadScheme(in, out));
  BG_ASSIGN_OR_RETURN(const uint16_t curve, in.U16Be());
  out.curve = crypto::CurveFromTpm(curve);
  if (!out.curve.has_value()) return Bad(in, absl::StrCat("unknown curve 0x", absl::Hex(curve)));
  BG_ASSIGN_OR_RETURN(const Alg kdf, ReadAlg(in));
  if (kdf != Alg::kNull) return Bad(in, "key derivation scheme in a public area");
  const size_t field = crypto::FieldSize(*out.curve);
  BG_ASSIGN_OR_RETURN(out.x, ReadSized(in, field, "x"));
  BG_ASSIGN_OR_RETURN(out.y, ReadSized(in, field, "y"));
  return absl::OkStatus();
}

absl::Status ReadKeyedHash(Reader& in, Public& out) {
  BG_RETURN_IF_ERROR(ReadScheme(in, out));
  BG_ASSIGN_OR_RETURN(out.keyed_hash_unique,
                      ReadSized(in, crypto::DigestSize(out.name_alg), "unique"));
  return absl::OkStatus();
}

absl::Status ReadParametersAndUnique(Reader& in, Public& out) {
  switch (out.type) {
    case Alg::kRsa:
      return ReadRsa(in, out);
    case Alg::kEcc:
      return ReadEcc(in, out);
    case Alg::kKeyedHash:
      return ReadKeyedHash(in, out);
    default:  // any 16-bit number can stand here
      return Bad(
          in, absl::StrCat("unknown object type 0x", absl::Hex(static_cast<uint16_t>(out.type))));
  }
}

absl::StatusOr<Public> Read(Reader in) {
  Public out;
  out.raw = ToBytes(in.rest());
  BG_ASSIGN_OR_RETURN(out.type, ReadAlg(in));
  BG_ASSIGN_OR_RETURN(out.name_alg, ReadHashAlg(in));
  BG_ASSIGN_OR_RETURN(out.attributes, in.U32Be());
  BG_ASSIGN_OR_RETURN(out.auth_policy,
                      ReadSized(in, crypto::DigestSize(out.name_alg), "authPolicy"));
  if (!out.auth_policy.empty() && out.auth_policy.size() != crypto::DigestSize(out.name_alg)) {
    return Bad(in, "authPolicy that is no digest of the name algorithm");
  }
  BG_RETURN_IF_ERROR(ReadParametersAndUnique(in, out));
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  return out;
}

absl::StatusOr<Public> ReadTpm2b(ByteView tpm2b) {
  Reader outer(tpm2b);
  BG_ASSIGN_OR_RETURN(const uint16_t size, outer.U16Be());
  BG_ASSIGN_OR_RETURN(const Reader inner, outer.Sub(size));
  BG_RETURN_IF_ERROR(outer.ExpectEnd());
  return Read(inner);
}

absl::StatusOr<Public> Named(absl::StatusOr<Public> result) {
  if (result.ok()) return result;
  return WithReason(absl::Status(result.status().code(),
                                 absl::StrCat("TPMT_PUBLIC: ", result.status().message())),
                    Reason::kTpmMarshal);
}

Bytes NameFrom(HashAlg alg, std::initializer_list<ByteView> parts) {
  bytes::Writer out;
  out.U16Be(static_cast<uint16_t>(alg)).Raw(crypto::Hash(alg, parts).view());
  return out.Finish();
}

}  // namespace

absl::StatusOr<Public> Public::FromTpmt(ByteView tpmt) { return Named(Read(Reader(tpmt))); }
absl::StatusOr<Public> Public::FromTpm2b(ByteView tpm2b) { return Named(ReadTpm2b(tpm2b)); }

ByteView Public::WithoutUnique() const {
  constexpr size_t kSizeField = 2;
  size_t unique = 0;
  if (type == Alg::kRsa) unique = kSizeField + rsa_modulus.size();
  if (type == Alg::kEcc) unique = 2 * kSizeField + x.size() + y.size();
  if (type == Alg::kKeyedHash) unique = kSizeField + keyed_hash_unique.size();
  return ByteView(raw).first(raw.size() - unique);
}

Bytes Public::Tpm2b() const { return bytes::Writer().Sized16Be(raw).Finish(); }

Bytes Public::Name() const { return NameFrom(name_alg, {raw}); }

absl::StatusOr<crypto::PublicKey> Public::Key() const {
  if (type == Alg::kRsa) return crypto::PublicKey::FromRsa(rsa_modulus, rsa_exponent);
  if (type == Alg::kEcc && curve.has_value()) return crypto::PublicKey::FromEc(*curve, x, y);
  return Malformed(Reason::kKeyWeak, "the object is no asymmetric key");
}

Bytes QualifiedName(ByteView parent_qualified_name, const Public& object) {
  return NameFrom(object.name_alg, {parent_qualified_name, object.Name()});
}

Bytes HandleName(uint32_t handle) { return bytes::Writer().U32Be(handle).Finish(); }

}  // namespace bootgate::tpm2
