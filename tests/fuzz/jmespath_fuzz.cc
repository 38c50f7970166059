// Any text is a query or refused at a place inside it. A query printed is read back to the same
// tree; evaluated twice it gives the same text; it never spends more than its budget.
//
// The first line is a JSON document, each of the next lines a query on it, in one
// dialect and the other by turns.
#include <algorithm>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/parse.h"
#include "gatekeeper/policy/jmespath/expression.h"
#include "tests/fuzz/require.h"

namespace {

using bootgate::AsText;
using bootgate::fuzz::Require;
namespace json = bootgate::gatekeeper::json;
namespace jmespath = bootgate::gatekeeper::policy::jmespath;

constexpr size_t kQueries = 4;  // of one input
constexpr int64_t kSteps = 5'000;
constexpr int64_t kBytes = 1 << 16;
constexpr size_t kArenaBytes = 1 << 20;

absl::string_view TakeLine(absl::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const absl::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

void RequireInside(const jmespath::Error& error, absl::string_view query) {
  Require(error.position <= query.size());
  Require(!error.message.empty() && !Name(error.kind).empty());
  for (const char c : jmespath::MarkPosition(query, error.position)) {
    Require(static_cast<uint8_t>(c) >= 0x20 || c == '\n');
  }
}

// The text of the result, or the error; what it cost is within the budget.
std::string Outcome(const jmespath::Expression& expression, absl::string_view document) {
  json::Arena arena(kArenaBytes);
  json::Budget budget(kSteps, kBytes);
  const auto given = json::Parse(document, arena);
  const json::Value value = given.ok() ? *given : json::Value();
  json::Arena results(kArenaBytes);
  const auto result = Evaluate(expression, value, results, budget);
  Require(results.used_bytes() <= static_cast<size_t>(2 * kBytes));
  if (const auto* error = std::get_if<jmespath::Error>(&result)) {
    RequireInside(*error, expression.text());
    Require(error->kind != jmespath::ErrorKind::kBudget || budget.spent());
    return error->message;
  }
  const auto text = json::CanonicalText(std::get<json::Value>(result), budget);
  Require(text || budget.spent());
  return text.value_or("too long") + std::to_string(budget.steps_left());
}

void RequirePrintsAndRepeats(const jmespath::Expression& expression, absl::string_view document) {
  const std::string printed = Print(expression);
  const auto again = jmespath::Expression::Compile(printed, expression.dialect());
  if (const auto* error = std::get_if<jmespath::Error>(&again)) {
    Require(error->message == "nested too deeply");  // by the parentheses of the printed text
  } else {
    Require(SameTree(expression, std::get<jmespath::Expression>(again)));
    Require(Print(std::get<jmespath::Expression>(again)) == printed);
  }
  Require(Outcome(expression, document) == Outcome(expression, document));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view text = AsText({data, size});
  const absl::string_view document = TakeLine(text);
  for (size_t count = 0; count < kQueries && !text.empty(); ++count) {
    const absl::string_view query = TakeLine(text);
    const auto dialect = count % 2 == 0 ? jmespath::Dialect::kPolicy : jmespath::Dialect::kStandard;
    const auto compiled = jmespath::Expression::Compile(query, dialect);
    if (const auto* error = std::get_if<jmespath::Error>(&compiled)) {
      RequireInside(*error, query);
    } else {
      RequirePrintsAndRepeats(std::get<jmespath::Expression>(compiled), document);
    }
  }
  return 0;
}
