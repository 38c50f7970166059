// One issuing CA as those see it who sign with it beside certificates: CRLs, OCSP responses,
// chains.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "pki/certificate.h"

namespace bootgate::pki {

// What a CA's certificates are for.
enum class CaUse {
  kHosts,      // host credentials
  kAks,        // AK certificates and EK certificates of our own
  kServers,    // the gatekeeper itself: TLS, keys that sign tokens
  kOperators,  // people and tools that drive the gatekeeper
};
inline constexpr CaUse kAllCaUses[] = {CaUse::kHosts, CaUse::kAks, CaUse::kServers,
                                       CaUse::kOperators};
absl::string_view Name(CaUse use);  // "hosts", "aks", "servers", "operators"
std::optional<CaUse> CaUseFromName(absl::string_view name);

struct Issuer {
  std::string id;         // name of the CA in its folder: "hosts-1"
  std::set<CaUse> uses;   // what its certificates may be for
  bool tainted = false;   // nothing below it is believed any more
  Bytes key_id;           // its subject key identifier: the authority key identifier below it
  Bytes name;             // Name in DER, as its certificate has it
  Bytes certificate;      // DER
  std::string chain_pem;  // its certificate, then what is between it and the root
  absl::Time not_after;   // nothing that it signs may outlive this
  std::optional<CertificateSigner> signer;  // none: its key is not here

  // As CertificateSigner has it: a CRL, an OCSP response, a certificate. CA_KEY.
  absl::StatusOr<Bytes> SignElement(ByteView signed_part, ByteView after = {}) const;
};
using IssuerPtr = std::shared_ptr<const Issuer>;

// Where the state of host certificates is published; an empty part is left out of certificates.
// The CRL of an issuing CA has the URL crl_base + "/" + CrlFileName(its key id).
struct StatusUrls {
  std::string crl_base;  // "http://gate.example:9746/crl"
  std::string ocsp;      // "http://gate.example:9746/ocsp"
  std::string ca_base;   // "http://gate.example:9746/ca"; the CA's certificate is below it
};
// All parts below one address: of the HTTP port, or of what stands before it; empty: no URLs.
StatusUrls StatusUrlsBelow(absl::string_view public_url);
std::string CrlFileName(ByteView key_id);          // 40 hex digits and ".crl"
std::string CertificateFileName(ByteView key_id);  // 40 hex digits and ".cer"

// The extensions that tell of them in a certificate of the CA with this key id; may be empty.
Bytes StatusExtensions(const StatusUrls& urls, ByteView key_id);

}  // namespace bootgate::pki
