#include "pki/x509_read.h"

#include <openssl/asn1.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/der.h"
#include "common/crypto/hash.h"
#include "common/crypto/key_strength.h"
#include "pki/pem.h"

namespace bootgate::pki {
namespace {

using crypto::DerReader;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, crypto::FreeWith<GENERAL_NAMES_free>>;
using AiaPtr = std::unique_ptr<AUTHORITY_INFO_ACCESS, crypto::FreeWith<AUTHORITY_INFO_ACCESS_free>>;

std::string NameText(const X509_NAME* name) {
  const crypto::BioPtr out(BIO_new(BIO_s_mem()));
  if (out == nullptr || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return "";
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);  // NOLINT(google-runtime-int)
  return Printable(absl::string_view(data, size > 0 ? static_cast<size_t>(size) : 0));
}

constexpr uint8_t kExtensions = 0xa3;     // [3] of TBSCertificate
constexpr uint8_t kKeyIdentifier = 0x80;  // [0] of AuthorityKeyIdentifier
constexpr uint8_t kOctetString = 0x04, kBoolean = 0x01;
constexpr uint8_t kAuthorityKeyIdentifier[] = {0x55, 0x1d, 0x23};  // 2.5.29.35

// The contents of the extension [3] of a certificate; empty when it has none.
absl::StatusOr<ByteView> ExtensionsIn(ByteView der) {
  DerReader file(der);
  BG_ASSIGN_OR_RETURN(const ByteView certificate, file.Take(DerReader::kSequence));
  if (!file.empty()) return absl::InvalidArgumentError("bytes behind the certificate");
  BG_ASSIGN_OR_RETURN(const ByteView fields, DerReader(certificate).Take(DerReader::kSequence));
  DerReader tbs(fields);
  while (!tbs.empty() && !tbs.NextIs(kExtensions)) BG_RETURN_IF_ERROR(tbs.TakeAny().status());
  if (tbs.empty()) return ByteView();
  BG_ASSIGN_OR_RETURN(const ByteView tagged, tbs.Take(kExtensions));
  return DerReader(tagged).Take(DerReader::kSequence);
}

absl::StatusOr<Bytes> FindAuthorityKeyId(ByteView der) {
  BG_ASSIGN_OR_RETURN(const ByteView list, ExtensionsIn(der));
  DerReader extensions(list);
  while (!extensions.empty()) {
    BG_ASSIGN_OR_RETURN(const ByteView fields, extensions.Take(DerReader::kSequence));
    DerReader extension(fields);
    BG_ASSIGN_OR_RETURN(const ByteView oid, extension.Take(DerReader::kOid));
    if (!std::ranges::equal(oid, kAuthorityKeyIdentifier)) continue;
    if (extension.NextIs(kBoolean)) BG_RETURN_IF_ERROR(extension.TakeAny().status());
    BG_ASSIGN_OR_RETURN(const ByteView value, extension.Take(kOctetString));
    BG_ASSIGN_OR_RETURN(const ByteView id, DerReader(value).Take(DerReader::kSequence));
    DerReader parts(id);
    if (!parts.NextIs(kKeyIdentifier)) return Bytes();
    BG_ASSIGN_OR_RETURN(const ByteView key, parts.Take(kKeyIdentifier));
    return ToBytes(key);
  }
  return Bytes();
}

}  // namespace

ByteView StringBytes(const ASN1_STRING* text) {
  return {ASN1_STRING_get0_data(text), static_cast<size_t>(ASN1_STRING_length(text))};
}

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm utc{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &utc) != 1) return absl::InfinitePast();
  return absl::FromTM(utc, absl::UTCTimeZone());
}

std::string OidText(const ASN1_OBJECT* object) {
  constexpr int kAlwaysNumbers = 1;
  char text[128];
  const int size = OBJ_obj2txt(text, sizeof text, object, kAlwaysNumbers);
  if (size <= 0) return "";
  return std::string(text, std::min(static_cast<size_t>(size), sizeof text - 1));
}

absl::StatusOr<crypto::X509Ptr> ParseCertificate(ByteView der) {
  if (der.empty() || der.size() > kMaxCertificateSize) {
    return Malformed(Reason::kCertParse, absl::StrCat("certificate of ", der.size(), " bytes"));
  }
  const uint8_t* at = der.data();
  crypto::X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));  // NOLINT
  if (certificate == nullptr) {
    return WithReason(crypto::OpenSslError(absl::StatusCode::kInvalidArgument, "certificate"),
                      Reason::kCertParse);
  }
  if (at != der.data() + der.size()) {
    return Malformed(Reason::kCertParse,
                     absl::StrCat(der.data() + der.size() - at, " bytes behind the certificate"));
  }
  X509_check_ca(certificate.get());  // fills OpenSSL's view of the extensions
  if ((X509_get_extension_flags(certificate.get()) & EXFLAG_INVALID) != 0) {
    crypto::ClearOpenSslErrors();
    return Malformed(Reason::kCertParse, "an extension is malformed or stands twice");
  }
  return certificate;
}

