// Matchers for Status and StatusOr; abseil 20220623 has none.
#pragma once

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/reason.h"
#include "gmock/gmock.h"

namespace bootgate::testing {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, negation ? "is an error" : "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

MATCHER_P(HasCode, code, "has status code " + absl::StatusCodeToString(code)) {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}

// The reason code the Status carries.
MATCHER_P(Refuses, reason, std::string("is refused with ") + std::string(Code(reason))) {
  *result_listener << StatusOf(arg).ToString();
  return ReasonOf(StatusOf(arg)) == reason;
}

}  // namespace bootgate::testing

// The value of a StatusOr, or the end of the test with its message.
#define BG_ASSERT_OK_AND_ASSIGN(lhs, expr) \
  BG_ASSERT_OK_IMPL_(BG_ASSERT_CONCAT_(bg_result_, __LINE__), lhs, expr)
#define BG_ASSERT_CONCAT_INNER_(a, b) a##b
#define BG_ASSERT_CONCAT_(a, b) BG_ASSERT_CONCAT_INNER_(a, b)
#define BG_ASSERT_OK_IMPL_(result, lhs, expr)             \
  auto result = (expr);                                   \
  ASSERT_TRUE(result.ok()) << result.status().ToString(); \
  lhs = *std::move(result)
