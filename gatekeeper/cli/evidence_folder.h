// Evidence as files in a folder, for the offline verbs.
//
// The form is that of tests/corpus/boots: eventlog.bin, userlog.cel (systemd's measurement log),
// ima.bin (each may be absent: the host had none), quote-MODE.msg and .sig, pcrs.json, ak.pub
// (ak-ecc.pub for the mode "ecc"), nonce.hex (the whole qualifying data), and if there: ek.pub,
// ek-rsa.cert.der, ca/*.pem.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/tpm2/quote.h"

namespace bootgate::gatekeeper::cli {

// As read; nothing of it is believed.
struct EvidenceFiles {
  Bytes boot_log, user_log, ima_list;
  Bytes attest, signature;
  std::string pcrs_json;
  Bytes ak_public;  // TPM2B_PUBLIC
  Bytes qualifying_data;
  Bytes ek_public;       // TPM2B_PUBLIC; empty: not there
  Bytes ek_certificate;  // DER; empty: not there
  std::vector<std::string> intermediates_pem;
};

// True for sha1, sha256, sha384, sha512, all, ecc.
bool IsQuoteMode(absl::string_view mode);
bool HasQuote(const std::string& folder, absl::string_view mode);

// Errors are the caller's to correct: they name the file that is missing or unreadable.
absl::StatusOr<EvidenceFiles> ReadEvidence(const std::string& folder, const std::string& mode);

// What the quote proves.
struct ProvenQuote {
  tpm2::Public ak;
  tpm2::QuotedPcrs quoted;
};

// The asked selection is the quote's own: offline nobody asked. Errors carry the reason code.
absl::StatusOr<ProvenQuote> ProveQuote(const EvidenceFiles& files);

}  // namespace bootgate::gatekeeper::cli