Bytes SpkiOf(const X509* certificate) {
  uint8_t* spki = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
  const Bytes out(spki, spki + std::max(size, 0));
  OPENSSL_free(spki);
  return out;
}

absl::StatusOr<crypto::PublicKey> KeyOf(const X509* certificate) {
  const Bytes spki = SpkiOf(certificate);
  if (spki.empty()) return Malformed(Reason::kCertParse, "certificate without a key");
  absl::StatusOr<crypto::PublicKey> key = crypto::PublicKey::FromSpkiDer(spki);
  crypto::ClearOpenSslErrors();
  return key;
}

absl::StatusOr<crypto::PublicKey> ForeignKeyOf(const X509* certificate) {
  BG_ASSIGN_OR_RETURN(crypto::PublicKey key, KeyOf(certificate));
  BG_RETURN_IF_ERROR(crypto::CheckStrength(key));
  return key;
}

Bytes DerOf(const X509* certificate) {
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  const Bytes out(der, der + std::max(size, 0));
  OPENSSL_free(der);
  return out;
}

std::string Sha256Of(const X509* certificate) {
  return crypto::Hash(crypto::HashAlg::kSha256, DerOf(certificate)).hex();
}

std::string NamesOf(const X509* certificate) {
  return absl::StrCat("certificate \"", SubjectText(certificate), "\" of issuer \"",
                      IssuerText(certificate), "\"");
}

std::string SubjectText(const X509* certificate) {
  return NameText(X509_get_subject_name(certificate));
}
std::string IssuerText(const X509* certificate) {
  return NameText(X509_get_issuer_name(certificate));
}

std::string AiaText(const X509* certificate) {
  const AiaPtr aia(static_cast<AUTHORITY_INFO_ACCESS*>(
      X509_get_ext_d2i(certificate, NID_info_access, nullptr, nullptr)));
  std::vector<std::string> urls;
  for (int i = 0; aia != nullptr && i < sk_ACCESS_DESCRIPTION_num(aia.get()); ++i) {
    const ACCESS_DESCRIPTION* access = sk_ACCESS_DESCRIPTION_value(aia.get(), i);
    if (OBJ_obj2nid(access->method) != NID_ad_ca_issuers || access->location->type != GEN_URI) {
      continue;
    }
    urls.push_back(Printable(AsText(StringBytes(access->location->d.uniformResourceIdentifier))));
  }
  crypto::ClearOpenSslErrors();
  return urls.empty() ? "none" : absl::StrJoin(urls, ", ");
}

absl::Time NotBefore(const X509* certificate) { return TimeOf(X509_get0_notBefore(certificate)); }
absl::Time NotAfter(const X509* certificate) { return TimeOf(X509_get0_notAfter(certificate)); }

bool IsCa(const X509* certificate) {
  X509* const filled = const_cast<X509*>(certificate);  // OpenSSL fills a cache in it
  return (X509_get_extension_flags(filled) & EXFLAG_CA) != 0 || X509_check_ca(filled) != 0;
}

std::string SerialHex(const X509* certificate) {
  return ToHex(StringBytes(X509_get0_serialNumber(certificate)));
}

Bytes AuthorityKeyId(const X509* certificate) {
  const ASN1_OCTET_STRING* const id =
      X509_get0_authority_key_id(const_cast<X509*>(certificate));  // it fills a cache inside
  if (id == nullptr) return {};
  return ToBytes(ByteView(ASN1_STRING_get0_data(id), static_cast<size_t>(ASN1_STRING_length(id))));
}

absl::StatusOr<Bytes> AuthorityKeyIdIn(ByteView der) {
  absl::StatusOr<Bytes> id = FindAuthorityKeyId(der);
  if (!id.ok()) return Malformed(Reason::kCertParse, id.status().message());
  return id;
}

Bytes SubjectAltNameDer(const X509* certificate) {
  const int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
  if (at < 0) return {};
  return ToBytes(StringBytes(X509_EXTENSION_get_data(X509_get_ext(certificate, at))));
}

std::vector<std::string> UriNames(const X509* certificate) {
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> uris;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    uris.emplace_back(AsText(StringBytes(name->d.uniformResourceIdentifier)));
  }
  crypto::ClearOpenSslErrors();
  return uris;
}

}  // namespace bootgate::pki
