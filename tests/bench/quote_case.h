// A captured or made quote with its key, as files in a folder.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/tpm2/quote.h"

namespace bootgate::bench {

struct QuoteCase {
  Bytes ak, nonce;       // TPM2B_PUBLIC; the qualifying data
  tpm2::RawQuote quote;  // with the values that it selects
};

// ak.tpm2b, nonce.bin, attest.bin, sig.bin and pcrs.json.
absl::StatusOr<QuoteCase> LoadQuoteCase(absl::string_view folder);

}  // namespace bootgate::bench
