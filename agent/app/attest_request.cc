#include "agent/app/attest_request.h"

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

absl::Status AddClaims(const std::vector<std::string>& words, absl::string_view value_type,
                       std::vector<evidence::CustomClaim>* out) {
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", Printable(word, 64), "' is not NAME=VALUE"));
    }
    out->push_back({word.substr(0, equals), word.substr(equals + 1), std::string(value_type)});
  }
  return absl::OkStatus();
}

absl::StatusOr<Bytes> RpData(const RequestWords& words) {
  if (!words.rp_data_hex.empty() && !words.rp_data_file.empty())
    return absl::InvalidArgumentError("--rp-data and --rp-data-file exclude each other");
  if (!words.rp_data_file.empty()) return ReadFile(words.rp_data_file, evidence::kMaxRpData);
  return FromHex(words.rp_data_hex);
}

}  // namespace

absl::StatusOr<AttestRequest> RequestOf(const RequestWords& words) {
  AttestRequest out;
  std::vector<evidence::CustomClaim>& claims = out.statement.custom_claims;
  BG_RETURN_IF_ERROR(AddClaims(words.strings, "String", &claims));
  BG_RETURN_IF_ERROR(AddClaims(words.integers, "Integer", &claims));
  BG_RETURN_IF_ERROR(AddClaims(words.booleans, "Boolean", &claims));
  if (!words.key_file.empty()) {
    BG_ASSIGN_OR_RETURN(out.statement.request_key,
                        ReadTextFile(words.key_file, evidence::kMaxRequestKey));
  }
  BG_ASSIGN_OR_RETURN(out.statement.rp_data, RpData(words));
  for (const std::string& word : words.other_keys) {
    BG_ASSIGN_OR_RETURN(const registers::Selection selection, registers::ParseSelection(word));
    out.other_keys.push_back(selection);
  }
  if (out.other_keys.size() > evidence::kMaxOtherKeys) {
    return absl::InvalidArgumentError(
        absl::StrCat("at most ", evidence::kMaxOtherKeys, " other keys can be shown"));
  }
  return out;
}

}  // namespace bootgate::agent::app
