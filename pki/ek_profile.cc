#include "pki/ek_profile.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/der.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

using EkuPtr = std::unique_ptr<EXTENDED_KEY_USAGE, crypto::FreeWith<EXTENDED_KEY_USAGE_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, crypto::FreeWith<GENERAL_NAMES_free>>;

constexpr char kEkCertificatePurpose[] = "2.23.133.8.1";  // tcg-kp-EKCertificate
constexpr long kVersion3 = 2;  // NOLINT(google-runtime-int): what OpenSSL returns
constexpr size_t kMaxNvContents = 2 * kMaxCertificateSize;

absl::Status BadProfile(absl::string_view what) {
  return Malformed(Reason::kEkCertProfile, absl::StrCat("EK certificate: ", what));
}

std::string OidText(const ASN1_OBJECT* object) {
  constexpr int kAlwaysNumbers = 1;
  char text[128];
  const int size = OBJ_obj2txt(text, sizeof text, object, kAlwaysNumbers);
  if (size <= 0) return "";
  return std::string(text, std::min(static_cast<size_t>(size), sizeof text - 1));
}

absl::Status CheckPurpose(EkLeaf& leaf) {
  int found = 0;
  const EkuPtr purposes(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(leaf.certificate.get(), NID_ext_key_usage, &found, nullptr)));
  if (purposes == nullptr) {
    if (found != -1) return BadProfile("extended key usage is malformed or stands twice");
    leaf.tolerances.emplace_back("no extended key usage (2.23.133.8.1 expected)");
    return absl::OkStatus();
  }
  std::vector<std::string> seen;
  for (int i = 0; i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
    seen.push_back(OidText(sk_ASN1_OBJECT_value(purposes.get(), i)));
    if (seen.back() == kEkCertificatePurpose) return absl::OkStatus();
  }
  return BadProfile(absl::StrCat("extended key usage lacks 2.23.133.8.1, has: ",
                                 Printable(absl::StrJoin(seen, ", "), 128)));
}

absl::Status CheckKeyUsage(EkLeaf& leaf) {
  X509* const x509 = leaf.certificate.get();
  const uint32_t flags = X509_get_extension_flags(x509);
  if ((flags & EXFLAG_KUSAGE) == 0) {
    leaf.tolerances.emplace_back("no key usage");
    return absl::OkStatus();
  }
  const uint32_t usage = X509_get_key_usage(x509);
  if ((usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0) {
    return BadProfile("key usage allows signing certificates or CRLs");
  }
  if ((usage & (KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT)) == 0) {
    leaf.tolerances.emplace_back("key usage names neither keyEncipherment nor keyAgreement");
  }
  return absl::OkStatus();
}

absl::Status CheckExtensions(const X509* certificate) {
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    if (X509_EXTENSION_get_critical(extension) != 0 && X509_supported_extension(extension) == 0) {
      return BadProfile(absl::StrCat("critical extension that we do not know: ",
                                     OidText(X509_EXTENSION_get_object(extension))));
    }
    if (X509_get_ext_by_OBJ(certificate, X509_EXTENSION_get_object(extension), i) >= 0) {
      return BadProfile(
          absl::StrCat("extension stands twice: ", OidText(X509_EXTENSION_get_object(extension))));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNames(EkLeaf& leaf) {
  const X509* const certificate = leaf.certificate.get();
  const bool named = X509_NAME_entry_count(X509_get_subject_name(certificate)) > 0;
  int found = 0;
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &found, nullptr)));
  if (names == nullptr && found != -1) return BadProfile("subject alternative name is malformed");
  if (names == nullptr && !named) return BadProfile("neither subject nor alternative name");
  if (names == nullptr) {
    leaf.tolerances.emplace_back("no subject alternative name: TPM model unknown");
  }
  return absl::OkStatus();
}

// The value of the first directoryName attribute with this identifier.
std::string AttributeOf(const GENERAL_NAMES* names, absl::string_view oid) {
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DIRNAME) continue;
    for (int j = 0; j < X509_NAME_entry_count(name->d.directoryName); ++j) {
      const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name->d.directoryName, j);
      if (OidText(X509_NAME_ENTRY_get_object(entry)) != oid) continue;
      const ASN1_STRING* value = X509_NAME_ENTRY_get_data(entry);
      return Printable(
          AsText({ASN1_STRING_get0_data(value), static_cast<size_t>(ASN1_STRING_length(value))}),
          128);
    }
  }
  return "";
}

}  // namespace

absl::StatusOr<EkLeaf> ParseEkLeaf(ByteView nv_contents) {
  if (nv_contents.size() > kMaxNvContents) {
    return Malformed(Reason::kCertParse, absl::StrCat("EK certificate of ", nv_contents.size(),
                                                      " bytes, more than ", kMaxNvContents));
  }
  bytes::Reader in(nv_contents);
  const absl::StatusOr<der::ReadElement> element = der::Expect(in, der::kSequence);
  if (!element.ok()) {
    return Malformed(Reason::kCertParse,
                     absl::StrCat("EK certificate: ", element.status().message()));
  }
  const ByteView padding = in.rest();
  if (!std::all_of(padding.begin(), padding.end(),
                   [](uint8_t byte) { return byte == 0x00 || byte == 0xff; })) {
    return Malformed(Reason::kCertParse,
                     absl::StrCat("EK certificate: bytes that are no padding after its end at ",
                                  element->whole.size()));
  }
  EkLeaf leaf;
  BG_ASSIGN_OR_RETURN(leaf.certificate, ParseCertificate(element->whole));
  if (!padding.empty()) {
    leaf.tolerances.push_back(absl::StrCat("trimmed ", padding.size(), " bytes of NV padding"));
  }
  return leaf;
}

absl::Status CheckEkProfile(EkLeaf& leaf) {
  X509* const certificate = leaf.certificate.get();
  if (X509_get_version(certificate) != kVersion3) return BadProfile("not X.509 version 3");
  if (ASN1_STRING_type(X509_get0_serialNumber(certificate)) == V_ASN1_NEG_INTEGER) {
    return BadProfile("negative serial number");
  }
  if (IsCa(certificate)) return BadProfile("is a CA certificate");
  BG_RETURN_IF_ERROR(CheckExtensions(certificate));
  BG_RETURN_IF_ERROR(CheckPurpose(leaf));
  BG_RETURN_IF_ERROR(CheckKeyUsage(leaf));
  return CheckNames(leaf);
}

std::string TpmText(const X509* certificate) {
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  crypto::ClearOpenSslErrors();
  const std::string manufacturer = AttributeOf(names.get(), "2.23.133.2.1");
  if (manufacturer.empty()) return SubjectText(certificate);
  return absl::StrCat("manufacturer ", manufacturer, ", model ",
                      AttributeOf(names.get(), "2.23.133.2.2"), ", version ",
                      AttributeOf(names.get(), "2.23.133.2.3"));
}

}  // namespace bootgate::pki
