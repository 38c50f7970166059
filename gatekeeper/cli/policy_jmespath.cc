#include "gatekeeper/cli/policy_jmespath.h"

#include <optional>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/parse.h"
#include "gatekeeper/policy/jmespath/expression.h"

namespace bootgate::gatekeeper::cli {
namespace {

namespace jmespath = policy::jmespath;

constexpr size_t kMaxInputBytes = size_t{64} << 20;
constexpr size_t kMaxInputArenaBytes = size_t{512} << 20;
// More than a policy has: here somebody waits for the answer.
constexpr int64_t kSteps = 200'000'000;
constexpr int64_t kBytes = int64_t{512} << 20;

// Nothing when the input is longer than kMaxInputBytes.
std::optional<std::string> ReadInput(std::istream& in) {
  constexpr size_t kPiece = size_t{1} << 16;
  std::string text;
  char piece[kPiece];
  while (in.read(piece, sizeof(piece)) || in.gcount() > 0) {
    text.append(piece, static_cast<size_t>(in.gcount()));
    if (text.size() > kMaxInputBytes) return std::nullopt;
  }
  return text;
}

ExitCode SayError(const jmespath::Error& error, const std::string& query, ExitCode code,
                  std::ostream& err) {
  err << "error: " << jmespath::Name(error.kind) << ": " << error.message << "\n";
  for (const absl::string_view line :
       absl::StrSplit(jmespath::MarkPosition(query, error.position), '\n')) {
    err << "  " << line << "\n";
  }
  return code;
}

ExitCode SayInput(const std::string& what, std::ostream& err) {
  err << "error: standard input: " << what << "\n";
  return ExitCode::kRejected;
}

ExitCode Answer(const jmespath::Expression& expression, OutputFormat format, absl::string_view text,
                std::ostream& out, std::ostream& err) {
  json::Arena arena(kMaxInputArenaBytes);
  const auto document = json::Parse(text, arena);
  if (!document.ok()) {
    return SayInput(absl::StrCat("no JSON: ", absl::string_view(document.status().message())), err);
  }
  json::Arena results(kMaxInputArenaBytes);
  json::Budget budget(kSteps, kBytes);
  const auto result = jmespath::Evaluate(expression, *document, results, budget);
  if (const auto* error = std::get_if<jmespath::Error>(&result)) {
    return SayError(*error, expression.text(), ExitCode::kRejected, err);
  }
  const auto& value = std::get<json::Value>(result);
  const auto shown = format == OutputFormat::kJson ? json::CanonicalText(value, budget)
                                                   : json::IndentedText(value, budget);
  if (!shown) {
    err << "error: budget: the result is too long to be written\n";
    return ExitCode::kRejected;
  }
  out << *shown << "\n";
  return ExitCode::kSuccess;
}

}  // namespace

ExitCode PolicyJmesPath(const PolicyJmesPathOptions& options, OutputFormat format, std::istream& in,
                        std::ostream& out, std::ostream& err) {
  const auto dialect =
      options.dialect == "standard" ? jmespath::Dialect::kStandard : jmespath::Dialect::kPolicy;
  const auto compiled = jmespath::Expression::Compile(options.query, dialect);
  if (const auto* error = std::get_if<jmespath::Error>(&compiled)) {
    return SayError(*error, options.query, ExitCode::kUsage, err);
  }
  const auto text = ReadInput(in);
  if (!text) return SayInput("longer than 64 MiB", err);
  return Answer(std::get<jmespath::Expression>(compiled), format, *text, out, err);
}

}  // namespace bootgate::gatekeeper::cli
