#include "agent/workload/identity.h"

#include <openssl/pem.h>

#include <vector>

#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/owners.h"
#include "pki/authority.h"
#include "pki/host_certificate.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::agent::workload {
namespace {

Bytes OneAfterTheOther(const std::vector<Bytes>& certificates) {
  Bytes out;
  for (const Bytes& der : certificates) out.insert(out.end(), der.begin(), der.end());
  return out;
}

// Of a trust bundle the roots: issuing CAs come with each chain, and are no anchors.
absl::StatusOr<std::vector<Bytes>> RootsOf(absl::string_view bundle_pem) {
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> all, pki::CertificatesFromPem(bundle_pem));
  std::vector<Bytes> roots;
  for (const Bytes& der : all) {
    BG_ASSIGN_OR_RETURN(const crypto::X509Ptr certificate, pki::ParseCertificate(der));
    if (pki::SubjectText(certificate.get()) == pki::IssuerText(certificate.get()))
      roots.push_back(der);
  }
  if (roots.empty()) return Malformed(Reason::kCertParse, "there is no root to verify it with");
  return roots;
}

absl::StatusOr<SecretBytes> KeyDer(ByteView pem) {
  const crypto::BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (in == nullptr || PEM_read_bio(in.get(), &name, &header, &data, &size) != 1) {
    return crypto::OpenSslError(absl::StatusCode::kInvalidArgument, "read the credential's key");
  }
  SecretBytes der(ByteView(data, static_cast<size_t>(size)));
  const bool is_pkcs8 = absl::string_view(name) == PEM_STRING_PKCS8INF;
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<size_t>(size));
  if (!is_pkcs8) return absl::InvalidArgumentError("the credential's key is no PKCS #8");
  return der;
}

}  // namespace

absl::StatusOr<Identity> IdentityOf(const evidence::SealedPayload& payload,
                                    absl::string_view bundle_pem) {
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> chain, pki::CertificatesFromPem(payload.chain_pem));
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> roots, RootsOf(bundle_pem));
  if (chain.empty()) return Malformed(Reason::kCertParse, "the credential has no certificate");
  BG_ASSIGN_OR_RETURN(const pki::HostCertificate leaf,
                      pki::ReadHostCertificate(pki::DerToPem(chain.front())));
  BG_ASSIGN_OR_RETURN(SecretBytes key, KeyDer(payload.private_key_pem.view()));
  return Identity{.spiffe_id = leaf.spiffe_id,
                  .trust_domain_id = leaf.TrustDomainId(),
                  .chain_der = OneAfterTheOther(chain),
                  .key_pkcs8_der = std::move(key),
                  .bundle_der = OneAfterTheOther(roots),
                  .not_after = leaf.not_after,
                  .chain_pem = payload.chain_pem,
                  .key_pem = payload.private_key_pem.Clone()};
}

}  // namespace bootgate::agent::workload
