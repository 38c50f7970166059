// Why an operator revoked one credential: a code of RFC 5280 and a text, kept as a document.
//
// What the gatekeeper revokes itself needs no document: its reason follows from the host's state.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "gatekeeper/store/store.h"
#include "pki/crl.h"

namespace bootgate::gatekeeper::revocation {

struct OperatorsReason {
  pki::RevocationReason code = pki::RevocationReason::kUnspecified;
  std::string text;
};

// The reason as a document, to be written with the revocation (Commit::documents). The first one
// given for a serial stays: a second is kAlreadyExists.
store::DocumentRow ReasonDocument(const std::string& serial, const OperatorsReason& reason,
                                  const std::string& author, absl::Time at);
// nullopt: no operator gave one.
absl::StatusOr<std::optional<OperatorsReason>> GetReason(store::Store& store,
                                                         const std::string& serial);
// By serial.
absl::StatusOr<std::map<std::string, pki::RevocationReason>> AllReasons(store::Store& store);

}  // namespace bootgate::gatekeeper::revocation
