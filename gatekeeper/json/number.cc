// Numbers: read, compared, written.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>

#include "absl/strings/charconv.h"
#include "absl/strings/numbers.h"
#include "gatekeeper/json/canonical.h"
#include "gatekeeper/json/compare.h"
#include "gatekeeper/json/number_token.h"
#include "gatekeeper/json/parse.h"

namespace bootgate::gatekeeper::json {
namespace {

constexpr double kTwoTo53 = 9007199254740992.0;     // below, a double that is whole is exact
constexpr double kTwoTo63 = 9223372036854775808.0;  // from here on no int64
constexpr size_t kMaxDoubleDigits = 320;            // before the point, and some

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

size_t SkipDigits(absl::string_view text, size_t at) {
  while (at < text.size() && IsDigit(text[at])) ++at;
  return at;
}

// The exact value of a token with point or exponent when it is whole and fits int64. Only asked
// where it has about 16 to 19 digits before the point, so the exponent is small or the mantissa as
// long as the exponent is.
std::optional<int64_t> WholeValue(absl::string_view token) {
  const bool negative = token[0] == '-';
  if (negative) token.remove_prefix(1);
  const size_t mark = token.find_first_of("eE");
  int64_t power = 0;
  if (mark != absl::string_view::npos && !absl::SimpleAtoi(token.substr(mark + 1), &power)) {
    return std::nullopt;
  }
  std::string digits;
  for (const char c : token.substr(0, mark)) {
    if (c != '.') digits.push_back(c);
  }
  const size_t point = token.substr(0, mark).find('.');
  if (point != absl::string_view::npos) power -= static_cast<int64_t>(digits.size() - point);
  digits.erase(0, digits.find_first_not_of('0'));
  while (power < 0 && !digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++power;
  }
  constexpr int64_t kMaxDigits = 19;  // of a signed 64-bit integer
  if (power < 0 || power > kMaxDigits) return std::nullopt;
  digits.append(static_cast<size_t>(power), '0');
  if (negative) digits.insert(digits.begin(), '-');
  int64_t value = 0;
  if (!absl::SimpleAtoi(digits, &value)) return std::nullopt;
  return value;
}

std::optional<Value> RealValue(absl::string_view token) {
  double value = 0;
  const auto read = absl::from_chars(token.data(), token.data() + token.size(), value);
  if (read.ec == std::errc::result_out_of_range && std::abs(value) >= 1) return std::nullopt;
  const double size = std::abs(value);
  if (size >= kTwoTo53 && size <= kTwoTo63) {
    if (const auto whole = WholeValue(token)) return Value::Integer(*whole);
  }
  return Value::Number(value);
}

std::string WholeDigits(double value) {
  char digits[kMaxDoubleDigits];
  const auto end =
      std::to_chars(digits, digits + sizeof(digits), value, std::chars_format::fixed, 0);
  return std::string(digits, end.ptr);
}

std::strong_ordering CompareDigits(absl::string_view a, absl::string_view b) {
  const bool negative = a[0] == '-';
  if (negative != (b[0] == '-')) {
    return negative ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (negative) std::swap(a, b);  // the larger size is the smaller number
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

std::strong_ordering CompareIntegerReal(int64_t integer, double real) {
  if (real >= kTwoTo63) return std::strong_ordering::less;
  if (real < -kTwoTo63) return std::strong_ordering::greater;
  return integer <= static_cast<int64_t>(std::floor(real)) ? std::strong_ordering::less
                                                           : std::strong_ordering::greater;
}

std::strong_ordering CompareReals(double a, double b) {
  if (a == b) return std::strong_ordering::equal;
  return a < b ? std::strong_ordering::less : std::strong_ordering::greater;
}

std::strong_ordering Sign(bool negative) {
  return negative ? std::strong_ordering::less : std::strong_ordering::greater;
}

std::strong_ordering CompareBigReal(absl::string_view digits, double real) {
  if (std::abs(real) < kTwoTo63) return Sign(digits[0] == '-');
  return CompareDigits(digits, WholeDigits(real));
}

std::strong_ordering CompareWithBig(const Value& big, const Value& other) {
  if (other.kind() == Kind::kInteger) return Sign(big.text()[0] == '-');
  if (other.kind() == Kind::kReal) return CompareBigReal(big.text(), other.real());
  return CompareDigits(big.text(), other.text());
}

}  // namespace

NumberToken ScanNumber(absl::string_view text, size_t at) {
  const size_t start = at;
  if (at < text.size() && text[at] == '-') ++at;
  const size_t digits = at;
  at = SkipDigits(text, at);
  if (at == digits || (text[digits] == '0' && at > digits + 1)) return {};
  NumberToken token;
  if (at < text.size() && text[at] == '.') {
    token.whole = false;
    const size_t fraction = ++at;
    at = SkipDigits(text, at);
    if (at == fraction) return {};
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    token.whole = false;
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const size_t exponent = at;
    at = SkipDigits(text, at);
    if (at == exponent) return {};
  }
  token.text = text.substr(start, at - start);
  return token;
}

std::optional<Value> NumberValue(const NumberToken& token) {
  if (!token.whole) return RealValue(token.text);
  int64_t value = 0;
  const char* const end = token.text.data() + token.text.size();
  const auto read = std::from_chars(token.text.data(), end, value);
  if (read.ec == std::errc()) return Value::Integer(value);
  return Value::BigInteger(token.text);
}

absl::StatusOr<Value> ParseNumber(absl::string_view text) {
  const NumberToken token = ScanNumber(text, 0);
  if (token.text.empty() || token.text.size() != text.size()) {
    return absl::InvalidArgumentError("not a number");
  }
  if (const auto value = NumberValue(token)) return *value;
  return absl::OutOfRangeError("no double can hold this number");
}

std::strong_ordering CompareNumbers(const Value& a, const Value& b) {
  if (a.kind() == Kind::kInteger && b.kind() == Kind::kInteger) return a.integer() <=> b.integer();
  if (a.kind() == Kind::kReal && b.kind() == Kind::kReal) return CompareReals(a.real(), b.real());
  if (a.kind() == Kind::kBigInteger) return CompareWithBig(a, b);
  if (b.kind() == Kind::kBigInteger) return 0 <=> CompareWithBig(b, a);
  if (a.kind() == Kind::kInteger) return CompareIntegerReal(a.integer(), b.real());
  return 0 <=> CompareIntegerReal(b.integer(), a.real());
}

double AsDouble(const Value& number) {
  if (number.kind() == Kind::kInteger) return static_cast<double>(number.integer());
  if (number.kind() == Kind::kReal) return number.real();
  const absl::string_view digits = number.text();
  double value = 0;
  const auto read = absl::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc::result_out_of_range) return value;
  return std::copysign(std::numeric_limits<double>::infinity(), value);
}

std::string RealText(double value) {
  const double size = std::abs(value);
  const bool plain = value == 0 || (size >= 1e-4 && size < 1e16);
  char text[kMaxDoubleDigits];
  const auto end = std::to_chars(text, text + sizeof(text), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  return std::string(text, end.ptr);
}

}  // namespace bootgate::gatekeeper::json
