#include "pki/foreign_leaf.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "pki/der.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

using EkuPtr = std::unique_ptr<EXTENDED_KEY_USAGE, crypto::FreeWith<EXTENDED_KEY_USAGE_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, crypto::FreeWith<GENERAL_NAMES_free>>;

constexpr size_t kMaxNvContents = 2 * kMaxCertificateSize;

// The value of the first directoryName attribute with this identifier.
std::string AttributeOf(const GENERAL_NAMES* names, absl::string_view oid) {
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_DIRNAME) continue;
    for (int j = 0; j < X509_NAME_entry_count(name->d.directoryName); ++j) {
      const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name->d.directoryName, j);
      if (OidText(X509_NAME_ENTRY_get_object(entry)) != oid) continue;
      return Printable(AsText(StringBytes(X509_NAME_ENTRY_get_data(entry))), 128);
    }
  }
  return "";
}

}  // namespace

absl::StatusOr<ForeignLeaf> ParseForeignLeaf(ByteView nv_contents, absl::string_view what) {
  if (nv_contents.size() > kMaxNvContents) {
    return Malformed(Reason::kCertParse, absl::StrCat(what, " of ", nv_contents.size(),
                                                      " bytes, more than ", kMaxNvContents));
  }
  bytes::Reader in(nv_contents);
  const absl::StatusOr<der::ReadElement> element = der::Expect(in, der::kSequence);
  if (!element.ok()) {
    return Malformed(Reason::kCertParse, absl::StrCat(what, ": ", element.status().message()));
  }
  const ByteView padding = in.rest();
  if (!std::all_of(padding.begin(), padding.end(),
                   [](uint8_t byte) { return byte == 0x00 || byte == 0xff; })) {
    return Malformed(
        Reason::kCertParse,
        absl::StrCat(what, ": bytes that are no padding after its end at ", element->whole.size()));
  }
  ForeignLeaf leaf;
  BG_ASSIGN_OR_RETURN(leaf.certificate, ParseCertificate(element->whole));
  if (!padding.empty()) {
    leaf.tolerances.push_back(absl::StrCat("trimmed ", padding.size(), " bytes of NV padding"));
  }
  return leaf;
}

absl::Status CheckExtensions(const X509* certificate, Reason reason) {
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* extension = X509_get_ext(certificate, i);
    const ASN1_OBJECT* const object = X509_EXTENSION_get_object(extension);
    if (X509_EXTENSION_get_critical(extension) != 0 && X509_supported_extension(extension) == 0) {
      return Malformed(reason,
                       absl::StrCat("critical extension that we do not know: ", OidText(object)));
    }
    if (X509_get_ext_by_OBJ(certificate, object, i) >= 0) {
      return Malformed(reason, absl::StrCat("extension stands twice: ", OidText(object)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::vector<std::string>>> PurposesOf(const X509* certificate,
                                                                   Reason reason) {
  int found = 0;
  const EkuPtr purposes(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(certificate, NID_ext_key_usage, &found, nullptr)));
  crypto::ClearOpenSslErrors();
  if (purposes == nullptr && found == -1) return std::nullopt;
  if (purposes == nullptr || sk_ASN1_OBJECT_num(purposes.get()) == 0) {
    return Malformed(reason, "extended key usage is malformed, empty, or stands twice");
  }
  std::vector<std::string> seen;
  for (int i = 0; i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
    seen.push_back(OidText(sk_ASN1_OBJECT_value(purposes.get(), i)));
  }
  return seen;
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
