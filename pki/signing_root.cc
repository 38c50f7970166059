#include "pki/signing_root.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/extensions.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr size_t kMaxFileSize = 65536;  // bytes

Bytes NameOf(const X509* certificate) {
  const uint8_t* der = nullptr;
  size_t size = 0;
  X509_NAME_get0_der(X509_get_subject_name(certificate), &der, &size);
  return ToBytes({der, size});
}

absl::StatusOr<SigningRoot> Rooted(const std::string& id, ReadCa read, CertificateSigner signer) {
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, KeyOf(read.certificate.get()));
  Bytes name = NameOf(read.certificate.get());
  const absl::Time ends = NotAfter(read.certificate.get());
  return SigningRoot{id,   std::move(read),  std::move(name), ext::KeyIdOf(key.SpkiDer()),
                     ends, std::move(signer)};
}

}  // namespace

absl::StatusOr<ReadCa> ReadCertificateOf(const CaFolder& folder, const CaRecord& ca) {
  const std::string path = folder.PathOf(ca.certificate);
  BG_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(path, kMaxFileSize));
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> all, CertificatesFromPem(pem));
  if (all.empty()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kCa,
                  absl::StrCat(path, ": no certificate is in it"));
  }
  ReadCa out;
  out.der = all.front();
  BG_ASSIGN_OR_RETURN(out.certificate, ParseCertificate(out.der));
  return out;
}

absl::StatusOr<SigningRoot> SigningRootOf(const std::string& id, const Bytes& certificate_der,
                                          CertificateSigner signer) {
  ReadCa read{.der = certificate_der};
  BG_ASSIGN_OR_RETURN(read.certificate, ParseCertificate(read.der));
  return Rooted(id, std::move(read), std::move(signer));
}

absl::StatusOr<SigningRoot> OpenRoot(const CaFolder& folder, const CaRecord& root) {
  BG_ASSIGN_OR_RETURN(ReadCa read, ReadCertificateOf(folder, root));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, KeyOf(read.certificate.get()));
  BG_ASSIGN_OR_RETURN(auto holder, OpenKey(root.key, folder.folder, key));
  BG_ASSIGN_OR_RETURN(CertificateSigner signer, CertificateSigner::For(std::move(holder)));
  return Rooted(root.id, std::move(read), std::move(signer));
}

absl::StatusOr<SigningRoot> OpenOfflineRoot(const std::string& folder, const SecretSource& secret) {
  CaRecord root;
  root.id = "root";
  root.certificate = "root.pem";
  root.key = {.kind = KeySpec::Kind::kFile, .file = "root.key", .secret = secret};
  return OpenRoot({.folder = folder}, root);
}

}  // namespace bootgate::pki
