#include "pki/ek_profile.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "pki/ek_path.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, crypto::FreeWith<GENERAL_NAMES_free>>;

constexpr char kEkCertificatePurpose[] = "2.23.133.8.1";  // tcg-kp-EKCertificate
constexpr long kVersion3 = 2;  // NOLINT(google-runtime-int): what OpenSSL returns

absl::Status BadProfile(absl::string_view what) {
  return Malformed(Reason::kEkCertProfile, absl::StrCat("EK certificate: ", what));
}

std::string OddKey(const X509* certificate) {
  const ASN1_OBJECT* algorithm = nullptr;
  X509_PUBKEY_get0_param(const_cast<ASN1_OBJECT**>(&algorithm), nullptr, nullptr, nullptr,
                         X509_get_X509_PUBKEY(certificate));
  return OBJ_obj2nid(algorithm) == NID_rsaesOaep ? "the key is marked id-RSAES-OAEP" : "";
}

absl::Status CheckPurpose(ForeignLeaf& leaf) {
  BG_ASSIGN_OR_RETURN(const auto purposes,
                      PurposesOf(leaf.certificate.get(), Reason::kEkCertProfile));
  if (!purposes.has_value()) {
    leaf.tolerances.emplace_back("no extended key usage (2.23.133.8.1 expected)");
    return absl::OkStatus();
  }
  if (std::find(purposes->begin(), purposes->end(), kEkCertificatePurpose) != purposes->end()) {
    return absl::OkStatus();
  }
  return BadProfile(absl::StrCat("extended key usage lacks 2.23.133.8.1, has: ",
                                 Printable(absl::StrJoin(*purposes, ", "), 128)));
}

absl::Status CheckKeyUsage(ForeignLeaf& leaf) {
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
    // A cloud's AK certificate looks like this: without a purpose, and for signing.
    BG_ASSIGN_OR_RETURN(const auto purposes, PurposesOf(x509, Reason::kEkCertProfile));
    if (!purposes.has_value()) {
      return BadProfile(
          "its key is for signing, and no extended key usage says that it is an EK's");
    }
    leaf.tolerances.emplace_back("key usage names neither keyEncipherment nor keyAgreement");
  }
  return absl::OkStatus();
}

absl::Status CheckNames(ForeignLeaf& leaf) {
  const X509* const certificate = leaf.certificate.get();
  const bool named = X509_NAME_entry_count(X509_get_subject_name(certificate)) > 0;
  int found = 0;
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, &found, nullptr)));
  crypto::ClearOpenSslErrors();
  if (names == nullptr && found != -1) return BadProfile("subject alternative name is malformed");
  if (names == nullptr && !named) return BadProfile("neither subject nor alternative name");
  if (names == nullptr) {
    leaf.tolerances.emplace_back("no subject alternative name: TPM model unknown");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckEkProfile(ForeignLeaf& leaf) {
  X509* const certificate = leaf.certificate.get();
  if (X509_get_version(certificate) != kVersion3) return BadProfile("not X.509 version 3");
  BG_ASSIGN_OR_RETURN(const std::string odd_serial, OddSerial(certificate, Reason::kEkCertProfile));
  for (const std::string& odd : {odd_serial, OddTimes(certificate), OddKey(certificate)}) {
    if (!odd.empty()) leaf.tolerances.push_back(odd);
  }
  if (IsCa(certificate)) return BadProfile("is a CA certificate");
  BG_RETURN_IF_ERROR(CheckExtensions(certificate, Reason::kEkCertProfile));
  BG_RETURN_IF_ERROR(CheckPurpose(leaf));
  BG_RETURN_IF_ERROR(CheckKeyUsage(leaf));
  return CheckNames(leaf);
}

absl::Status CheckEkPathPurpose(const ForeignLeaf& leaf, const std::vector<Bytes>& path) {
  BG_ASSIGN_OR_RETURN(const bool for_eks,
                      LimitedTo(path, {kEkCertificatePurpose}, Reason::kEkCertProfile));
  BG_ASSIGN_OR_RETURN(const auto own, PurposesOf(leaf.certificate.get(), Reason::kEkCertProfile));
  if (own.has_value() || for_eks || NamesTpm(leaf.certificate.get())) return absl::OkStatus();
  return BadProfile(
      "nothing says that it is an EK's: no extended key usage, no TPM in its names, no CA for EKs");
}

}  // namespace bootgate::pki
