#include "common/tpm2/soft_tpm/soft_ak.h"

#include "common/bytes/writer.h"
#include "common/crypto/der.h"
#include "common/tpm2/policy_digest.h"

namespace bootgate::tpm2::soft_tpm {
namespace {

using bytes::Writer;
using crypto::DerReader;

AreaFields WithScheme(Alg scheme) {
  AreaFields fields;
  fields.scheme = scheme;
  return fields;
}

crypto::SignatureScheme SchemeOf(const Public& area) {
  if (area.scheme == Alg::kRsapss) return crypto::SignatureScheme::kRsapss;
  return area.type == Alg::kRsa ? crypto::SignatureScheme::kRsassa
                                : crypto::SignatureScheme::kEcdsa;
}

std::vector<UntrustedPcr> ValuesOf(const registers::Selection& selection,
                                   const std::vector<registers::RegisterBank>& banks) {
  std::vector<UntrustedPcr> out;
  for (const registers::RegisterBank& bank : banks) {
    const uint32_t mask = registers::MaskOf(selection, bank.alg());
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      if ((mask >> i & 1u) != 0)
        out.push_back({bank.alg(), i, ToBytes(bank.Get(i).value().view())});
    }
  }
  return out;
}

}  // namespace

Bytes AttestBytes(const AttestFields& fields) {
  Writer out;
  out.U32Be(fields.magic).U16Be(static_cast<uint16_t>(fields.type));
  out.Sized16Be(fields.qualified_signer).Sized16Be(fields.extra_data);
  out.U64Be(fields.clock.clock_ms).U32Be(fields.clock.reset_count);
  out.U32Be(fields.clock.restart_count).U8(fields.clock.safe ? 1 : 0);
  out.U64Be(fields.firmware_version).Raw(fields.body);
  return out.Finish();
}

Bytes QuoteBody(const registers::Selection& selection, ByteView pcr_digest) {
  return Writer().Raw(registers::Marshal(selection)).Sized16Be(pcr_digest).Finish();
}

Bytes CertifyBody(ByteView name, ByteView qualified_name) {
  return Writer().Sized16Be(name).Sized16Be(qualified_name).Finish();
}

SoftAk SoftAk::Ecc(crypto::Curve curve) {
  return SoftAk(crypto::PrivateKey::GenerateEc(curve).value(), WithScheme(Alg::kEcdsa));
}

SoftAk SoftAk::Rsa(Alg scheme) {
  return SoftAk(crypto::PrivateKey::GenerateRsa(2048).value(), WithScheme(scheme));
}

SoftAk::SoftAk(crypto::PrivateKey key, const AreaFields& fields)
    : key_(std::move(key)), area_(Area(key_.Public(), fields)) {}

Bytes SoftAk::qualified_name() const { return QualifiedName(HandleName(kRhEndorsement), area_); }

Bytes SoftAk::Sign(ByteView message) const {
  const crypto::HashAlg alg = area_.scheme_hash.value_or(crypto::HashAlg::kSha256);
  const Bytes signature = key_.Sign(SchemeOf(area_), crypto::Hash(alg, message)).value();
  Writer out;
  out.U16Be(static_cast<uint16_t>(area_.scheme)).U16Be(static_cast<uint16_t>(alg));
  if (area_.type == Alg::kRsa) return out.Sized16Be(signature).Finish();
  DerReader outer(signature);
  DerReader numbers(outer.Take(DerReader::kSequence).value());
  const ByteView r = numbers.TakePositiveInteger().value();
  const ByteView s = numbers.TakePositiveInteger().value();
  return out.Sized16Be(r).Sized16Be(s).Finish();
}

SignedAttest SoftAk::SignAttest(const AttestFields& fields) const {
  SignedAttest out;
  out.attest = AttestBytes(fields);
  out.signature = Sign(out.attest);
  return out;
}

RawQuote SoftAk::Quote(const registers::Selection& selection,
                       const std::vector<registers::RegisterBank>& banks, ByteView qualifying_data,
                       const ClockInfo& clock, uint64_t firmware_version) const {
  AttestFields fields;
  fields.qualified_signer = qualified_name();
  fields.extra_data = ToBytes(qualifying_data);
  fields.clock = clock;
  fields.firmware_version = firmware_version;
  fields.body =
      QuoteBody(selection, PcrDigest(area_.scheme_hash.value(), selection, banks).value().view());
  SignedAttest quote = SignAttest(fields);
  return {.attest = std::move(quote.attest),
          .signature = std::move(quote.signature),
          .values = ValuesOf(selection, banks)};
}

SignedAttest SoftAk::Certify(const Public& object, ByteView qualifying_data) const {
  const Bytes parent = HandleName(kRhOwner);
  AttestFields fields;
  fields.type = AttestType::kCertify;
  fields.qualified_signer = qualified_name();
  fields.extra_data = ToBytes(qualifying_data);
  fields.body = CertifyBody(object.Name(), QualifiedName(parent, object));
  return SignAttest(fields);
}

}  // namespace bootgate::tpm2::soft_tpm
