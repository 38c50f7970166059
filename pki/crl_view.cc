#include "pki/crl_view.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/authority.h"
#include "pki/crl.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

using CrlPtr = std::unique_ptr<X509_CRL, crypto::FreeWith<X509_CRL_free>>;
using EnumeratedPtr = std::unique_ptr<ASN1_ENUMERATED, crypto::FreeWith<ASN1_ENUMERATED_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, crypto::FreeWith<ASN1_INTEGER_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, crypto::FreeWith<ASN1_TIME_free>>;
using AkidPtr = std::unique_ptr<AUTHORITY_KEYID, crypto::FreeWith<AUTHORITY_KEYID_free>>;

absl::StatusOr<CrlPtr> Parse(ByteView bytes) {
  CrlPtr crl;
  if (LooksLikePem(bytes)) {
    const crypto::BioPtr text(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
    crl.reset(PEM_read_bio_X509_CRL(text.get(), nullptr, nullptr, nullptr));
  } else {
    const uint8_t* at = bytes.data();
    crl.reset(d2i_X509_CRL(nullptr, &at, static_cast<long>(bytes.size())));  // NOLINT
    if (crl != nullptr && at != bytes.data() + bytes.size()) {
      return Malformed(Reason::kCertParse,
                       absl::StrCat(bytes.data() + bytes.size() - at, " bytes behind the CRL"));
    }
  }
  if (crl != nullptr) return crl;
  crypto::ClearOpenSslErrors();
  return Malformed(Reason::kCertParse, "no CRL: neither DER nor PEM with an X509 CRL in it");
}

std::string IssuerText(const X509_CRL* crl) {
  const crypto::BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), X509_CRL_get_issuer(crl), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);  // NOLINT(google-runtime-int)
  return Printable(absl::string_view(data, size > 0 ? static_cast<size_t>(size) : 0));
}

std::string DecimalText(const ASN1_INTEGER* number) {
  const crypto::BnPtr value(ASN1_INTEGER_to_BN(number, nullptr));
  char* const text = value == nullptr ? nullptr : BN_bn2dec(value.get());
  const std::string out = text == nullptr ? "" : text;
  OPENSSL_free(text);
  return out;
}

std::string ReasonText(X509_REVOKED* entry) {
  const EnumeratedPtr code(static_cast<ASN1_ENUMERATED*>(
      X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nullptr, nullptr)));
  if (code == nullptr) return "";
  int64_t value = -1;
  ASN1_ENUMERATED_get_int64(&value, code.get());
  for (const RevocationReason reason :
       {RevocationReason::kUnspecified, RevocationReason::kKeyCompromise,
        RevocationReason::kCaCompromise, RevocationReason::kAffiliationChanged,
        RevocationReason::kSuperseded, RevocationReason::kCessationOfOperation,
        RevocationReason::kPrivilegeWithdrawn}) {
    if (value == static_cast<int64_t>(reason)) return std::string(Name(reason));
  }
  return absl::StrCat(value);
}

CrlView::Entry EntryOf(X509_REVOKED* row) {
  CrlView::Entry entry;
  entry.serial_hex = ToHex(StringBytes(X509_REVOKED_get0_serialNumber(row)));
  entry.revoked_at = TimeOf(X509_REVOKED_get0_revocationDate(row));
  entry.reason = ReasonText(row);
  const TimePtr since(static_cast<ASN1_TIME*>(
      X509_REVOKED_get_ext_d2i(row, NID_invalidity_date, nullptr, nullptr)));
  if (since != nullptr) entry.invalid_since = TimeOf(since.get());
  return entry;
}

absl::StatusOr<bool> IsSignedBy(X509_CRL* crl, absl::string_view ca_pem) {
  BG_ASSIGN_OR_RETURN(const Bytes der, PemToDer(ca_pem));
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr ca, ParseCertificate(der));
  const bool holds = X509_CRL_verify(crl, X509_get0_pubkey(ca.get())) == 1 &&
                     X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ca.get())) == 0;
  crypto::ClearOpenSslErrors();
  return holds;
}

}  // namespace

absl::StatusOr<CrlView> ViewCrl(ByteView pem_or_der, absl::string_view ca_pem) {
  if (pem_or_der.size() > kMaxShownCrl) {
    return Malformed(Reason::kMessageTooLarge,
                     absl::StrCat("a CRL of ", pem_or_der.size(), " bytes"));
  }
  BG_ASSIGN_OR_RETURN(const CrlPtr crl, Parse(pem_or_der));
  CrlView view;
  view.issuer = IssuerText(crl.get());
  const AkidPtr akid(static_cast<AUTHORITY_KEYID*>(
      X509_CRL_get_ext_d2i(crl.get(), NID_authority_key_identifier, nullptr, nullptr)));
  if (akid != nullptr && akid->keyid != nullptr)
    view.issuer_key_id = ToHex(StringBytes(akid->keyid));
  const IntegerPtr number(static_cast<ASN1_INTEGER*>(
      X509_CRL_get_ext_d2i(crl.get(), NID_crl_number, nullptr, nullptr)));
  if (number != nullptr) view.number = DecimalText(number.get());
  const char* const algorithm = OBJ_nid2ln(X509_CRL_get_signature_nid(crl.get()));
  view.signature = algorithm == nullptr ? "unknown" : algorithm;
  view.this_update = TimeOf(X509_CRL_get0_lastUpdate(crl.get()));
  if (const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl.get())) view.next_update = TimeOf(next);
  STACK_OF(X509_REVOKED)* const rows = X509_CRL_get_REVOKED(crl.get());
  for (int i = 0; i < sk_X509_REVOKED_num(rows); ++i) {
    view.entries.push_back(EntryOf(sk_X509_REVOKED_value(rows, i)));
  }
  if (!ca_pem.empty()) {
    const absl::StatusOr<bool> holds = IsSignedBy(crl.get(), ca_pem);
    if (!holds.ok()) {
      return Malformed(Reason::kCertParse,
                       absl::StrCat("the CA's certificate: ", holds.status().message()));
    }
    view.signed_by_ca = *holds;
  }
  return view;
}

}  // namespace bootgate::pki
