// Is this program built with the address sanitizer? Everything takes many times as long there: a
// test that counts a million says how many show the same.
#pragma once

namespace bootgate::testing {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
inline constexpr bool kAddressSanitizer = __has_feature(address_sanitizer);
#else
inline constexpr bool kAddressSanitizer = false;
#endif

}  // namespace bootgate::testing
