// What the store says is revoked, kept in memory and caught up with by what is new alone.
//
// Reasons (RFC 5280, section 5.3.1): the operator's where one gave it; else superseded when another
// TPM took the host's place, cessation-of-operation when the host is retired, and
// privilege-withdrawn for the rest, which is quarantine. What a quarantine revokes is suspect since
// the host was last found good. Operators' certificates are in it as their register has them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gatekeeper/store/store.h"
#include "pki/crl.h"

namespace bootgate::gatekeeper::revocation {

struct LedgerEntry {
  pki::RevokedCertificate certificate;
  std::string issuer;  // key id (hex); empty: not known any more
};

// One thread at a time.
class Ledger {
 public:
  // `keep`: how long expired certificates stay, which is a CRL's life.
  explicit Ledger(absl::Duration keep) : keep_(keep) {}

  // Reads what was revoked since the last time, and drops what is expired. The issuers (key ids in
  // hex) about whom something is new; "" among them: about all. An error is the store's and leaves
  // the ledger as it was.
  absl::StatusOr<std::set<std::string>> CatchUp(store::Store& store, absl::Time now);

  size_t size() const { return entries_.size(); }
  // Of one CA: its own, and those of which nobody knows any more who signed them.
  std::vector<pki::RevokedCertificate> Of(const std::string& issuer) const;

 private:
  // Operators' certificates that were revoked since the last time: serial -> entry.
  absl::StatusOr<std::map<std::string, LedgerEntry>> ReadOperators(store::Store& store) const;
  absl::StatusOr<std::vector<LedgerEntry>> Read(store::Store& store,
                                                const std::vector<store::RevokedRow>& rows);
  void DropExpired(absl::Time now);

  const absl::Duration keep_;
  int64_t last_ = 0;                 // number of the newest revocation that was read
  std::set<std::string> operators_;  // serials of those revoked certificates that were read
  std::vector<LedgerEntry> entries_;
};

// The reason of what no operator gave one for.
absl::StatusOr<pki::RevocationReason> ReasonByHost(store::Store& store, const std::string& host_id);

}  // namespace bootgate::gatekeeper::revocation
