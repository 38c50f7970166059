// Certificates of CAs: made below a root of ours, and those that others made for a key of ours.
//
// Implements: RFC 5280, 4.2.1.9 (basic constraints), 4.2.1.10 (name constraints), 4.2.1.12. An
// issuing CA bears the key purposes of what it signs, and OCSP signing; those for hosts, AKs and
// operators exclude every DNS name and IP address, so that none of them can make a server's
// certificate. URIs are not constrained: GnuTLS 3.7 and rustls refuse every certificate with a URI
// below a CA with such a constraint. One trust domain has one root; that binds the URIs.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/crypto/public_key.h"
#include "pki/certificate.h"
#include "pki/issuer.h"

namespace bootgate::pki {

// Clocks differ; a certificate made now is already valid on a host that is a little behind.
inline constexpr absl::Duration kCaBackdate = absl::Minutes(5);

// Who signs a CA certificate: a root.
struct CaParent {
  const CertificateSigner& signer;
  Bytes name;  // in DER
  Bytes key_id;
  absl::Time not_after;
};

// A self-signed root: path length 1. DER.
absl::StatusOr<Bytes> MakeRootCertificate(const std::string& common_name,
                                          const std::string& trust_domain,
                                          const CertificateSigner& signer, absl::Time now,
                                          absl::Duration lifetime);

struct IssuingCa {
  std::string common_name, trust_domain;
  std::set<CaUse> uses;  // all of them: without key purposes and name constraints
  absl::Time now;
  absl::Duration lifetime;  // cut at the end of the parent
};
// Path length 0. DER.
absl::StatusOr<Bytes> MakeIssuingCertificate(const IssuingCa& ca, const crypto::PublicKey& key,
                                             const CaParent& parent);

// What is wrong with `chain` (DER: issuing CA, those between, root) as a CA for `uses` with the key
// of `signer`: key, CA flag, path, path length, validity, key purposes, name constraints, trust
// domain. The last checks are made by issuing a certificate of each use on trial, which goes
// nowhere. CA says what; CA_KEY when the key does not sign.
absl::Status CheckIssuingChain(const std::vector<Bytes>& chain, const CertificateSigner& signer,
                               const std::set<CaUse>& uses, const std::string& trust_domain,
                               absl::Time now);

std::string IssuingName(const std::set<CaUse>& uses, const std::string& cluster_id,
                        const std::string& id);  // "Bootgate hosts lab-1 (hosts-1)"

}  // namespace bootgate::pki
