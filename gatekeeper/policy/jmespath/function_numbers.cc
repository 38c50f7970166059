// Functions that calculate. Integers stay exact while they fit into 64 bits.
#include <cmath>
#include <optional>

#include "gatekeeper/json/compare.h"
#include "gatekeeper/json/parse.h"
#include "gatekeeper/policy/jmespath/function_rows.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

using json::Kind;
using json::Value;

constexpr absl::string_view kTwoTo63 = "9223372036854775808";
constexpr int64_t kDigitsAStep = 16;  // read

// Nothing when one is no 64-bit integer or the sum is none.
std::optional<int64_t> ExactSum(absl::Span<const Value> numbers) {
  int64_t sum = 0;
  for (const Value& number : numbers) {
    if (number.kind() != Kind::kInteger) return std::nullopt;
    if (__builtin_add_overflow(sum, number.integer(), &sum)) return std::nullopt;
  }
  return sum;
}

double RealSum(absl::Span<const Value> numbers) {
  double sum = 0;
  for (const Value& number : numbers) sum += json::AsDouble(number);
  return sum;
}

// A sum beyond all doubles has no value that JSON could write.
bool Finite(Evaluator& evaluator, double value, Value* out) {
  if (!std::isfinite(value)) return evaluator.Fail(ErrorKind::kInvalidValue, "a number too large");
  *out = Value::Number(value);
  return true;
}

// Big integers are read digit by digit each time.
bool PayDigits(Evaluator& evaluator, absl::Span<const Value> numbers) {
  int64_t steps = static_cast<int64_t>(numbers.size());
  for (const Value& number : numbers) {
    if (number.kind() == Kind::kBigInteger) {
      steps += static_cast<int64_t>(number.text().size()) / kDigitsAStep;
    }
  }
  return evaluator.Step(steps);
}

}  // namespace

bool RunAbs(Evaluator&, Arguments arguments, Value* out) {
  const Value& number = arguments[0].value;
  *out = number;
  if (number.kind() == Kind::kReal) *out = Value::Number(std::abs(number.real()));
  if (number.kind() == Kind::kBigInteger && number.text()[0] == '-') {
    *out = Value::BigInteger(number.text().substr(1));
  }
  if (number.kind() == Kind::kInteger && number.integer() < 0) {
    *out = number.integer() == INT64_MIN ? Value::BigInteger(kTwoTo63)
                                         : Value::Integer(-number.integer());
  }
  return true;
}

bool RunCeil(Evaluator&, Arguments arguments, Value* out) {
  const Value& number = arguments[0].value;
  *out = number.kind() == Kind::kReal ? Value::Number(std::ceil(number.real())) : number;
  return true;
}

bool RunFloor(Evaluator&, Arguments arguments, Value* out) {
  const Value& number = arguments[0].value;
  *out = number.kind() == Kind::kReal ? Value::Number(std::floor(number.real())) : number;
  return true;
}

bool RunSum(Evaluator& evaluator, Arguments arguments, Value* out) {
  const absl::Span<const Value> numbers = arguments[0].value.items();
  if (!PayDigits(evaluator, numbers)) return false;
  if (const auto exact = ExactSum(numbers)) {
    *out = Value::Integer(*exact);
    return true;
  }
  return Finite(evaluator, RealSum(numbers), out);
}

// Null for no numbers.
bool RunAvg(Evaluator& evaluator, Arguments arguments, Value* out) {
  const absl::Span<const Value> numbers = arguments[0].value.items();
  *out = Value();
  if (numbers.empty()) return true;
  if (!PayDigits(evaluator, numbers)) return false;
  const auto count = static_cast<int64_t>(numbers.size());
  const auto exact = ExactSum(numbers);
  if (exact && *exact % count == 0) {
    *out = Value::Integer(*exact / count);
    return true;
  }
  const double sum = exact ? static_cast<double>(*exact) : RealSum(numbers);
  return Finite(evaluator, sum / static_cast<double>(count), out);
}

bool RunToNumber(Evaluator& evaluator, Arguments arguments, Value* out) {
  const Value& value = arguments[0].value;
  *out = value.is_number() ? value : Value();
  if (!value.is_string()) return true;
  if (!evaluator.Step(static_cast<int64_t>(value.text().size()) / kDigitsAStep)) return false;
  const auto number = json::ParseNumber(value.text());
  if (number.ok()) *out = *number;
  return true;
}

}  // namespace bootgate::gatekeeper::policy::jmespath
