#include "common/crypto/dsse.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"

namespace bootgate::crypto {
namespace {

HashAlg HashFor(const PublicKey& key) {
  if (key.curve() == Curve::kP384) return HashAlg::kSha384;
  if (key.curve() == Curve::kP521) return HashAlg::kSha512;
  return HashAlg::kSha256;
}

bool Made(const PublicKey& key, ByteView preimage, ByteView signature) {
  const Digest digest = Hash(HashFor(key), preimage);
  if (key.kind() == PublicKey::Kind::kEc) {
    return key.Verify(SignatureScheme::kEcdsa, digest, signature).ok();
  }
  return key.Verify(SignatureScheme::kRsapss, digest, signature).ok() ||
         key.Verify(SignatureScheme::kRsassa, digest, signature).ok();
}

}  // namespace

Bytes DssePreimage(absl::string_view payload_type, ByteView payload) {
  const std::string head =
      absl::StrCat("DSSEv1 ", payload_type.size(), " ", payload_type, " ", payload.size(), " ");
  Bytes out = ToBytes(AsBytes(head));
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

absl::Status VerifyDsse(const DsseEnvelope& envelope, std::span<const PublicKey> keys) {
  if (envelope.signatures.size() > kMaxDsseSignatures) {
    return NotAuthentic(Reason::kSigInvalid,
                        absl::StrCat(envelope.signatures.size(), " signatures in one envelope"));
  }
  const Bytes preimage = DssePreimage(envelope.payload_type, envelope.payload);
  for (const Bytes& signature : envelope.signatures) {
    for (const PublicKey& key : keys) {
      if (Made(key, preimage, signature)) return absl::OkStatus();
    }
  }
  return NotAuthentic(Reason::kSigInvalid,
                      absl::StrCat("none of ", envelope.signatures.size(),
                                   " signatures is by one of ", keys.size(), " configured keys"));
}

}  // namespace bootgate::crypto
