// What operators say about foreign TPMs: roots, revocation lists, distrust. Kept in the store as
// standing documents, so that every replica sees them.
//
// Each has a name of its own as its selector: the SHA-256 of a certificate, of a CRL's issuer, or
// the digest that is not trusted. Adding puts document and assignment; removing ends the
// assignment, and the history keeps both.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gatekeeper/store/store.h"
#include "pki/ek_distrust.h"
#include "pki/ek_revocation.h"
#include "pki/trust_anchors.h"

namespace bootgate::gatekeeper::enroll {

inline constexpr char kEkRootKind[] = "ek-root";          // PEM, one certificate
inline constexpr char kAkRootKind[] = "ak-root";          // PEM, one certificate
inline constexpr char kEkCrlKind[] = "ek-crl";            // PEM, one CRL
inline constexpr char kEkDistrustKind[] = "ek-distrust";  // a line of pki/ek_distrust.h

struct EkDocument {
  std::string name;   // selector
  std::string title;  // subject, issuer, or the reason
  std::string text;
  std::string author;
  absl::Time at;  // when it was added
};

// What stands of a kind, by name.
absl::StatusOr<std::vector<EkDocument>> ListEkDocuments(store::Store& store,
                                                        const std::string& kind);

// kAlreadyExists: it stands with this very text. Another text under its name replaces it.
absl::Status AddEkDocument(store::Store& store, const std::string& kind, const EkDocument& document,
                           const store::AuditRow& audit);
// kNotFound.
absl::Status RemoveEkDocument(store::Store& store, const std::string& kind, const EkDocument& who,
                              const std::string& why, const store::AuditRow& audit);

// What stands, added to what is there already. Errors name the document.
absl::Status AddStandingAnchors(store::Store& store, const std::string& kind,
                                pki::TrustAnchors& to);
absl::Status AddStandingCrls(store::Store& store, pki::CrlSet& to);
absl::Status AddStandingDistrust(store::Store& store, pki::DistrustList& to);

}  // namespace bootgate::gatekeeper::enroll
