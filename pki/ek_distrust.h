// What an operator does not believe any more although a chain is perfect: certificates, keys of
// CAs, and single EKs, by their SHA-256.
//
// One line each: 64 hex digits (also with colons, as openssl prints them), then, if wanted, the
// reason in words; '#' begins a comment. A digest is that of
//   - a certificate in DER: an EK certificate, a CA, a root;
//   - a SubjectPublicKeyInfo in DER: every certificate of that key, and an EK without certificate.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/crypto/public_key.h"

namespace bootgate::pki {

inline constexpr size_t kMaxDistrustEntries = 100'000;

class DistrustList {
 public:
  // All of the text's lines or, with an error (kInvalidArgument with the line's number), none.
  absl::Status Add(absl::string_view text);
  size_t size() const { return reasons_.size(); }

  // TPM_DISTRUSTED names the certificate and the operator's words. `path`: DER, as
  // VerifiedEkChain::path() gives it; certificates that nobody verified may stand there, too.
  absl::Status CheckPath(const std::vector<Bytes>& path) const;
  // The same for a key alone: an EK without certificate, an AK.
  absl::Status CheckKey(const crypto::PublicKey& key) const;

 private:
  absl::Status CheckDigest(ByteView bytes, absl::string_view what) const;
  std::map<std::string, std::string> reasons_;  // SHA-256 in hex -> words, may be empty
};

}  // namespace bootgate::pki
