#include "pki/authority_files.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/certificate.h"
#include "pki/extensions.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr size_t kMaxFileSize = 65536;       // bytes
constexpr size_t kMaxClusterIdSize = 40;     // bytes; the CA's common name must fit 64
constexpr size_t kMaxTrustDomainSize = 255;  // bytes; SPIFFE ID, section 2.1
constexpr mode_t kPublicMode = 0644, kSecretMode = 0600, kFolderMode = 0700;
constexpr absl::string_view kSpiffe = "spiffe://";
// Clocks differ; a certificate made now is already valid on a host that is a little behind.
constexpr absl::Duration kBackdate = absl::Minutes(5);

std::string PathOf(const AuthorityFiles& files, absl::string_view name) {
  return absl::StrCat(files.folder, "/", name);
}

absl::Status Broken(absl::string_view path, absl::string_view what) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kCa, absl::StrCat(path, ": ", what));
}

bool IsTrustDomain(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxTrustDomainSize &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '.' || c == '-' ||
                  c == '_';
         });
}

bool IsClusterId(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxClusterIdSize &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-' ||
                  c == '_';
         });
}

// One CA certificate; who signs and what differs between root and issuing CA is given.
struct CaCertificate {
  Bytes subject, issuer;
  uint8_t path_length = 0;
  absl::Time not_before, not_after;
  Bytes issuer_key_id;
};

absl::StatusOr<Bytes> SignCa(const CaCertificate& ca, const std::string& trust_domain,
                             const crypto::PublicKey& key, const CertificateSigner& signer) {
  const Bytes spki = key.SpkiDer();
  Bytes extensions;
  for (const Bytes& part :
       {ext::BasicConstraintsCa(ca.path_length), ext::KeyUsage(ext::kKeyCertSign | ext::kCrlSign),
        ext::SubjectKeyIdentifier(ext::KeyIdOf(spki)),
        ext::AuthorityKeyIdentifier(ca.issuer_key_id),
        ext::SubjectAltName({ext::UriName(absl::StrCat(kSpiffe, trust_domain))})}) {
    extensions.insert(extensions.end(), part.begin(), part.end());
  }
  BG_ASSIGN_OR_RETURN(const Bytes serial, FromHex(NewSerialHex()));
  return signer.Sign({.serial = serial,
                      .issuer = ca.issuer,
                      .subject = ca.subject,
                      .not_before = ca.not_before,
                      .not_after = ca.not_after,
                      .spki = spki,
                      .extensions = extensions});
}

struct MadeCa {
  std::string root_pem, issuing_pem;
  SecretBytes root_key, issuing_key;
};

absl::StatusOr<MadeCa> MakeCa(const AuthorityOptions& options, absl::Time now) {
  BG_ASSIGN_OR_RETURN(auto root, crypto::PrivateKey::GenerateEc(crypto::Curve::kP384));
  BG_ASSIGN_OR_RETURN(auto issuing, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  MadeCa made{.root_key = root.Pem(), .issuing_key = issuing.Pem()};
  const crypto::PublicKey root_public = root.Public(), issuing_public = issuing.Public();
  BG_ASSIGN_OR_RETURN(
      const CertificateSigner signer,
      CertificateSigner::For(std::make_shared<const crypto::PrivateKey>(std::move(root))));
  const Bytes root_name = NameDer("Bootgate", absl::StrCat("Bootgate root ", options.cluster_id));
  const Bytes root_key_id = ext::KeyIdOf(root_public.SpkiDer());
  BG_ASSIGN_OR_RETURN(const Bytes root_der, SignCa({.subject = root_name,
                                                    .issuer = root_name,
                                                    .path_length = 1,
                                                    .not_before = now - kBackdate,
                                                    .not_after = now + options.root_lifetime,
                                                    .issuer_key_id = root_key_id},
                                                   options.trust_domain, root_public, signer));
  BG_ASSIGN_OR_RETURN(
      const Bytes issuing_der,
      SignCa({.subject = NameDer("Bootgate", absl::StrCat("Bootgate issuing ", options.cluster_id)),
              .issuer = root_name,
              .path_length = 0,
              .not_before = now - kBackdate,
              .not_after = now + options.issuing_lifetime,
              .issuer_key_id = root_key_id},
             options.trust_domain, issuing_public, signer));
  made.root_pem = DerToPem(root_der);
  made.issuing_pem = DerToPem(issuing_der);
  return made;
}

absl::Status CheckOptions(const AuthorityOptions& options) {
  if (!IsClusterId(options.cluster_id)) {
    return absl::InvalidArgumentError("cluster id: 1 to 40 letters, digits, '.', '-' or '_'");
  }
  if (!IsTrustDomain(options.trust_domain)) {
    return absl::InvalidArgumentError(
        "trust domain: 1 to 255 lower-case letters, digits, '.', '-' or '_'");
  }
  if (options.issuing_lifetime <= absl::ZeroDuration() ||
      options.root_lifetime < options.issuing_lifetime) {
    return absl::InvalidArgumentError("the root must live at least as long as the issuing CA");
  }
  return absl::OkStatus();
}

struct CaFile {
  std::string pem;
  crypto::X509Ptr certificate;
};

absl::StatusOr<CaFile> LoadCertificate(const std::string& path, absl::Time now) {
  CaFile file;
  BG_ASSIGN_OR_RETURN(file.pem, ReadTextFile(path, kMaxFileSize));
  const absl::StatusOr<Bytes> der = PemToDer(file.pem);
  if (!der.ok()) return Broken(path, der.status().message());
  absl::StatusOr<crypto::X509Ptr> certificate = ParseCertificate(*der);
  if (!certificate.ok()) return Broken(path, certificate.status().message());
  file.certificate = *std::move(certificate);
  constexpr int kCaByBasicConstraints = 1;
  if (X509_check_ca(file.certificate.get()) != kCaByBasicConstraints) {
    return Broken(path, "not a CA certificate");
  }
  const absl::Time from = NotBefore(file.certificate.get()), to = NotAfter(file.certificate.get());
  if (now < from) return Broken(path, absl::StrCat("not valid before ", FormatUtc(from)));
  if (now > to) return Broken(path, absl::StrCat("expired at ", FormatUtc(to)));
  return file;
}

absl::StatusOr<crypto::PrivateKey> LoadKey(const std::string& path, const X509* certificate) {
  BG_ASSIGN_OR_RETURN(Bytes pem, ReadFile(path, kMaxFileSize));
  const SecretBytes wiped((ByteView(pem)));
  OPENSSL_cleanse(pem.data(), pem.size());
  absl::StatusOr<crypto::PrivateKey> key = crypto::PrivateKey::FromPem(AsText(wiped.view()));
  if (!key.ok()) return Broken(path, key.status().message());
  const absl::StatusOr<crypto::PublicKey> certified = KeyOf(certificate);
  if (!certified.ok() || !(*certified == key->Public())) {
    return Broken(path, "is not the key of the certificate beside it");
  }
  return key;
}

// `issuer`'s signature over `certificate`, and that its name is the issuer named in it.
bool IsIssuedBy(X509* certificate, X509* issuer) {
  const bool holds = X509_check_issued(issuer, certificate) == X509_V_OK &&
                     X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
  crypto::ClearOpenSslErrors();
  return holds;
}

absl::StatusOr<std::string> TrustDomainOf(const std::string& path, const X509* certificate) {
  for (const std::string& uri : UriNames(certificate)) {
    if (!absl::StartsWith(uri, kSpiffe)) continue;
    std::string domain = uri.substr(kSpiffe.size());
    if (IsTrustDomain(domain)) return domain;
  }
  return Broken(path, "names no trust domain (URI spiffe://...)");
}

Bytes SubjectDer(const X509* certificate) {
  const uint8_t* der = nullptr;
  size_t size = 0;
  if (X509_NAME_get0_der(X509_get_subject_name(certificate), &der, &size) != 1) return {};
  return ToBytes({der, size});
}

absl::StatusOr<Bytes> KeyIdentifier(const std::string& path, X509* certificate) {
  const ASN1_OCTET_STRING* id = X509_get0_subject_key_id(certificate);
  if (id == nullptr) return Broken(path, "no subject key identifier");
  return ToBytes({ASN1_STRING_get0_data(id), static_cast<size_t>(ASN1_STRING_length(id))});
}

}  // namespace

