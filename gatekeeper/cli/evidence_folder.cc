#include "gatekeeper/cli/evidence_folder.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/cel/log.h"
#include "common/eventlog/log.h"
#include "common/ima/list.h"
#include "nlohmann/json.hpp"

namespace bootgate::gatekeeper::cli {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxSmallFile = size_t{1} << 20;  // bytes; quotes, keys, certificates, PCR values
constexpr size_t kMaxIntermediates = 8;
constexpr absl::string_view kModes[] = {"sha1", "sha256", "sha384", "sha512", "all", "ecc"};

// A file that may be absent.
absl::StatusOr<Bytes> ReadOptional(const std::string& path, size_t max_bytes) {
  absl::StatusOr<Bytes> bytes = ReadFile(path, max_bytes);
  if (absl::IsNotFound(bytes.status())) return Bytes();
  return bytes;
}

absl::StatusOr<std::vector<std::string>> ReadIntermediates(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".pem") paths.push_back(it->path().string());
  }
  std::sort(paths.begin(), paths.end());
  if (paths.size() > kMaxIntermediates) {
    return absl::InvalidArgumentError(absl::StrCat(
        folder, " has ", paths.size(), " certificates, at most ", kMaxIntermediates, " are taken"));
  }
  std::vector<std::string> pems;
  for (const std::string& path : paths) {
    BG_ASSIGN_OR_RETURN(std::string pem, ReadTextFile(path, kMaxSmallFile));
    pems.push_back(std::move(pem));
  }
  return pems;
}

absl::StatusOr<Bytes> ReadHexFile(const std::string& path) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxSmallFile));
  absl::StatusOr<Bytes> bytes = FromHex(absl::StripAsciiWhitespace(text));
  if (!bytes.ok()) return absl::InvalidArgumentError(absl::StrCat(path, " is not hexadecimal"));
  return bytes;
}

absl::Status BadValues(absl::string_view what) {
  return Malformed(Reason::kMessageMalformed, absl::StrCat("pcrs.json: ", what));
}

// The value of one register out of {"sha256": {"0": hex, ...}}; nullopt when it is not there.
absl::StatusOr<std::optional<Bytes>> ValueIn(const Json& json, crypto::HashAlg alg,
                                             uint32_t index) {
  const auto bank = json.find(std::string(crypto::Name(alg)));
  if (bank == json.end() || !bank->is_object()) return std::optional<Bytes>();
  const auto value = bank->find(absl::StrCat(index));
  if (value == bank->end()) return std::optional<Bytes>();
  if (!value->is_string()) return BadValues(absl::StrCat("PCR ", index, " is not a text"));
  absl::StatusOr<Bytes> bytes = FromHex(value->get<std::string>());
  if (!bytes.ok()) return BadValues(absl::StrCat("PCR ", index, " is not hexadecimal"));
  return std::optional<Bytes>(*std::move(bytes));
}

// The values that the signed selection names; others in the file are of no use here.
absl::StatusOr<std::vector<tpm2::UntrustedPcr>> SelectedValues(
    const std::string& text, const registers::Selection& selection) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return BadValues("not a JSON object");
  std::vector<tpm2::UntrustedPcr> values;
  for (const registers::BankSelection& bank : selection) {
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      if (((bank.mask >> i) & 1u) == 0) continue;
      BG_ASSIGN_OR_RETURN(std::optional<Bytes> value, ValueIn(json, bank.alg, i));
      if (value) values.push_back({bank.alg, i, *std::move(value)});
    }
  }
  return values;
}

}  // namespace

bool IsQuoteMode(absl::string_view mode) {
  return std::find(std::begin(kModes), std::end(kModes), mode) != std::end(kModes);
}

bool HasQuote(const std::string& folder, absl::string_view mode) {
  return FileExists(absl::StrCat(folder, "/quote-", mode, ".msg"));
}

absl::StatusOr<EvidenceFiles> ReadEvidence(const std::string& folder, const std::string& mode) {
  const auto at = [&folder](absl::string_view name) { return absl::StrCat(folder, "/", name); };
  EvidenceFiles files;
  BG_ASSIGN_OR_RETURN(files.attest,
                      ReadFile(at(absl::StrCat("quote-", mode, ".msg")), kMaxSmallFile));
  BG_ASSIGN_OR_RETURN(files.signature,
                      ReadFile(at(absl::StrCat("quote-", mode, ".sig")), kMaxSmallFile));
  BG_ASSIGN_OR_RETURN(files.pcrs_json, ReadTextFile(at("pcrs.json"), kMaxSmallFile));
  BG_ASSIGN_OR_RETURN(files.ak_public,
                      ReadFile(at(mode == "ecc" ? "ak-ecc.pub" : "ak.pub"), kMaxSmallFile));
  BG_ASSIGN_OR_RETURN(files.qualifying_data, ReadHexFile(at("nonce.hex")));
  BG_ASSIGN_OR_RETURN(files.boot_log, ReadOptional(at("eventlog.bin"), eventlog::kMaxLogBytes));
  BG_ASSIGN_OR_RETURN(files.user_log, ReadOptional(at("userlog.cel"), cel::kMaxLogBytes));
  BG_ASSIGN_OR_RETURN(files.ima_list, ReadOptional(at("ima.bin"), ima::kMaxListBytes));
  BG_ASSIGN_OR_RETURN(files.ek_public, ReadOptional(at("ek.pub"), kMaxSmallFile));
  BG_ASSIGN_OR_RETURN(files.ek_certificate, ReadOptional(at("ek-rsa.cert.der"), kMaxSmallFile));
  BG_ASSIGN_OR_RETURN(files.intermediates_pem, ReadIntermediates(at("ca")));
  return files;
}

absl::StatusOr<ProvenQuote> ProveQuote(const EvidenceFiles& files) {
  BG_ASSIGN_OR_RETURN(tpm2::Public ak, tpm2::Public::FromTpm2b(files.ak_public));
  BG_ASSIGN_OR_RETURN(const tpm2::QuoteInfo info, tpm2::ParseQuote(files.attest));
  tpm2::RawQuote raw{files.attest, files.signature, {}};
  BG_ASSIGN_OR_RETURN(raw.values, SelectedValues(files.pcrs_json, info.selection));
  const tpm2::QuoteQuestion question{ak, {}, info.selection, files.qualifying_data};
  BG_ASSIGN_OR_RETURN(tpm2::QuotedPcrs quoted, tpm2::QuotedPcrs::Verify(question, raw));
  return ProvenQuote{std::move(ak), std::move(quoted)};
}

}  // namespace bootgate::gatekeeper::cli
