#include "common/tpm2/soft_tpm/public_area.h"

#include "common/bytes/writer.h"
#include "common/crypto/der.h"

namespace bootgate::tpm2::soft_tpm {
namespace {

using bytes::Writer;
using crypto::DerReader;

// The contents of the BIT STRING of a SubjectPublicKeyInfo.
Bytes KeyBits(const crypto::PublicKey& key) {
  const Bytes der = key.SpkiDer();
  DerReader outer(der);
  DerReader fields(outer.Take(DerReader::kSequence).value());
  (void)fields.Take(DerReader::kSequence).value();  // the algorithm
  return ToBytes(fields.TakeBitString().value());
}

void WriteRsaTail(Writer& out, const crypto::PublicKey& key) {
  const Bytes bits = KeyBits(key);
  DerReader outer(bits);
  DerReader numbers(outer.Take(DerReader::kSequence).value());
  out.U16Be(static_cast<uint16_t>(key.bits())).U32Be(0);
  out.Sized16Be(numbers.TakePositiveInteger().value());
}

void WriteEccTail(Writer& out, const crypto::PublicKey& key) {
  const Bytes bits = KeyBits(key);
  const size_t field = crypto::FieldSize(*key.curve());
  out.U16Be(static_cast<uint16_t>(*key.curve())).U16Be(static_cast<uint16_t>(Alg::kNull));
  out.Sized16Be(ByteView(bits).subspan(1, field)).Sized16Be(ByteView(bits).subspan(1 + field));
}

void WriteTail(Writer& out, const crypto::PublicKey& key) {
  if (key.kind() == crypto::PublicKey::Kind::kRsa) {
    WriteRsaTail(out, key);
  } else {
    WriteEccTail(out, key);
  }
}

void WriteSymmetric(Writer& out, uint16_t bits) {
  if (bits == 0) {
    out.U16Be(static_cast<uint16_t>(Alg::kNull));
    return;
  }
  out.U16Be(static_cast<uint16_t>(Alg::kAes)).U16Be(bits).U16Be(static_cast<uint16_t>(Alg::kCfb));
}

}  // namespace

Bytes AreaBytes(const crypto::PublicKey& key, const AreaFields& fields) {
  const bool rsa = key.kind() == crypto::PublicKey::Kind::kRsa;
  Writer out;
  out.U16Be(static_cast<uint16_t>(rsa ? Alg::kRsa : Alg::kEcc));
  out.U16Be(static_cast<uint16_t>(fields.name_alg)).U32Be(fields.attributes);
  out.Sized16Be(fields.auth_policy);
  WriteSymmetric(out, fields.symmetric_bits);
  out.U16Be(static_cast<uint16_t>(fields.scheme));
  if (fields.scheme != Alg::kNull) out.U16Be(static_cast<uint16_t>(fields.scheme_hash));
  if (fields.scheme == Alg::kEcdaa) out.U16Be(0);
  WriteTail(out, key);
  return out.Finish();
}

Public Area(const crypto::PublicKey& key, const AreaFields& fields) {
  return Public::FromTpmt(AreaBytes(key, fields)).value();
}

Public AreaFromTemplate(ByteView tmpl, const crypto::PublicKey& key) {
  const Public form = Public::FromTpmt(tmpl).value();
  Writer tail;
  WriteTail(tail, key);
  // The tail repeats keyBits and exponent, or curve and KDF, which the template's form ends with.
  const size_t repeated = form.type == Alg::kRsa ? 6 : 4;
  const ByteView head = form.WithoutUnique();
  Writer out;
  out.Raw(head.first(head.size() - repeated)).Raw(tail.view());
  return Public::FromTpmt(out.Finish()).value();
}

}  // namespace bootgate::tpm2::soft_tpm
