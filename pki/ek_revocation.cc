#include "pki/ek_revocation.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::pki {
namespace {

using CrlPtr = std::unique_ptr<X509_CRL, crypto::FreeWith<X509_CRL_free>>;
using ScopePtr = std::unique_ptr<ISSUING_DIST_POINT, crypto::FreeWith<ISSUING_DIST_POINT_free>>;
using PointsPtr = std::unique_ptr<CRL_DIST_POINTS, crypto::FreeWith<CRL_DIST_POINTS_free>>;

constexpr RevocationMode kAllModes[] = {RevocationMode::kOff, RevocationMode::kSoft,
                                        RevocationMode::kHard};

absl::StatusOr<CrlPtr> ParseCrl(ByteView der) {
  const uint8_t* at = der.data();
  CrlPtr crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));  // NOLINT
  if (crl == nullptr) {
    return WithReason(crypto::OpenSslError(absl::StatusCode::kInvalidArgument, "CRL"),
                      Reason::kCertParse);
  }
  if (at != der.data() + der.size()) {
    return Malformed(Reason::kCertParse,
                     absl::StrCat(der.data() + der.size() - at, " bytes behind the CRL"));
  }
  return crl;
}

void CollectUris(const DIST_POINT_NAME* name, std::set<std::string>& uris) {
  constexpr int kFullName = 0;
  if (name == nullptr || name->type != kFullName) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(name->name.fullname); ++i) {
    const GENERAL_NAME* each = sk_GENERAL_NAME_value(name->name.fullname, i);
    if (each->type != GEN_URI) continue;
    uris.emplace(AsText(StringBytes(each->d.uniformResourceIdentifier)));
  }
}

// Does the certificate name one of the CRL's distribution points as its own?
bool SharesPoint(const DIST_POINT_NAME* scope, const X509* certificate) {
  std::set<std::string> wanted, named;
  CollectUris(scope, wanted);
  const PointsPtr points(static_cast<CRL_DIST_POINTS*>(
      X509_get_ext_d2i(certificate, NID_crl_distribution_points, nullptr, nullptr)));
  for (int i = 0; points != nullptr && i < sk_DIST_POINT_num(points.get()); ++i) {
    CollectUris(sk_DIST_POINT_value(points.get(), i)->distpoint, named);
  }
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](const std::string& uri) { return named.count(uri) > 0; });
}

// Whether the CRL speaks for this certificate at all (RFC 5280, 5.2.5): a partial, indirect or
// delta CRL that leaves it out says nothing of it.
bool Covers(X509_CRL* crl, const X509* certificate) {
  int found = 0;
  const ScopePtr scope(static_cast<ISSUING_DIST_POINT*>(
      X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, &found, nullptr)));
  if (scope == nullptr) return found == -1;
  if (scope->indirectCRL != 0 || scope->onlyattr != 0 || scope->onlysomereasons != nullptr) {
    return false;
  }
  const bool ca = IsCa(certificate);
  if ((scope->onlyuser != 0 && ca) || (scope->onlyCA != 0 && !ca)) return false;
  return scope->distpoint == nullptr || SharesPoint(scope->distpoint, certificate);
}

bool HasUnknownCritical(X509_CRL* crl) {
  for (int i = 0; i < X509_CRL_get_ext_count(crl); ++i) {
    X509_EXTENSION* extension = X509_CRL_get_ext(crl, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (X509_EXTENSION_get_critical(extension) != 0 && nid != NID_issuing_distribution_point) {
      return true;  // a delta indicator, too
    }
  }
  return false;
}

bool SoundHash(const X509_CRL* crl) {
  int hash = NID_undef;
  const int nid = X509_CRL_get_signature_nid(crl);
  return OBJ_find_sigid_algs(nid, &hash, nullptr) == 1 &&
         (hash == NID_sha256 || hash == NID_sha384 || hash == NID_sha512);
}

bool MaySignCrls(X509* issuer) {
  return (X509_get_extension_flags(issuer) & EXFLAG_KUSAGE) == 0 ||
         (X509_get_key_usage(issuer) & KU_CRL_SIGN) != 0;
}

bool SignedBy(X509_CRL* crl, X509* issuer) {
  EVP_PKEY* const key = X509_get0_pubkey(issuer);
  const bool holds =
      key != nullptr && MaySignCrls(issuer) && SoundHash(crl) && X509_CRL_verify(crl, key) == 1;
  crypto::ClearOpenSslErrors();
  return holds;
}

std::string Names(const X509* certificate) {
  return absl::StrCat("certificate \"", SubjectText(certificate), "\", serial ",
                      SerialHex(certificate), ", of issuer \"", IssuerText(certificate), "\"");
}

}  // namespace

// One certificate of a path, and the issuer that the path proved.
class RevocationCheck {
 public:
  RevocationCheck(const CrlSet& set, X509* certificate, X509* issuer)
      : certificate_(certificate), issuer_(issuer) {
    for (const std::shared_ptr<X509_CRL>& crl : set.crls_) Consider(crl.get());
  }

