// The endorsement key that we mean, by Name: what secrets on the bus are encrypted to.
//
// Whoever sits on the bus can answer with a key of their own. The key that salts a session is
// therefore compared, by Name, with one that was checked before: against the EK certificate, or
// with what was recorded when the host enrolled.
#pragma once

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/tpm2/key_profile.h"
#include "common/tpm2/public.h"

namespace bootgate::agent::tpm {

class PinnedEk {
 public:
  // EK_CERT_KEY_MISMATCH when `ek` is not made from the certificate's key by a template;
  // CERT_PARSE. Padding after the certificate is no matter. Whether the certificate is genuine is
  // the gatekeeper's question.
  static absl::StatusOr<PinnedEk> FromCertificate(const tpm2::Public& ek, ByteView certificate);

  // An EK whose Name was recorded, or is in an inventory: `name` as the operator or the join state
  // says. EK_TEMPLATE is not checked here: the TPM makes the key from the template or fails.
  static PinnedEk FromName(tpm2::EkTemplate which, Bytes name) {
    return PinnedEk(which, std::move(name));
  }

  tpm2::EkTemplate ek_template() const { return which_; }
  ByteView name() const { return name_; }

 private:
  PinnedEk(tpm2::EkTemplate which, Bytes name) : which_(which), name_(std::move(name)) {}
  tpm2::EkTemplate which_;
  Bytes name_;
};

}  // namespace bootgate::agent::tpm
