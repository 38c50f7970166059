#include "pki/ak_chain.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/ek_path.h"
#include "pki/foreign_leaf.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

constexpr char kAikPurpose[] = "2.23.133.8.3";  // tcg-kp-AIKCertificate
constexpr char kEkPurpose[] = "2.23.133.8.1";   // tcg-kp-EKCertificate
constexpr long kVersion3 = 2;                   // NOLINT(google-runtime-int): what OpenSSL returns

// Which anchors stand for a cloud, by their own subject: the operator reviewed and added it.
struct CloudRow {
  AkAssurance assurance;
  absl::string_view organisation;
  absl::string_view name_has;
};
constexpr CloudRow kClouds[] = {
    {AkAssurance::kGoogle, "O=Google LLC", ""},
    {AkAssurance::kAzure, "O=Microsoft Corporation", "Virtual TPM"},
};

AkAssurance AssuranceOf(absl::string_view anchor) {
  for (const CloudRow& row : kClouds) {
    if (absl::StrContains(anchor, row.organisation) && absl::StrContains(anchor, row.name_has)) {
      return row.assurance;
    }
  }
  return AkAssurance::kAik;
}

absl::Status BadProfile(absl::string_view what) {
  return Malformed(Reason::kCertProfile, absl::StrCat("AK certificate: ", what));
}

absl::Status CheckForm(X509* certificate) {
  if (X509_get_version(certificate) != kVersion3) return BadProfile("not X.509 version 3");
  BG_RETURN_IF_ERROR(OddSerial(certificate, Reason::kCertProfile).status());
  if (IsCa(certificate)) return BadProfile("is a CA certificate");
  if ((X509_get_extension_flags(certificate) & EXFLAG_KUSAGE) == 0) {
    return BadProfile("no key usage (digitalSignature is needed)");
  }
  if ((X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) == 0) {
    return BadProfile("its key is not for signing (key usage lacks digitalSignature)");
  }
  return CheckExtensions(certificate, Reason::kCertProfile);
}

// CAs that are limited to key purposes must be for AKs; Google's own are for "EKs", and make both.
absl::Status CheckPathPurpose(const std::vector<Bytes>& path, AkAssurance assurance) {
  std::vector<std::string> purposes = {kAikPurpose};
  if (assurance == AkAssurance::kGoogle) purposes.emplace_back(kEkPurpose);
  return LimitedTo(path, purposes, Reason::kCertProfile).status();
}

// A privacy CA says AIK. Google's older CA says EK of its signing keys too, and its newer one says
// nothing: there the anchor alone certifies keys of vTPMs, and the key usage tells them apart.
absl::Status CheckPurpose(ForeignLeaf& leaf, AkAssurance assurance) {
  BG_ASSIGN_OR_RETURN(const auto purposes,
                      PurposesOf(leaf.certificate.get(), Reason::kCertProfile));
  const auto has = [&](absl::string_view purpose) {
    return purposes.has_value() &&
           std::find(purposes->begin(), purposes->end(), purpose) != purposes->end();
  };
  if (has(kAikPurpose)) return absl::OkStatus();
  if (assurance == AkAssurance::kGoogle && (!purposes.has_value() || has(kEkPurpose))) {
    leaf.tolerances.push_back(
        purposes.has_value() ? "extended key usage is the EK's, as the cloud's older CA writes it"
                             : "no extended key usage (2.23.133.8.3 expected)");
    return absl::OkStatus();
  }
  return BadProfile(
      absl::StrCat("extended key usage lacks 2.23.133.8.3, has: ",
                   purposes.has_value() ? Printable(absl::StrJoin(*purposes, ", "), 128) : "none"));
}

}  // namespace

absl::string_view Name(AkAssurance assurance) {
  switch (assurance) {
    case AkAssurance::kAik:
      return "aik";
    case AkAssurance::kGoogle:
      return "google";
    case AkAssurance::kAzure:
      return "azure";
  }
  __builtin_unreachable();
}

absl::StatusOr<VerifiedAkChain> VerifiedAkChain::Verify(ByteView leaf,
                                                        const std::vector<Bytes>& intermediates,
                                                        const TrustAnchors& anchors,
                                                        absl::Time now) {
  BG_ASSIGN_OR_RETURN(ForeignLeaf parsed, ParseForeignLeaf(leaf, "AK certificate"));
  X509* const certificate = parsed.certificate.get();
  BG_ASSIGN_OR_RETURN(crypto::PublicKey key, ForeignKeyOf(certificate));
  BG_ASSIGN_OR_RETURN(const Intermediates untrusted, ParseIntermediates(intermediates));
  BG_RETURN_IF_ERROR(CheckForm(certificate));
  VerifiedAkChain chain(std::move(key));
  BG_ASSIGN_OR_RETURN(
      chain.path_,
      VerifyPath(certificate, {.intermediates = untrusted.certificates,
                               .anchors = anchors,
                               .now = now,
                               .untrusted = Reason::kAkChainUntrusted,
                               .expired = Reason::kAkChainUntrusted,
                               .add_with = "bootgate-gatekeeper ek root add --for ak FILE",
                               .config_key = "ek.ak_roots"}));
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr anchor, ParseCertificate(chain.path_.back()));
  chain.anchor_ = SubjectText(anchor.get());
  chain.assurance_ = AssuranceOf(chain.anchor_);
  BG_RETURN_IF_ERROR(CheckPathPurpose(chain.path_, chain.assurance_));
  BG_RETURN_IF_ERROR(CheckPurpose(parsed, chain.assurance_));
  chain.tolerances_ = std::move(parsed.tolerances);
  chain.tolerances_.insert(chain.tolerances_.end(), untrusted.tolerances.begin(),
                           untrusted.tolerances.end());
  chain.subject_ = TpmText(certificate);
  chain.issuer_ = IssuerText(certificate);
  chain.tpm_san_der_ = SubjectAltNameDer(certificate);
  return chain;
}

}  // namespace bootgate::pki
