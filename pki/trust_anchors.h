// The certificates that foreign chains may end in: roots of TPM vendors and clouds, and the CAs
// between, all given by an operator.
//
// A certificate that is self-signed, or whose issuer is not in the set, is an anchor: a chain may
// end in it. One whose issuer is in the set is only known: it helps to find a path for a TPM that
// does not carry it, and the path goes on to its issuer.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/crypto/owners.h"

namespace bootgate::pki {

class TrustAnchors {
 public:
  // PEM text with one or more certificates. PEM_FORMAT, CERT_PARSE, KEY_WEAK and KEY_TOO_LARGE name
  // which one is wrong.
  static absl::StatusOr<TrustAnchors> FromPem(absl::string_view pem);
  static TrustAnchors None();
  // All of the text's certificates or, with an error, none of them. One that is there already is
  // not taken twice.
  absl::Status Add(absl::string_view pem);
  size_t size() const { return der_.size(); }
  const std::vector<Bytes>& der() const { return der_; }

  using Certificates = std::vector<std::shared_ptr<X509>>;  // shared: copies hold the same ones
  const Certificates& anchors() const { return anchors_; }
  const Certificates& known() const { return known_; }

 private:
  void Sort();
  std::vector<Bytes> der_;
  Certificates parsed_;           // of der_
  Certificates anchors_, known_;  // of parsed_, each in one of them
};

}  // namespace bootgate::pki
