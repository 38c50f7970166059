#include "agent/identity/unseal.h"

#include "common/base/status_macros.h"
#include "pki/x509_read.h"

namespace bootgate::agent::identity {
namespace {

constexpr size_t kSerialDigits = 32;  // of our own CA's certificates

// As the payload was closed with it: leading zeros and all.
absl::StatusOr<std::string> SerialOf(ByteView certificate) {
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr parsed, pki::ParseCertificate(certificate));
  std::string serial = pki::SerialHex(parsed.get());
  if (serial.size() < kSerialDigits) serial.insert(0, kSerialDigits - serial.size(), '0');
  return serial;
}

}  // namespace

absl::StatusOr<evidence::SealedPayload> UnsealCredential(tpm::Tpm& tpm, const JoinState& joined,
                                                         const StoredCredential& credential,
                                                         const UnsealOptions& options) {
  BG_ASSIGN_OR_RETURN(const std::string serial, SerialOf(credential.certificate));
  BG_ASSIGN_OR_RETURN(const SecretBytes key,
                      tpm.Unseal(joined.pinned_ek(), credential.blob, credential.selection));
  BG_ASSIGN_OR_RETURN(evidence::SealedPayload payload,
                      evidence::OpenPayload(key, joined.host_id, serial, credential.payload));
  if (options.cap_register.has_value()) {
    BG_RETURN_IF_ERROR(tpm.Cap(*options.cap_register));
  }
  return payload;
}

}  // namespace bootgate::agent::identity
