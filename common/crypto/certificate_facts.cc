#include "common/crypto/certificate_facts.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/crypto/owners.h"

namespace bootgate::crypto {
namespace {

constexpr size_t kMaxNameText = 1024;  // bytes
constexpr unsigned long kNameForm =
    (XN_FLAG_RFC2253 & ~static_cast<unsigned long>(XN_FLAG_SEP_MASK)) | XN_FLAG_SEP_CPLUS_SPC;

std::string NameText(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (out == nullptr || X509_NAME_print_ex(out.get(), name, 0, kNameForm) < 0) return "";
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  if (text == nullptr || size <= 0) return "";
  return Printable({text, static_cast<size_t>(size)}, kMaxNameText);
}

std::string SerialText(const ASN1_INTEGER* serial) {
  const int size = ASN1_STRING_length(serial);
  if (size <= 0) return "";
  return ToHex({ASN1_STRING_get0_data(serial), static_cast<size_t>(size)});
}

std::string TimeText(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "";
  const auto two = [](int number) { return absl::Dec(number, absl::kZeroPad2); };
  return absl::StrCat(absl::Dec(parts.tm_year + 1900, absl::kZeroPad4), "-", two(parts.tm_mon + 1),
                      "-", two(parts.tm_mday), "T", two(parts.tm_hour), ":", two(parts.tm_min), ":",
                      two(parts.tm_sec), "Z");
}

std::string CurveText(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size(),
                                     &size) != 1) {
    return "EC";
  }
  const char* const nist = EC_curve_nid2nist(OBJ_sn2nid(name.data()));
  return absl::StrCat("EC ", nist != nullptr ? nist : name.data());
}

std::string KeyText(const X509* certificate) {
  const EVP_PKEY* const key = X509_get0_pubkey(certificate);
  if (key == nullptr) return "unknown";
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      return absl::StrCat("RSA ", EVP_PKEY_get_bits(key));
    case EVP_PKEY_EC:
      return CurveText(key);
    case EVP_PKEY_ED25519:
      return "Ed25519";
    default:
      return "unknown";
  }
}

X509Ptr Parse(ByteView der) {
  if (der.empty() || der.size() > kMaxCertificateBytes) return nullptr;
  const unsigned char* at = der.data();
  X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (certificate == nullptr || at != der.data() + der.size()) return nullptr;
  return certificate;
}

}  // namespace

std::optional<CertificateFacts> ReadCertificateFacts(ByteView der) {
  const X509Ptr certificate = Parse(der);
  if (certificate == nullptr) {
    ClearOpenSslErrors();
    return std::nullopt;
  }
  CertificateFacts facts;
  facts.subject = NameText(X509_get_subject_name(certificate.get()));
  facts.issuer = NameText(X509_get_issuer_name(certificate.get()));
  facts.serial = SerialText(X509_get0_serialNumber(certificate.get()));
  facts.not_before = TimeText(X509_get0_notBefore(certificate.get()));
  facts.not_after = TimeText(X509_get0_notAfter(certificate.get()));
  facts.key = KeyText(certificate.get());
  facts.fingerprint = Hash(HashAlg::kSha256, der);
  ClearOpenSslErrors();
  return facts;
}

}  // namespace bootgate::crypto
