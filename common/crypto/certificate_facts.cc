#include "common/crypto/certificate_facts.h"

#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <bit>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/der.h"
#include "common/crypto/owners.h"

namespace bootgate::crypto {
namespace {

constexpr size_t kMaxNameText = 1024;  // bytes
constexpr unsigned long kNameForm =
    (XN_FLAG_RFC2253 & ~static_cast<unsigned long>(XN_FLAG_SEP_MASK)) | XN_FLAG_SEP_CPLUS_SPC;

// The parts of a certificate, as they lie there. d2i_X509 would make a key of the key, too, which
// takes ten times as long as all that is read here; a boot log has a dozen certificates.
struct Parts {
  ByteView serial, issuer, not_before, subject, not_after;  // whole elements
  ByteView key;                                             // contents of SubjectPublicKeyInfo
};

absl::StatusOr<Parts> Take(ByteView der) {
  DerReader file(der);
  BG_ASSIGN_OR_RETURN(const ByteView certificate, file.Take(DerReader::kSequence));
  DerReader outer(certificate);
  BG_ASSIGN_OR_RETURN(const ByteView tbs, outer.Take(DerReader::kSequence));
  BG_RETURN_IF_ERROR(outer.Take(DerReader::kSequence).status());
  BG_RETURN_IF_ERROR(outer.TakeBitString().status());
  if (!outer.empty() || !file.empty()) return absl::InvalidArgumentError("something after it");
  DerReader in(tbs);
  if (in.NextIs(DerReader::kExplicit0)) BG_RETURN_IF_ERROR(in.TakeAny().status());  // version
  Parts parts;
  BG_ASSIGN_OR_RETURN(parts.serial, in.TakeWhole(DerReader::kInteger));
  BG_RETURN_IF_ERROR(in.Take(DerReader::kSequence).status());  // signature algorithm
  BG_ASSIGN_OR_RETURN(parts.issuer, in.TakeWhole(DerReader::kSequence));
  BG_ASSIGN_OR_RETURN(const ByteView validity, in.Take(DerReader::kSequence));
  DerReader times(validity);
  BG_ASSIGN_OR_RETURN(parts.not_before, times.TakeAny());
  BG_ASSIGN_OR_RETURN(parts.not_after, times.TakeAny());
  BG_ASSIGN_OR_RETURN(parts.subject, in.TakeWhole(DerReader::kSequence));
  BG_ASSIGN_OR_RETURN(parts.key, in.Take(DerReader::kSequence));
  while (!in.empty()) BG_RETURN_IF_ERROR(in.TakeAny().status());
  return parts;
}

// nullptr when the element is not of this type, or something is after it.
template <typename T, auto D2i, auto Free>
std::unique_ptr<T, FreeWith<Free>> Decode(ByteView element) {
  const unsigned char* at = element.data();
  std::unique_ptr<T, FreeWith<Free>> value(D2i(nullptr, &at, static_cast<long>(element.size())));
  if (at != element.data() + element.size()) return nullptr;
  return value;
}

// nullopt: no Name.
std::optional<std::string> NameText(ByteView element) {
  const auto name = Decode<X509_NAME, d2i_X509_NAME, X509_NAME_free>(element);
  if (name == nullptr) return std::nullopt;
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (out == nullptr || X509_NAME_print_ex(out.get(), name.get(), 0, kNameForm) < 0) return "";
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  if (text == nullptr || size <= 0) return "";
  return Printable({text, static_cast<size_t>(size)}, kMaxNameText);
}

std::string SerialText(ByteView element) {
  const auto serial = Decode<ASN1_INTEGER, d2i_ASN1_INTEGER, ASN1_INTEGER_free>(element);
  const int size = serial == nullptr ? 0 : ASN1_STRING_length(serial.get());
  if (size <= 0) return "";
  return ToHex({ASN1_STRING_get0_data(serial.get()), static_cast<size_t>(size)});
}

std::string TimeText(ByteView element) {
  const auto time = Decode<ASN1_TIME, d2i_ASN1_TIME, ASN1_TIME_free>(element);
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time.get(), &parts) != 1) return "";
  const auto two = [](int number) { return absl::Dec(number, absl::kZeroPad2); };
  return absl::StrCat(absl::Dec(parts.tm_year + 1900, absl::kZeroPad4), "-", two(parts.tm_mon + 1),
                      "-", two(parts.tm_mday), "T", two(parts.tm_hour), ":", two(parts.tm_min), ":",
                      two(parts.tm_sec), "Z");
}

int NidOf(ByteView oid_element) {
  const auto oid = Decode<ASN1_OBJECT, d2i_ASN1_OBJECT, ASN1_OBJECT_free>(oid_element);
  return oid == nullptr ? NID_undef : OBJ_obj2nid(oid.get());
}

absl::StatusOr<std::string> RsaText(ByteView key) {
  DerReader outer(key);
  BG_ASSIGN_OR_RETURN(const ByteView fields, outer.Take(DerReader::kSequence));
  BG_ASSIGN_OR_RETURN(const ByteView modulus, DerReader(fields).TakePositiveInteger());
  const size_t bits = 8 * (modulus.size() - 1) + static_cast<size_t>(std::bit_width(modulus[0]));
  return absl::StrCat("RSA ", bits);
}

std::string CurveText(int nid) {
  const char* const nist = EC_curve_nid2nist(nid);
  const char* const name = nist != nullptr || nid == NID_undef ? nist : OBJ_nid2sn(nid);
  return name == nullptr ? "EC" : absl::StrCat("EC ", name);
}

absl::StatusOr<std::string> KeyText(ByteView contents) {
  DerReader in(contents);
  BG_ASSIGN_OR_RETURN(const ByteView algorithm_fields, in.Take(DerReader::kSequence));
  BG_ASSIGN_OR_RETURN(const ByteView key, in.TakeBitString());
  DerReader algorithm(algorithm_fields);
  BG_ASSIGN_OR_RETURN(const ByteView oid, algorithm.TakeWhole(DerReader::kOid));
  switch (NidOf(oid)) {
    case NID_rsaEncryption:
    case NID_rsassaPss:
      return RsaText(key);
    case NID_X9_62_id_ecPublicKey: {
      const absl::StatusOr<ByteView> curve = algorithm.TakeWhole(DerReader::kOid);
      return CurveText(curve.ok() ? NidOf(*curve) : NID_undef);
    }
    case NID_ED25519:
      return "Ed25519";
    default:
      return "unknown";
  }
}

}  // namespace

std::optional<CertificateFacts> ReadCertificateFacts(ByteView der) {
  if (der.size() > kMaxCertificateBytes) return std::nullopt;
  const absl::StatusOr<Parts> parts = Take(der);
  if (!parts.ok()) return std::nullopt;
  std::optional<std::string> subject = NameText(parts->subject), issuer = NameText(parts->issuer);
  CertificateFacts facts;
  facts.serial = SerialText(parts->serial);
  facts.not_before = TimeText(parts->not_before);
  facts.not_after = TimeText(parts->not_after);
  ClearOpenSslErrors();
  if (!subject.has_value() || !issuer.has_value()) return std::nullopt;
  facts.subject = *std::move(subject);
  facts.issuer = *std::move(issuer);
  facts.key = KeyText(parts->key).value_or("unknown");
  facts.fingerprint = Hash(HashAlg::kSha256, der);
  return facts;
}

}  // namespace bootgate::crypto
