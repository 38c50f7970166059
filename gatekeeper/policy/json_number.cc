#include "gatekeeper/policy/json_number.h"

#include <algorithm>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace bootgate::gatekeeper::policy {
namespace {

constexpr int64_t kMaxDigits = 19;             // of a signed 64-bit integer
constexpr int64_t kLargestExponent = 1 << 30;  // beyond it only the sign matters

int64_t ReadExponent(absl::string_view text) {
  int64_t exponent = 0;
  if (absl::SimpleAtoi(text, &exponent)) {
    return std::clamp(exponent, -kLargestExponent, kLargestExponent);
  }
  return text.front() == '-' ? -kLargestExponent : kLargestExponent;
}

}  // namespace

// The number is read as sign, digits and a power of ten, zeros at both ends taken off.
std::variant<int64_t, NumberProblem> ExactInteger(absl::string_view text) {
  const bool negative = text.front() == '-';
  if (negative) text.remove_prefix(1);
  const size_t mark = text.find_first_of("eE");
  int64_t power = mark == absl::string_view::npos ? 0 : ReadExponent(text.substr(mark + 1));
  const absl::string_view mantissa = text.substr(0, mark);
  const size_t point = mantissa.find('.');
  std::string digits(mantissa.substr(0, point));
  if (point != absl::string_view::npos) {
    digits.append(mantissa.data() + point + 1, mantissa.size() - point - 1);
    power -= static_cast<int64_t>(mantissa.size() - point - 1);
  }
  digits.erase(0, digits.find_first_not_of('0'));
  if (digits.empty()) return int64_t{0};
  const size_t last = digits.find_last_not_of('0');
  power += static_cast<int64_t>(digits.size() - last - 1);
  digits.resize(last + 1);
  if (power < 0) return NumberProblem::kFraction;
  if (static_cast<int64_t>(digits.size()) + power > kMaxDigits) return NumberProblem::kOverflow;
  digits.append(static_cast<size_t>(power), '0');
  int64_t value = 0;
  if (!absl::SimpleAtoi(absl::StrCat(negative ? "-" : "", digits), &value)) {
    return NumberProblem::kOverflow;
  }
  return value;
}

}  // namespace bootgate::gatekeeper::policy
