// A quote checked against the public area of its key: import of the key, signature, all
// comparisons.
#include "common/tpm2/quote.h"

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "tests/bench/bench.h"
#include "tests/bench/quote_case.h"

namespace bootgate::bench {
namespace {

// {"sha256": {"0": "hex", ...}}, or the registers of the SHA-256 bank alone.
absl::StatusOr<std::vector<tpm2::UntrustedPcr>> ReadValues(ByteView text) {
  const nlohmann::json parsed = nlohmann::json::parse(AsText(text), nullptr, false);
  if (!parsed.is_object()) return absl::InvalidArgumentError("pcrs.json is no JSON object");
  const nlohmann::json& bank = parsed.contains("sha256") ? parsed["sha256"] : parsed;
  std::vector<tpm2::UntrustedPcr> out;
  for (const auto& [index, value] : bank.items()) {
    tpm2::UntrustedPcr pcr;
    if (!absl::SimpleAtoi(index, &pcr.index) || !value.is_string()) {
      return absl::InvalidArgumentError("pcrs.json does not map register numbers to digests");
    }
    BG_ASSIGN_OR_RETURN(pcr.value, FromHex(value.get<std::string>()));
    out.push_back(std::move(pcr));
  }
  return out;
}

// Keeps those values that the quote selects; files list more registers than were quoted.
std::vector<tpm2::UntrustedPcr> Selected(const std::vector<tpm2::UntrustedPcr>& values,
                                         const registers::Selection& selection) {
  const uint32_t mask = registers::MaskOf(selection, crypto::HashAlg::kSha256);
  std::vector<tpm2::UntrustedPcr> out;
  for (const tpm2::UntrustedPcr& pcr : values) {
    if (pcr.index < 32 && (mask >> pcr.index & 1u) != 0) out.push_back(pcr);
  }
  return out;
}

}  // namespace

absl::StatusOr<QuoteCase> LoadQuoteCase(absl::string_view folder) {
  QuoteCase out;
  BG_ASSIGN_OR_RETURN(out.ak, Load(folder, "ak.tpm2b"));
  BG_ASSIGN_OR_RETURN(out.nonce, Load(folder, "nonce.bin"));
  BG_ASSIGN_OR_RETURN(out.quote.attest, Load(folder, "attest.bin"));
  BG_ASSIGN_OR_RETURN(out.quote.signature, Load(folder, "sig.bin"));
  BG_ASSIGN_OR_RETURN(const Bytes pcrs, Load(folder, "pcrs.json"));
  BG_ASSIGN_OR_RETURN(const tpm2::QuoteInfo info, tpm2::ParseQuote(out.quote.attest));
  BG_ASSIGN_OR_RETURN(const std::vector<tpm2::UntrustedPcr> values, ReadValues(pcrs));
  out.quote.values = Selected(values, info.selection);
  return out;
}

absl::Status RunQuote(const Arguments& arguments) {
  BG_ASSIGN_OR_RETURN(const QuoteCase input, LoadQuoteCase(arguments[0]));
  BG_ASSIGN_OR_RETURN(const tpm2::QuoteInfo asked, tpm2::ParseQuote(input.quote.attest));
  return Repeat("quote", arguments[1], [&]() -> absl::Status {
    BG_ASSIGN_OR_RETURN(const tpm2::Public ak, tpm2::Public::FromTpm2b(input.ak));
    return tpm2::QuotedPcrs::Verify({ak, {}, asked.selection, input.nonce}, input.quote).status();
  });
}

}  // namespace bootgate::bench
