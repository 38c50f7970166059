#include "pki/foreign_leaf.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "pki/der.h"
#include "pki/der_walk.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

using EkuPtr = std::unique_ptr<EXTENDED_KEY_USAGE, crypto::FreeWith<EXTENDED_KEY_USAGE_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, crypto::FreeWith<GENERAL_NAMES_free>>;

constexpr size_t kMaxNvContents = 2 * kMaxCertificateSize;
constexpr char kManufacturer[] = "2.23.133.2.1";  // tcg-at-tpmManufacturer
constexpr size_t kMaxSerialBytes = 20;            // RFC 5280, 4.1.2.2
constexpr size_t kMinRandomSerialBytes = 8;       // a shorter negative number is no forgotten zero

// TCG_PCCLIENT_STORED_CERT: tag 0x1001, certificate type 0 (full), size of what follows, and in it
// TCG_FULL_CERT: tag 0x1002, then the certificate.
constexpr size_t kStoredHeaderSize = 7;

bool HasStoredHeader(ByteView nv) {
  if (nv.size() <= kStoredHeaderSize) return false;
  const size_t size = size_t{nv[3]} << 8 | nv[4];
  return nv[0] == 0x10 && nv[1] == 0x01 && nv[2] == 0x00 && nv[5] == 0x10 && nv[6] == 0x02 &&
         size + 5 <= nv.size();
}

bool IsZero(ByteView number) {
  return std::all_of(number.begin(), number.end(), [](uint8_t byte) { return byte == 0; });
}

bool IsPadding(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](uint8_t byte) { return byte == 0x00 || byte == 0xff; });
}

// The next certificate's bytes, whose structure has been walked; nothing of it is parsed yet.
struct Encoded {
  ByteView whole;
  std::string departures;  // from DER; "" when there are none
};
absl::StatusOr<Encoded> TakeCertificate(bytes::Reader& in) {
  BG_ASSIGN_OR_RETURN(const der::ReadElement element, der::Expect(in, der::kSequence));
  if (element.whole.size() > kMaxCertificateSize) {
    return Malformed(Reason::kCertParse,
                     absl::StrCat("a certificate of ", element.whole.size(), " bytes"));
  }
  BG_ASSIGN_OR_RETURN(const der::Walked walked, der::Walk(element.whole));
  Encoded out{element.whole, ""};
  if (!walked.departures.empty()) {
    out.departures = absl::StrCat("not in DER: ", absl::StrJoin(walked.departures, "; "));
  }
  return out;
}

// "YYMMDDHHMMSSZ" or "YYYYMMDDHHMMSSZ".
bool IsRegular(const ASN1_TIME* time) {
  const absl::string_view text = AsText(StringBytes(time));
  const size_t size = ASN1_STRING_type(time) == V_ASN1_UTCTIME ? 13 : 15;
  return text.size() == size && text.back() == 'Z';
}

bool IsEarlyLongYear(const ASN1_TIME* time) {
  constexpr absl::string_view kFirstLongYear = "2050";
  return ASN1_STRING_type(time) == V_ASN1_GENERALIZEDTIME &&
         AsText(StringBytes(time)).substr(0, 4) < kFirstLongYear;
}

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
  ForeignLeaf leaf;
  if (HasStoredHeader(nv_contents)) {
    nv_contents = nv_contents.subspan(kStoredHeaderSize);
    leaf.tolerances.emplace_back("a stored-certificate header of TPM 1.2 stood before it");
  }
  bytes::Reader in(nv_contents);
  absl::StatusOr<Encoded> encoded = TakeCertificate(in);
  if (!encoded.ok()) {
    return Malformed(Reason::kCertParse, absl::StrCat(what, ": ", encoded.status().message()));
  }
  if (!IsPadding(in.rest())) {
    return Malformed(
        Reason::kCertParse,
        absl::StrCat(what, ": bytes that are no padding after its end at ", encoded->whole.size()));
  }
  BG_ASSIGN_OR_RETURN(leaf.certificate, ParseCertificate(encoded->whole));
  if (!in.empty()) {
    leaf.tolerances.push_back(absl::StrCat("trimmed ", in.remaining(), " bytes of NV padding"));
  }
  if (!encoded->departures.empty()) leaf.tolerances.push_back(encoded->departures);
  return leaf;
}

