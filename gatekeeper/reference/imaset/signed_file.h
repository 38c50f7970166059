// Files that somebody signed: sets, and policies of other products to make sets from.
//
// Two forms: a DSSE envelope in JSON that holds the file (secure-systems-lab/dsse, envelope.md), or
// a CMS signature beside it (RFC 5652). Where keys are configured, an unsigned file is refused.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/crypto/public_key.h"

namespace bootgate::gatekeeper::reference {

// What an envelope says it holds; the type is signed, so that one cannot stand for the other.
inline constexpr absl::string_view kSetPayloadType = "application/vnd.bootgate.imaset";
inline constexpr absl::string_view kKeylimePayloadType = "application/vnd.keylime+json";

class TrustedKeys {
 public:
  TrustedKeys() = default;  // none configured: nothing is verified
  // PEM: public keys (DSSE), certificates (DSSE and CMS). kInvalidArgument names the block.
  absl::Status AddPem(absl::string_view pem);

  bool empty() const { return keys_.empty(); }
  const std::vector<crypto::PublicKey>& keys() const { return keys_; }
  const std::vector<Bytes>& certificates() const { return certificates_; }  // DER

 private:
  std::vector<crypto::PublicKey> keys_;
  std::vector<Bytes> certificates_;
};

enum class Signed { kNo, kNotChecked, kVerified };
absl::string_view NameOf(Signed state);  // "unsigned", "signature not checked", "verified"

struct SignedFile {
  Bytes content;
  Signed state = Signed::kNo;
};

// The content of `file`, which is that itself or an envelope of `payload_type`. `detached`: the CMS
// signature beside it. With keys it must be signed by one of them: SIG_INVALID otherwise.
// REFERENCE_PARSE: an envelope that cannot be read, or of another type. UNSIGNED_DUPLICATE: a
// second payload or type in the envelope, or content of its own in the signature beside the file;
// other members of an envelope are not looked at.
absl::StatusOr<SignedFile> OpenSigned(Bytes file, const std::optional<Bytes>& detached,
                                      absl::string_view payload_type, const TrustedKeys& trusted);

}  // namespace bootgate::gatekeeper::reference
