#include "gatekeeper/policy/json_value.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "gatekeeper/policy/json_number.h"

namespace bootgate::gatekeeper::policy {
namespace {

constexpr int kNumberOutOfRange = 406;  // the library's id for a number no double can hold

// Takes the library's events. Keeps the first problem and reads on: text that is not JSON at all
// wins over what it would have held.
class Collector : public nlohmann::json_sax<nlohmann::json> {
 public:
  Computed Finish() && {
    if (failure_) return *std::move(failure_);
    return std::move(values_);
  }

  bool null() override { return true; }
  bool boolean(bool value) override { return Keep(value); }
  bool number_integer(number_integer_t value) override { return Keep(int64_t{value}); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<uint64_t>(INT64_MAX)) return Overflow();
    return Keep(static_cast<int64_t>(value));
  }
  bool number_float(number_float_t, const string_t& text) override {
    const auto exact = ExactInteger(text);
    if (const int64_t* value = std::get_if<int64_t>(&exact)) return Keep(*value);
    if (std::get<NumberProblem>(exact) == NumberProblem::kOverflow) return Overflow();
    return Problem("type", "the JSON holds a number with a fraction");
  }
  bool string(string_t& value) override { return Keep(std::move(value)); }
  bool binary(binary_t&) override { return true; }  // no such thing in JSON text
  bool start_object(std::size_t) override {
    return Problem("type", "a JSON object is no claim value");
  }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override {
    if (depth_++ == 0) return true;
    return Problem("type", "an array inside an array is no claim value");
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::detail::exception& error) override {
    if (error.id == kNumberOutOfRange) return Overflow() && false;
    failure_ = Failure{"json", "the text is not JSON"};
    return false;
  }

 private:
  bool Keep(ClaimValue value) {
    if (!failure_)
      values_.emplace_back().value = std::move(value);  // in place: g++ 12 misreads a move
    return true;
  }
  bool Overflow() { return Problem("overflow", "a JSON number does not fit into signed 64 bits"); }
  bool Problem(const char* kind, const char* message) {
    if (!failure_) failure_ = Failure{kind, message};
    return true;
  }

  Values values_;
  std::optional<Failure> failure_;
  size_t depth_ = 0;
};

}  // namespace

Computed ValuesFromJson(absl::string_view text) {
  Collector collector;
  nlohmann::json::sax_parse(text.begin(), text.end(), &collector);
  return std::move(collector).Finish();
}

}  // namespace bootgate::gatekeeper::policy
