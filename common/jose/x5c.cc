#include "common/jose/x5c.h"

#include "common/base/hex.h"
#include "common/crypto/hash.h"
#include "pki/signer_chain.h"

namespace bootgate::jose {

absl::StatusOr<crypto::PublicKey> VerifyX5c(std::span<const Bytes> chain,
                                            std::span<const Bytes> roots, absl::Time now) {
  return pki::VerifySignerChain(chain, roots, now);
}

absl::Status CheckRoot(ByteView certificate_der) { return pki::CheckSignerRoot(certificate_der); }

std::string X5t(ByteView certificate_der) {
  return ToBase64Url(crypto::Hash(crypto::HashAlg::kSha1, certificate_der).view());
}

std::string X5tS256(ByteView certificate_der) {
  return ToBase64Url(crypto::Hash(crypto::HashAlg::kSha256, certificate_der).view());
}

}  // namespace bootgate::jose