absl::StatusOr<Intermediates> ParseIntermediates(const std::vector<Bytes>& sent) {
  Intermediates out;
  const auto refuse = [&](const absl::Status& status) {
    return Refuse(
        status.code(), ReasonOf(status).value_or(Reason::kCertParse),
        absl::StrCat("intermediate ", out.certificates.size() + 1, ": ", status.message()));
  };
  for (const Bytes& contents : sent) {
    bytes::Reader in(contents);
    do {
      if (out.certificates.size() == kMaxIntermediates) {
        return Malformed(Reason::kCertParse, absl::StrCat("more than ", kMaxIntermediates,
                                                          " intermediate certificates"));
      }
      absl::StatusOr<Encoded> encoded = TakeCertificate(in);
      if (!encoded.ok()) return refuse(encoded.status());
      absl::StatusOr<crypto::X509Ptr> certificate = ParseCertificate(encoded->whole);
      if (!certificate.ok()) return refuse(certificate.status());
      const absl::Status key = ForeignKeyOf(certificate->get()).status();
      if (!key.ok()) return refuse(key);
      out.certificates.push_back(*std::move(certificate));
      if (!encoded->departures.empty()) {
        out.tolerances.push_back(
            absl::StrCat("intermediate ", out.certificates.size(), ": ", encoded->departures));
      }
    } while (!IsPadding(in.rest()));
    if (!in.empty()) {
      out.tolerances.push_back(absl::StrCat("intermediate ", out.certificates.size(), ": trimmed ",
                                            in.remaining(), " bytes of NV padding"));
    }
  }
  return out;
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

bool HasTimesForUsAlone(const X509* certificate) {
  return !IsRegular(X509_get0_notBefore(certificate)) ||
         !IsRegular(X509_get0_notAfter(certificate));
}

std::string OddTimes(const X509* certificate) {
  if (HasTimesForUsAlone(certificate)) {
    return "validity is written without seconds, with fractions of them, or with an offset";
  }
  if (IsEarlyLongYear(X509_get0_notBefore(certificate)) ||
      IsEarlyLongYear(X509_get0_notAfter(certificate))) {
    return "validity before 2050 is written as GeneralizedTime";
  }
  return "";
}

absl::StatusOr<std::string> OddSerial(const X509* certificate, Reason reason) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  const ByteView magnitude = StringBytes(serial);
  if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER) {
    if (magnitude.size() < kMinRandomSerialBytes) {
      return Malformed(reason, "negative serial number");
    }
    return "serial number is negative: a random one without its leading zero";
  }
  if (IsZero(magnitude)) return "serial number is 0";
  if (magnitude.size() > kMaxSerialBytes) {
    return absl::StrCat("serial number of ", magnitude.size(), " bytes (", kMaxSerialBytes,
                        " are allowed)");
  }
  return "";
}

bool NamesTpm(const X509* certificate) {
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  crypto::ClearOpenSslErrors();
  return !AttributeOf(names.get(), kManufacturer).empty();
}

std::string TpmText(const X509* certificate) {
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  crypto::ClearOpenSslErrors();
  const std::string manufacturer = AttributeOf(names.get(), kManufacturer);
  if (manufacturer.empty()) return SubjectText(certificate);
  return absl::StrCat("manufacturer ", manufacturer, ", model ",
                      AttributeOf(names.get(), "2.23.133.2.2"), ", version ",
                      AttributeOf(names.get(), "2.23.133.2.3"));
}

}  // namespace bootgate::pki