  // EK_REVOKED.
  absl::Status Revoked() const {
    X509_REVOKED* entry = nullptr;
    if (newest_ == nullptr || X509_CRL_get0_by_cert(newest_, &entry, certificate_) != kRevoked) {
      return absl::OkStatus();
    }
    return NotAuthentic(Reason::kEkRevoked,
                        absl::StrCat(Names(certificate_), " was revoked on ",
                                     FormatUtc(TimeOf(X509_REVOKED_get0_revocationDate(entry))),
                                     ", says the issuer's CRL of ",
                                     FormatUtc(TimeOf(X509_CRL_get0_lastUpdate(newest_)))));
  }

  // Why a CRL that says nothing bad is not enough; empty when it is.
  std::string Unknown(absl::Time now) const {
    if (newest_ == nullptr) {
      return absl::StrCat(Names(certificate_), ": ",
                          unusable_ == 0 ? "no CRL of this issuer is configured"
                                         : "no configured CRL of this issuer can be used: wrong "
                                           "signature, weak hash, or only a part of a CRL");
    }
    const absl::Time from = TimeOf(X509_CRL_get0_lastUpdate(newest_));
    const absl::Time until = TimeOf(X509_CRL_get0_nextUpdate(newest_));
    if (from <= now && now <= until) return "";
    return absl::StrCat(Names(certificate_), ": the issuer's CRL is valid from ", FormatUtc(from),
                        " to ", FormatUtc(until), ", and now is ", FormatUtc(now));
  }

 private:
  static constexpr int kRevoked = 1;  // X509_CRL_get0_by_cert; 2 is removeFromCRL of delta CRLs

  void Consider(X509_CRL* crl) {
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(certificate_)) != 0) return;
    if (HasUnknownCritical(crl) || !Covers(crl, certificate_) || !SignedBy(crl, issuer_)) {
      ++unusable_;
      return;
    }
    if (newest_ == nullptr ||
        TimeOf(X509_CRL_get0_lastUpdate(newest_)) < TimeOf(X509_CRL_get0_lastUpdate(crl))) {
      newest_ = crl;
    }
  }

  X509* certificate_;
  X509* issuer_;
  X509_CRL* newest_ = nullptr;
  size_t unusable_ = 0;
};

absl::string_view Name(RevocationMode mode) {
  switch (mode) {
    case RevocationMode::kOff:
      return "off";
    case RevocationMode::kSoft:
      return "soft";
    case RevocationMode::kHard:
      return "hard";
  }
  __builtin_unreachable();
}

std::optional<RevocationMode> RevocationModeFromName(absl::string_view name) {
  const auto* const found = std::find_if(std::begin(kAllModes), std::end(kAllModes),
                                         [&](RevocationMode mode) { return Name(mode) == name; });
  if (found == std::end(kAllModes)) return std::nullopt;
  return *found;
}

absl::Status CrlSet::Add(ByteView pem_or_der) {
  std::vector<Bytes> ders;
  if (LooksLikePem(pem_or_der)) {
    BG_ASSIGN_OR_RETURN(ders, CrlsFromPem(AsText(pem_or_der)));
    if (ders.empty()) return Malformed(Reason::kPemFormat, "no CRL in the PEM text");
  } else if (pem_or_der.size() > kMaxCrlSize) {
    return Malformed(Reason::kCertParse, absl::StrCat("CRL of ", pem_or_der.size(), " bytes"));
  } else {
    ders.push_back(ToBytes(pem_or_der));
  }
  std::vector<std::shared_ptr<X509_CRL>> parsed;
  for (const Bytes& der : ders) {
    BG_ASSIGN_OR_RETURN(CrlPtr crl, ParseCrl(der));
    parsed.push_back(std::move(crl));
  }
  crls_.insert(crls_.end(), parsed.begin(), parsed.end());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> CheckRevocation(const std::vector<Bytes>& path,
                                                         const CrlSet& crls, RevocationMode mode,
                                                         absl::Time now) {
  std::vector<std::string> notices;
  if (mode == RevocationMode::kOff) return notices;
  std::vector<crypto::X509Ptr> certificates;
  for (const Bytes& der : path) {
    BG_ASSIGN_OR_RETURN(crypto::X509Ptr certificate, ParseCertificate(der));
    certificates.push_back(std::move(certificate));
  }
  for (size_t i = 0; i + 1 < certificates.size(); ++i) {
    const RevocationCheck check(crls, certificates[i].get(), certificates[i + 1].get());
    BG_RETURN_IF_ERROR(check.Revoked());
    const std::string unknown = check.Unknown(now);
    if (!unknown.empty()) notices.push_back(absl::StrCat("revocation unknown: ", unknown));
  }
  if (mode == RevocationMode::kHard && !notices.empty()) {
    return NotAuthentic(Reason::kEkRevocationUnknown, notices.front());
  }
  return notices;
}

}  // namespace bootgate::pki
