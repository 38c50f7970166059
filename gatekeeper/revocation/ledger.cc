#include "gatekeeper/revocation/ledger.h"

#include <algorithm>
#include <utility>

#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/revocation/operator_certificates.h"
#include "gatekeeper/revocation/operators_reasons.h"

namespace bootgate::gatekeeper::revocation {
namespace {

using store::RevokedRow;

// Revoked together: all that one host had.
bool AreTogether(const RevokedRow& a, const RevokedRow& b) {
  return a.credential.host_id == b.credential.host_id &&
         a.credential.revoked_at == b.credential.revoked_at;
}

LedgerEntry EntryOf(const store::CredentialRow& row, pki::RevocationReason reason) {
  LedgerEntry entry{.certificate = {.revoked_at = row.revoked_at.value_or(row.not_before),
                                    .not_after = row.not_after,
                                    .reason = reason},
                    .issuer = row.issuer};
  // A serial that is none cannot be in a certificate either.
  if (absl::StatusOr<Bytes> serial = FromHex(row.serial);
      serial.ok() && serial->size() <= pki::kMaxSerialSize) {
    entry.certificate.serial = *std::move(serial);
  }
  return entry;
}

}  // namespace

absl::StatusOr<pki::RevocationReason> ReasonByHost(store::Store& store,
                                                   const std::string& host_id) {
  const absl::StatusOr<host::HostRecord> host = store.GetHost(host_id);
  if (host.ok() && !host->replaced_by.empty()) return pki::RevocationReason::kSuperseded;
  if (host.ok() && host->trust == host::Trust::kRetired) {
    return pki::RevocationReason::kCessationOfOperation;
  }
  if (absl::IsUnavailable(host.status())) return host.status();
  // Also of a record that cannot be read: what is certain is that it is revoked.
  return pki::RevocationReason::kPrivilegeWithdrawn;
}

absl::StatusOr<std::vector<LedgerEntry>> Ledger::Read(store::Store& store,
                                                      const std::vector<RevokedRow>& rows) {
  BG_ASSIGN_OR_RETURN(const auto given, AllReasons(store));
  std::vector<LedgerEntry> read;
  read.reserve(rows.size());
  for (auto from = rows.begin(); from != rows.end();) {
    const auto to = std::find_if_not(
        from, rows.end(), [&](const RevokedRow& row) { return AreTogether(*from, row); });
    BG_ASSIGN_OR_RETURN(const pki::RevocationReason by_host,
                        ReasonByHost(store, from->credential.host_id));
    // The newest of them was made when the host was last found good.
    absl::Time last_good = absl::InfinitePast();
    for (auto at = from; at != to; ++at) {
      last_good = std::max(last_good, at->credential.not_before);
    }
    for (auto at = from; at != to; ++at) {
      const auto reason = given.find(at->credential.serial);
      LedgerEntry entry = EntryOf(at->credential, reason == given.end() ? by_host : reason->second);
      if (entry.certificate.serial.empty()) continue;
      if (entry.certificate.reason == pki::RevocationReason::kPrivilegeWithdrawn &&
          reason == given.end() && last_good < entry.certificate.revoked_at) {
        entry.certificate.invalid_since = last_good;
      }
      read.push_back(std::move(entry));
    }
    from = to;
  }
  return read;
}

void Ledger::DropExpired(absl::Time now) {
  std::erase_if(entries_, [&](const LedgerEntry& entry) {
    return entry.certificate.not_after + keep_ < now;
  });
}

absl::StatusOr<std::map<std::string, LedgerEntry>> Ledger::ReadOperators(
    store::Store& store) const {
  BG_ASSIGN_OR_RETURN(const auto rows, store.ListDocuments(kOperatorRevocationKind));
  std::map<std::string, LedgerEntry> read;
  for (const store::DocumentRow& row : rows) {
    if (operators_.contains(row.id)) continue;
    const absl::StatusOr<IssuedToOperator> issued = FindOperator(store, row.id);
    if (absl::IsUnavailable(issued.status())) return issued.status();
    // One that cannot be read opens nothing, and keeps no list from being made.
    if (!issued.ok()) continue;
    BG_ASSIGN_OR_RETURN(Bytes serial, FromHex(row.id));
    read[row.id] = {.certificate = {.serial = std::move(serial),
                                    .revoked_at = row.created_at,
                                    .not_after = issued->certificate.not_after,
                                    .reason = issued->reason.code},
                    .issuer = ToHex(issued->certificate.issuer_key_id)};
  }
  return read;
}

absl::StatusOr<std::set<std::string>> Ledger::CatchUp(store::Store& store, absl::Time now) {
  std::set<std::string> issuers;
  BG_ASSIGN_OR_RETURN(auto operators, ReadOperators(store));
  BG_ASSIGN_OR_RETURN(const int64_t last, store.LastRevocation());
  if (last != last_) {
    BG_ASSIGN_OR_RETURN(const std::vector<RevokedRow> rows, store.ListRevoked(last_, now - keep_));
    BG_ASSIGN_OR_RETURN(std::vector<LedgerEntry> read, Read(store, rows));
    for (LedgerEntry& entry : read) {
      issuers.insert(entry.issuer);
      entries_.push_back(std::move(entry));
    }
    last_ = rows.empty() ? last : std::max(last, rows.back().number);
  }
  for (auto& [serial, entry] : operators) {
    operators_.insert(serial);
    issuers.insert(entry.issuer);
    entries_.push_back(std::move(entry));
  }
  DropExpired(now);
  return issuers;
}

std::vector<pki::RevokedCertificate> Ledger::Of(const std::string& issuer) const {
  std::vector<pki::RevokedCertificate> out;
  out.reserve(entries_.size());
  for (const LedgerEntry& entry : entries_) {
    if (entry.issuer.empty() || entry.issuer == issuer) out.push_back(entry.certificate);
  }
  return out;
}

}  // namespace bootgate::gatekeeper::revocation