absl::Status Authority::Create(const AuthorityFiles& files, const AuthorityOptions& options,
                               absl::Time now) {
  BG_RETURN_IF_ERROR(CheckOptions(options));
  for (const absl::string_view name : {"root.pem", "root.key", "issuing.pem", "issuing.key"}) {
    if (FileExists(PathOf(files, name))) {
      return absl::AlreadyExistsError(absl::StrCat(PathOf(files, name), " is already there"));
    }
  }
  BG_RETURN_IF_ERROR(MakeFolder(files.folder, kFolderMode));
  BG_ASSIGN_OR_RETURN(const MadeCa made, MakeCa(options, now));
  const auto write = [&](absl::string_view name, ByteView bytes, mode_t mode) {
    return WriteFileAtomically(PathOf(files, name), bytes, mode);
  };
  BG_RETURN_IF_ERROR(write("root.key", made.root_key.view(), kSecretMode));
  BG_RETURN_IF_ERROR(write("issuing.key", made.issuing_key.view(), kSecretMode));
  BG_RETURN_IF_ERROR(write("root.pem", AsBytes(made.root_pem), kPublicMode));
  return write("issuing.pem", AsBytes(made.issuing_pem), kPublicMode);
}

absl::StatusOr<LoadedAuthority> LoadAuthority(const AuthorityFiles& files, absl::Time now) {
  const std::string root_path = PathOf(files, "root.pem"),
                    issuing_path = PathOf(files, "issuing.pem");
  BG_ASSIGN_OR_RETURN(CaFile root, LoadCertificate(root_path, now));
  BG_ASSIGN_OR_RETURN(CaFile issuing, LoadCertificate(issuing_path, now));
  if (!IsIssuedBy(root.certificate.get(), root.certificate.get())) {
    return Broken(root_path, "is not signed by its own key");
  }
  if (!IsIssuedBy(issuing.certificate.get(), root.certificate.get())) {
    return Broken(issuing_path, "is not signed by root.pem");
  }
  const std::string root_key_path = PathOf(files, "root.key");
  if (FileExists(root_key_path)) {
    BG_RETURN_IF_ERROR(LoadKey(root_key_path, root.certificate.get()).status());
  }
  BG_ASSIGN_OR_RETURN(auto key, LoadKey(PathOf(files, "issuing.key"), issuing.certificate.get()));
  LoadedAuthority loaded;
  loaded.issuing_key = std::make_shared<const crypto::PrivateKey>(std::move(key));
  BG_ASSIGN_OR_RETURN(loaded.trust_domain, TrustDomainOf(issuing_path, issuing.certificate.get()));
  BG_ASSIGN_OR_RETURN(loaded.issuing_key_id,
                      KeyIdentifier(issuing_path, issuing.certificate.get()));
  loaded.issuing_name = SubjectDer(issuing.certificate.get());
  loaded.not_after =
      std::min(NotAfter(root.certificate.get()), NotAfter(issuing.certificate.get()));
  loaded.root_pem = std::move(root.pem);
  loaded.issuing_pem = std::move(issuing.pem);
  return loaded;
}

}  // namespace bootgate::pki
