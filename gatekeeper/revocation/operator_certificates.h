// The register of operators' certificates: which were issued, which are revoked. It lies in the
// store, so that all gatekeepers of it know the same at once.
//
// Only what stands here is believed: a certificate that a copy of the CA's key has made, or whose
// issuance was never written down, opens nothing, whatever its signature says. A taint of the CA is
// still what follows when its key got out: here a thief only finds that it does not help.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/revocation/operators_reasons.h"
#include "gatekeeper/store/store.h"
#include "pki/operator_certificate.h"

namespace bootgate::gatekeeper::revocation {

// Documents; their ids are serials. The text of the first is the certificate (PEM), that of the
// second is why.
inline constexpr char kOperatorCertificateKind[] = "operator-certificate";
inline constexpr char kOperatorRevocationKind[] = "operator-revocation";

struct IssuedToOperator {
  pki::OperatorCertificate certificate;
  std::string author;  // who had it issued
  absl::Time issued_at;
  std::optional<absl::Time> revoked_at;
  OperatorsReason reason;  // of the revocation
};

// Once for each, with the audit row of its issuance and before it leaves. CERT_PARSE: it is none.
absl::Status RecordOperator(store::Store& store, ByteView certificate_der,
                            const store::AuditRow& audit);

// By when they were issued.
absl::StatusOr<std::vector<IssuedToOperator>> ListOperators(store::Store& store);
// kNotFound OPERATOR_CERTIFICATE: none with this serial stands here.
absl::StatusOr<IssuedToOperator> FindOperator(store::Store& store, const std::string& serial);

// The verb's: who, when, and why.
struct Revoking {
  std::string actor;
  absl::Time now;
  OperatorsReason reason;
};
// False: it was revoked before, and the first reason stays. Errors as of FindOperator.
absl::StatusOr<bool> RevokeOperator(store::Store& store, const std::string& serial,
                                    const Revoking& revoking);

// Is this very certificate one of those, and not revoked? kUnauthenticated
// OPERATOR_CERTIFICATE: it is, or it does not stand here, or another one of its serial does. STORE:
// it cannot be told.
absl::Status CheckOperator(store::Store& store, const std::string& serial,
                           ByteView certificate_der);

}  // namespace bootgate::gatekeeper::revocation
