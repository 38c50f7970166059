// Matchers for the end of a program, and the exit codes by name.
#pragma once

#include "common/base/exit_code.h"
#include "gmock/gmock.h"
#include "tests/e2e/program.h"

namespace bootgate::e2e {

MATCHER_P(EndsWith, code, "") { return arg.exit_code == static_cast<int>(code); }
inline auto Succeeds() { return EndsWith(ExitCode::kSuccess); }

}  // namespace bootgate::e2e
