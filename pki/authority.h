// The internal CA: a root, an issuing CA below it, and what the issuing CA signs.
//
// The root is made once by `init` and used again only to make a new issuing CA. Serials are random.
// Certificates of hosts are made from a DER template, not field by field.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/secret_bytes.h"
#include "common/crypto/private_key.h"
#include "common/crypto/public_key.h"
#include "pki/issuer.h"

namespace bootgate::pki {

// Files of a CA folder: root.pem, root.key (0600), issuing.pem, issuing.key (0600).
struct AuthorityFiles {
  std::string folder;
};

struct AuthorityOptions {
  std::string cluster_id;    // in the CA names
  std::string trust_domain;  // SPIFFE trust domain: "bootgate.example"
  absl::Duration root_lifetime = absl::Hours(24 * 3650);
  absl::Duration issuing_lifetime = absl::Hours(24 * 730);
};

// What goes into a host certificate; nothing of it is chosen by the host but the key.
struct HostCertificateRequest {
  std::string serial_hex;  // 32 hex digits, first digit below 8
  std::string host_id;
  std::string verdict_id, policy_id, claims_digest_hex;  // in a private extension
  absl::Time not_before, not_after;
};

class Authority {
 public:
  // Makes root and issuing CA in `files.folder`; kAlreadyExists when there is one.
  static absl::Status Create(const AuthorityFiles& files, const AuthorityOptions& options,
                             absl::Time now);
  // Checks that keys and certificates belong together and are valid at `now`.
  static absl::StatusOr<Authority> Open(const AuthorityFiles& files, absl::Time now,
                                        const StatusUrls& urls = {});

  const std::string& root_pem() const { return root_pem_; }
  const std::string& issuing_pem() const { return issuing_pem_; }
  std::string chain_pem() const { return issuing_pem_ + root_pem_; }
  const std::string& trust_domain() const { return trust_domain_; }
  absl::Time not_after() const;  // of the issuing CA: nothing it signs may outlive it

  // Every issuing CA whose certificates may still be shown, the ones that sign now first; tainted
  // ones too. Call it each time: an operator's verb changes them while we run.
  std::vector<IssuerPtr> Issuers() const;
  // By subject key identifier; kNotFound.
  absl::StatusOr<IssuerPtr> IssuerFor(ByteView key_id) const;
  // Nothing below this CA is believed any more. Also for CAs that we no longer keep.
  bool IsTainted(ByteView key_id) const;

  // What agents and relying parties are to trust: the roots, then the issuing CAs, also those that
  // will sign only later; none that is tainted.
  struct TrustBundle {
    std::string pem;
    crypto::Digest sha256;  // of `pem`
  };
  std::shared_ptr<const TrustBundle> trust_bundle() const;

  // One host certificate in DER: CA:FALSE, digitalSignature, clientAuth and serverAuth, URI SAN
  // spiffe://<trust domain>/host/<host id>; CRL and OCSP addresses as far as Open was given any.
  // CA, CA_KEY, KEY_WEAK.
  absl::StatusOr<Bytes> IssueHost(const HostCertificateRequest& request,
                                  const crypto::PublicKey& key) const;

  // A server certificate for the gatekeeper itself: DNS names and IP addresses as SANs.
  absl::StatusOr<Bytes> IssueServer(const std::vector<std::string>& names,
                                    const crypto::PublicKey& key, absl::Time not_before,
                                    absl::Time not_after) const;

  // A certificate for a key that signs tokens, bootgate's own key purpose alone: no TLS library
  // takes it for a host's or a server's. CA.
  absl::StatusOr<Bytes> IssueTokenSigner(const crypto::PublicKey& key, absl::Time not_before,
                                         absl::Time not_after) const;

  // An AK certificate: key purpose 2.23.133.8.3, issuance policy saying whether EK certificate, EK
  // key or a cloud's AK certificate was verified, SAN with the TPM's manufacturer, model, version
  // where known.
  struct AkCertificateRequest {
    std::string serial_hex, host_id;
    bool ek_certificate_verified = false;
    bool cloud_ak_verified = false;  // instead of it
    // The SAN extension value of the verified certificate; empty when unknown. Its directoryNames
    // are copied, and only when one was verified.
    Bytes tpm_san_der;
    absl::Time not_before, not_after;
  };
  absl::StatusOr<Bytes> IssueAk(const AkCertificateRequest& request,
                                const crypto::PublicKey& key) const;

 private:
  Authority() = default;
  std::string root_pem_, issuing_pem_, trust_domain_;
  IssuerPtr issuer_;
  std::shared_ptr<const TrustBundle> trust_bundle_;
  struct Templates;
  std::shared_ptr<const Templates> templates_;
};

std::string NewSerialHex();  // 32 hex digits, 126 bits of them random; positive
std::string DerToPem(ByteView certificate_der);
// Exactly one certificate and nothing around it but white space. PEM_FORMAT.
absl::StatusOr<Bytes> PemToDer(absl::string_view certificate_pem);

}  // namespace bootgate::pki
