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

// The audit row tells who and why. The first reason given for a serial stays.
absl::Status PutReason(store::Store& store, const std::string& serial,
                       const OperatorsReason& reason, const std::string& author,
                       const store::AuditRow& audit);
// nullopt: no operator gave one.
absl::StatusOr<std::optional<OperatorsReason>> GetReason(store::Store& store,
                                                         const std::string& serial);
// By serial.
absl::StatusOr<std::map<std::string, pki::RevocationReason>> AllReasons(store::Store& store);

}  // namespace bootgate::gatekeeper::revocation
