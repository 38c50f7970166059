#include <iostream>
#include <nlohmann/json.hpp>

#include "agent/app/verb_support.h"
#include "agent/app/verbs.h"
#include "common/base/hex.h"

namespace bootgate::agent::app {
namespace {

// Why there is none, on standard error: standard output holds the token or nothing.
ExitCode NoToken(const AttestAnswer& answer) {
  std::cerr << "error: no token: " << Printable(answer.outcome) << ", this host is "
            << Printable(answer.trust) << "\n";
  for (const DisclosedFinding& finding : answer.findings)
    std::cerr << "       " << Printable(finding.code) << "  " << Printable(finding.text) << "\n";
  const ExitCode code = CodeOf(answer);
  if (code != ExitCode::kSuccess) return code;
  std::cerr << "       the host was admitted; the gatekeeper makes no tokens\n";
  return ExitCode::kConflict;
}

}  // namespace

ExitCode TokenVerb(const Config& config, const RequestWords& words, OutputFormat format) {
  absl::StatusOr<AttestRequest> request = RequestOf(words);
  if (!request.ok()) return Fail(request.status());
  request->want_token = true;
  const absl::StatusOr<AttestAnswer> answer = AttestOnce(config, *request);
  if (!answer.ok()) return Fail(answer.status());
  if (answer->token.empty()) return NoToken(*answer);
  if (format == OutputFormat::kJson) {
    const nlohmann::ordered_json out = {{"token", answer->token}, {"verdict", answer->verdict_id}};
    std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    std::cout << Printable(answer->token, answer->token.size()) << "\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::agent::app
