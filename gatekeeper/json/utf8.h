// UTF-8, as RFC 3629 has it: no surrogates, no long forms, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::json {

// Bytes of the code point that starts at `at`, 1 to 4; 0 when there is no valid one.
size_t CodePointBytes(absl::string_view text, size_t at);

// The code point that starts at `at`, which must be inside the text; moves `at` behind it. A byte
// that starts none is U+DC00 plus the byte, which no text holds: it equals nothing but itself.
char32_t ReadCodePoint(absl::string_view text, size_t& at);

bool IsUtf8(absl::string_view text);

// Code points of valid UTF-8.
size_t CountCodePoints(absl::string_view text);

// `code_point` must be no surrogate and at most U+10FFFF.
void AppendCodePoint(char32_t code_point, std::string* out);

}  // namespace bootgate::gatekeeper::json
