// The internal CA: issuing CAs for hosts, AKs, servers and operators below one root, and what they
// sign.
//
// Serials are random. Certificates are made from a DER template, not field by field. The folder may
// change while we run, by an operator's verb: Refresh takes over what it says, at once and for all
// copies of an Authority. Any thread.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/crypto/private_key.h"
#include "common/crypto/public_key.h"
#include "pki/ca_snapshot.h"
#include "pki/issuer.h"

namespace bootgate::pki {

// A CA folder, as ca_folder.h has it.
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
  std::string serial_hex;  // as NewSerialHex makes it; 32 digits are taken, too
  std::string host_id;
  std::string verdict_id, policy_id, claims_digest_hex;  // in a private extension
  absl::Time not_before, not_after;
  Bytes issuer_key_id = {};  // of the CA that is to sign; empty: whichever signs for hosts
};

class Authority {
 public:
  // The simple form, one issuing CA for everything: root.pem, root.key (0600), issuing.pem,
  // issuing.key (0600); kAlreadyExists when there is one. ca_steps.h makes the full form, and takes
  // this one apart.
  static absl::Status Create(const AuthorityFiles& files, const AuthorityOptions& options,
                             absl::Time now);
  // Checks that keys and certificates belong together and are valid at `now`. kNotFound, CA,
  // CA_KEY.
  static absl::StatusOr<Authority> Open(const AuthorityFiles& files, absl::Time now,
                                        const StatusUrls& urls = {});

  // Takes over what has changed in the folder; cheap when nothing has. When what is there now is
  // broken, the old state stays and the error is told once.
  absl::Status Refresh(absl::Time now) const;
  // Key ids (lower-case hex) that are tainted by word of others; besides those of the folder. They
  // are not believed from now on; trust bundle and issuers show it after the next Refresh.
  void SetTainted(std::set<std::string> key_ids) const;

  std::string root_pem() const;   // of the CA that signs for hosts
  std::string roots_pem() const;  // all that are believed
  // The CA that signs for `use` now, and those between it and the root; empty: none signs.
  std::string issuing_pem(CaUse use = CaUse::kHosts) const;
  std::string chain_pem(CaUse use = CaUse::kHosts) const;  // with the root
  // The same of the CA that has issued this certificate; empty: it is not of ours.
  std::string ChainOf(ByteView certificate_der) const;
  // What client certificates are told apart from strangers' by: every CA here, tainted ones too,
  // so that their bearers can be told so. Whether one is believed, MayIssue says.
  std::string client_ca_pem() const;
  std::string trust_domain() const;
  // Nothing that the CA of `use` signs may outlive it. InfinitePast: none signs.
  absl::Time not_after(CaUse use = CaUse::kHosts) const;

  // Every issuing CA whose certificates may still be shown, the ones that sign now first; tainted
  // ones too. Call it each time: an operator's verb changes them while we run.
  std::vector<IssuerPtr> Issuers() const;
  // Every root here, for its revocation list.
  std::vector<RootCa> Roots() const;
  // Its key, opened for as long as the signer is kept. CA_KEY.
  absl::StatusOr<CertificateSigner> OpenRoot(const RootCa& root) const;
  // The one that signs for `use` now. CA: none does.
  absl::StatusOr<IssuerPtr> ActiveIssuer(CaUse use) const;
  // By subject key identifier; kNotFound.
  absl::StatusOr<IssuerPtr> IssuerFor(ByteView key_id) const;
  // Nothing below this CA is believed any more. Also for CAs that we no longer keep.
  bool IsTainted(ByteView key_id) const;
  // Has a CA with this key id the task to issue certificates for `use`, and is it believed?
  bool MayIssue(CaUse use, ByteView key_id) const;

  // What agents and relying parties are to trust: the roots, then the issuing CAs, also those that
  // will sign only later; none that is tainted.
  std::shared_ptr<const TrustBundle> trust_bundle() const;

  // One host certificate in DER: CA:FALSE, digitalSignature, clientAuth and serverAuth, URI SAN
  // spiffe://<trust domain>/host/<host id>, subject serialNumber=<host id>; CRL and OCSP addresses
  // as far as Open was given any. CA, CA_KEY, KEY_WEAK; CA with kUnavailable: another CA has come
  // to sign than the one that was to.
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

  // A client certificate for an operator, with roles; see operator_certificate.h. kInvalidArgument:
  // a name or role that is none. CA, CA_KEY.
  absl::StatusOr<Bytes> IssueOperator(const std::string& name,
                                      const std::vector<std::string>& roles,
                                      const crypto::PublicKey& key, absl::Time not_before,
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
  struct Live;
  explicit Authority(std::shared_ptr<Live> live) : live_(std::move(live)) {}
  absl::StatusOr<std::shared_ptr<const SigningCa>> SignerFor(CaUse use) const;

  std::shared_ptr<Live> live_;  // shared by copies: all see one state
};

// 34 hex digits: 01, then 128 random bits. The first byte keeps it positive and of one length, so
// that a serial has one text form; RFC 5280, 4.1.2.2 allows 20 bytes.
std::string NewSerialHex();
std::string DerToPem(ByteView certificate_der);
// Exactly one certificate and nothing around it but white space. PEM_FORMAT.
absl::StatusOr<Bytes> PemToDer(absl::string_view certificate_pem);

}  // namespace bootgate::pki
