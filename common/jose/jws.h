// Signed texts of the form header.payload.signature (JWS, compact).
//
// Implements: RFC 7515, 3, 4, 5 and 7.1; RFC 7518, 3.1 to 3.5, for the algorithms below. Made:
// RS256, ES256. Verified: RS256, PS256, ES256, ES384. The algorithm must fit the key that the
// caller trusts: nothing in the header ever chooses it. Read strictly: exactly three parts, no
// padding, bounded sizes, no member twice, no `crit`, no unencoded payload.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/crypto/private_key.h"
#include "common/crypto/public_key.h"

namespace bootgate::jose {

inline constexpr size_t kMaxJwsBytes = size_t{4} << 20;         // the whole text
inline constexpr size_t kMaxJwsHeaderBytes = size_t{64} << 10;  // decoded; holds a chain

enum class JwsAlg { kRs256, kPs256, kEs256, kEs384 };
absl::string_view Name(JwsAlg alg);                            // "RS256", ...
std::optional<JwsAlg> JwsAlgFromName(absl::string_view name);  // never for "none" or "HS256"
bool Fits(JwsAlg alg, const crypto::PublicKey& key);

// The members that we know; what is empty is left out when it is written.
struct JwsHeader {
  std::string alg;  // as it stands; ignored when signing
  std::string typ, kid, jku;
  std::string x5t;         // base64url of the SHA-1 of the certificate
  std::string x5t_s256;    // the same by SHA-256, the member "x5t#S256"
  std::vector<Bytes> x5c;  // DER, the signer's certificate first; at most kMaxChain
};

// A JWS whose signature held. There is no public constructor: holding one is the proof.
class VerifiedJws {
 public:
  const JwsHeader& header() const { return header_; }
  const Bytes& payload() const { return payload_; }
  const crypto::PublicKey& key() const { return key_; }

 private:
  friend class ParsedJws;
  VerifiedJws(JwsHeader header, Bytes payload, crypto::PublicKey key)
      : header_(std::move(header)), payload_(std::move(payload)), key_(std::move(key)) {}
  JwsHeader header_;
  Bytes payload_;
  crypto::PublicKey key_;
};

// A JWS as it was sent. Nothing in it is believed.
class ParsedJws {
 public:
  // JWS_PARSE.
  static absl::StatusOr<ParsedJws> Parse(absl::string_view compact);

  const JwsHeader& untrusted_header() const { return header_; }
  const std::string& untrusted_header_json() const { return header_json_; }
  const Bytes& untrusted_payload() const { return payload_; }

  // JWS_ALG: "none", an algorithm that is not ours, or one that does not fit `key`.
  // JWS_SIGNATURE: it was not this key, or another text.
  absl::StatusOr<VerifiedJws> Verify(const crypto::PublicKey& key) const;

  // The payload of a text that says of itself that nobody signed it: alg "none" and an empty
  // signature. For uploads of policies by an authenticated operator, where no signer is configured,
  // and for nothing else. JWS_ALG otherwise.
  absl::StatusOr<Bytes> PayloadOfUnsigned() const;

 private:
  ParsedJws() = default;
  std::string signing_input_, header_json_;
  JwsHeader header_;
  Bytes payload_, signature_;
};

// JWS_ALG when the algorithm does not fit the key.
absl::StatusOr<std::string> SignJws(const crypto::PrivateKey& key, JwsAlg alg,
                                    const JwsHeader& header, absl::string_view payload);

// {"alg":"none"} and an empty signature: what PayloadOfUnsigned reads.
std::string UnsignedJws(absl::string_view payload);

}  // namespace bootgate::jose
