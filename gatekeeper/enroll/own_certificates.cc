#include "gatekeeper/enroll/own_certificates.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/tpm2/public.h"
#include "pki/ek_certificate.h"
#include "pki/ek_chain.h"
#include "pki/x509_read.h"

namespace bootgate::gatekeeper::enroll {
namespace {

constexpr int kLeftShare = 3;  // renewed when less than 1/3 of the lifetime is left

// The authority key identifier's CA is tainted, or the certificate is none that can be read.
bool IsSpoilt(ByteView certificate, const pki::Authority& authority) {
  const absl::StatusOr<Bytes> issuer = pki::AuthorityKeyIdIn(certificate);
  return !issuer.ok() || authority.IsTainted(*issuer);
}

bool IsDue(ByteView certificate, absl::Time until, absl::Duration lifetime,
           const pki::Authority& authority, absl::Time now) {
  return certificate.empty() || until - now < lifetime / kLeftShare ||
         IsSpoilt(certificate, authority);
}

// A CA near its own end makes short certificates; those are due again only when a third of what
// they got is left, or every admission would make one.
absl::Duration LifetimeOf(absl::Duration wanted, const pki::Issuer& issuer, absl::Time now) {
  return std::min(wanted, issuer.not_after - now);
}

store::CredentialRow RowOf(const host::HostRecord& host, const pki::Issuer& issuer,
                           const std::string& kind, const std::string& serial, absl::Time now,
                           absl::Time until) {
  store::CredentialRow row;
  row.serial = serial;
  row.host_id = host.id;
  row.profile = kind;
  row.kind = kind;
  row.issuer = ToHex(issuer.key_id);
  row.not_before = now;
  row.not_after = until;
  return row;
}

absl::StatusOr<store::CredentialRow> MakeAkCertificate(host::HostRecord& host,
                                                       const pki::Authority& authority,
                                                       const pki::Issuer& issuer, absl::Time now) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm2::Public::FromTpmt(host.ak_public));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, ak.Key());
  pki::Authority::AkCertificateRequest request;
  request.serial_hex = pki::NewSerialHex();
  request.host_id = host.id;
  request.ek_certificate_verified = absl::StartsWith(host.ek_trust, "chain");
  request.cloud_ak_verified = host.assurance == host::kAssuranceCloudAk;
  if (request.ek_certificate_verified) {
    BG_ASSIGN_OR_RETURN(request.tpm_san_der, pki::SubjectAltNameOf(host.ek_certificate));
  }
  request.not_before = now;
  request.not_after = now + LifetimeOf(kAkCertificateLifetime, issuer, now);
  BG_ASSIGN_OR_RETURN(host.ak_certificate, authority.IssueAk(request, key));
  host.ak_certificate_until = request.not_after;
  return RowOf(host, issuer, "ak", request.serial_hex, now, request.not_after);
}

absl::StatusOr<store::CredentialRow> MakeOwnEkCertificate(host::HostRecord& host,
                                                          const pki::Issuer& issuer,
                                                          absl::Time now) {
  BG_ASSIGN_OR_RETURN(const tpm2::Public ek, tpm2::Public::FromTpmt(host.ek_public));
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, ek.Key());
  const pki::EkCertificateRequest request = {
      .serial_hex = pki::NewSerialHex(),
      .host_id = host.id,
      .not_before = now,
      .not_after = now + LifetimeOf(kEkCertificateLifetime, issuer, now)};
  BG_ASSIGN_OR_RETURN(host.own_ek_certificate, pki::MakeEkCertificate(issuer, request, key));
  return RowOf(host, issuer, "ek", request.serial_hex, now, request.not_after);
}

absl::Time EndOf(ByteView certificate) {
  const absl::StatusOr<crypto::X509Ptr> parsed = pki::ParseCertificate(certificate);
  return parsed.ok() ? pki::NotAfter(parsed->get()) : absl::InfinitePast();
}

// It keeps what it has, and gets nothing.
bool IsHeld(host::Trust trust) {
  return trust == host::Trust::kRestricted || trust == host::Trust::kSuspect;
}

// Whom no vendor speaks for; a cloud's word for the AK is none for the EK.
bool WantsOwnEkCertificate(const host::HostRecord& host) { return host.ek_certificate.empty(); }

}  // namespace

absl::StatusOr<std::vector<store::CredentialRow>> RenewCertificates(host::HostRecord& host,
                                                                    const pki::Authority& authority,
                                                                    absl::Time now) {
  std::vector<store::CredentialRow> rows;
  if (!host.approved || host::IsShutOut(host.trust) || IsHeld(host.trust)) return rows;
  BG_ASSIGN_OR_RETURN(const pki::IssuerPtr issuer, authority.ActiveIssuer(pki::CaUse::kAks));
  const absl::Duration ak_lifetime = LifetimeOf(kAkCertificateLifetime, *issuer, now);
  if (IsDue(host.ak_certificate, host.ak_certificate_until, ak_lifetime, authority, now)) {
    BG_ASSIGN_OR_RETURN(store::CredentialRow row, MakeAkCertificate(host, authority, *issuer, now));
    rows.push_back(std::move(row));
  }
  if (!WantsOwnEkCertificate(host)) return rows;
  const absl::Duration ek_lifetime = LifetimeOf(kEkCertificateLifetime, *issuer, now);
  if (IsDue(host.own_ek_certificate, EndOf(host.own_ek_certificate), ek_lifetime, authority, now)) {
    BG_ASSIGN_OR_RETURN(store::CredentialRow row, MakeOwnEkCertificate(host, *issuer, now));
    rows.push_back(std::move(row));
  }
  return rows;
}

absl::StatusOr<OwnAnchors> AnchorsOf(const pki::Authority& authority) {
  OwnAnchors own;
  BG_RETURN_IF_ERROR(own.anchors.Add(authority.roots_pem()));
  for (const pki::IssuerPtr& issuer : authority.Issuers()) {
    if (!issuer->tainted) own.intermediates.push_back(issuer->certificate);
  }
  return own;
}

}  // namespace bootgate::gatekeeper::enroll
