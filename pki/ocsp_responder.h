// Who signs OCSP answers about the certificates of one of our CAs.
//
// A delegated responder (RFC 6960, 4.2.2.2): a key of its own, made in memory at the start, with a
// certificate of the CA for this one purpose that lives a day. So the CA's key, which may lie in a
// slow token, signs once a day and not whenever a stranger asks; and what a stranger can make us
// sign is never signed by a key that makes certificates. The certificate says id-pkix-ocsp-nocheck:
// it ends before anybody could usefully ask whether it was revoked.
#pragma once

#include <array>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/crypto/hash.h"
#include "pki/certificate.h"
#include "pki/issuer.h"
#include "pki/ocsp.h"

namespace bootgate::pki {

class OcspResponder {
 public:
  // Makes the key and has the CA certify it: until kResponderLifetime from now, or until the CA
  // ends when that is earlier. CA, CA_KEY: it does not sign.
  static absl::StatusOr<OcspResponder> Make(const Issuer& issuer, absl::Time now);

  // Is this a certificate of the CA that we answer for?
  bool IsIssuerOf(const OcspCertId& id) const;
  // Half of its life is over: make another one.
  bool IsDue(absl::Time now) const { return now >= renew_at_; }
  absl::Time not_after() const { return not_after_; }

  struct Times {
    absl::Time this_update, next_update;
  };
  // `answers` to the certificates of `request`. Any thread.
  absl::StatusOr<Bytes> Respond(const OcspRequest& request, std::vector<OcspAnswer> answers,
                                const Times& times) const;

 private:
  explicit OcspResponder(CertificateSigner signer) : signer_(std::move(signer)) {}
  struct Hashes {
    crypto::Digest name, key;
  };

  CertificateSigner signer_;
  Bytes certificate_;
  Bytes key_hash_;                // of the responder's key
  std::array<Hashes, 4> issuer_;  // in the order of kAlgs in the .cc file
  absl::Time renew_at_, not_after_;
};

}  // namespace bootgate::pki
