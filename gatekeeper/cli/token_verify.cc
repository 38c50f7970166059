#include "gatekeeper/cli/token_verify.h"

#include <iterator>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/token/key_ring.h"
#include "gatekeeper/token/verify.h"

namespace bootgate::gatekeeper::cli {
namespace {

using Json = nlohmann::ordered_json;

absl::StatusOr<std::string> ReadToken(const TokenVerifyOptions& options, std::istream& in) {
  std::string text;
  if (options.file == "-") {
    // One byte more than is accepted is enough to be refused.
    char c = 0;
    while (text.size() <= jose::kMaxJwsBytes && in.get(c)) text.push_back(c);
  } else {
    BG_ASSIGN_OR_RETURN(text, ReadTextFile(options.file, jose::kMaxJwsBytes + 1));
  }
  const absl::string_view token = absl::StripAsciiWhitespace(text);
  return std::string(token.data(), token.size());
}

absl::StatusOr<std::vector<jose::Jwk>> ReadKeySet(const TokenVerifyOptions& options,
                                                  absl::Time now) {
  if (options.jwks_file.empty()) {
    BG_ASSIGN_OR_RETURN(const auto keys, token::ReadKeys(options.key_folder));
    return token::PublishedOf(keys, now);
  }
  BG_ASSIGN_OR_RETURN(const std::string text,
                      ReadTextFile(options.jwks_file, jose::kMaxJwkSetBytes));
  return jose::ParseJwkSet(text);
}

Json Parsed(const std::string& text) { return Json::parse(text, nullptr, false); }

std::string Shown(const Json& json) {
  return json.dump(2, ' ', true, Json::error_handler_t::replace);
}

std::string CodeOf(const absl::Status& status) {
  const std::optional<Reason> reason = ReasonOf(status);
  return reason.has_value() ? std::string(Code(*reason)) : "";
}

void Print(const token::TokenText& text, const absl::Status& good, const TokenVerifyIo& io) {
  Json header = Parsed(text.header_json), claims = Parsed(text.claims_json);
  if (io.format == OutputFormat::kJson) {
    Json out{{"good", good.ok()}};
    if (!good.ok()) {
      out["reason"] = CodeOf(good);
      out["why"] = Printable(good.message());
    }
    out["header"] = std::move(header);
    out["claims"] = std::move(claims);
    io.out << Shown(out) << "\n";
    return;
  }
  io.out << "header: " << Shown(header) << "\nclaims: " << Shown(claims) << "\n";
  if (good.ok()) io.out << "the token is good\n";
}

}  // namespace

ExitCode TokenVerify(const TokenVerifyOptions& options, const TokenVerifyIo& io) {
  const absl::Time now = io.clock.Now();
  const absl::StatusOr<std::vector<jose::Jwk>> keys = ReadKeySet(options, now);
  if (!keys.ok()) return Fail(io.err, keys.status());
  const absl::StatusOr<std::string> token = ReadToken(options, io.in);
  if (!token.ok()) return Fail(io.err, token.status());
  const absl::Status good =
      token::VerifyToken(*token, *keys, {.now = now, .issuer = options.issuer}).status();
  const absl::StatusOr<token::TokenText> text = token::ReadToken(*token);
  if (text.ok()) Print(*text, good, io);
  if (good.ok()) return ExitCode::kSuccess;
  Fail(io.err, good);
  return ExitCode::kRejected;
}

}  // namespace bootgate::gatekeeper::cli
