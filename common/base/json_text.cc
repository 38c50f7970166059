#include "common/base/json_text.h"

#include <limits>

#include "common/base/hex.h"

namespace bootgate {

std::string JsonString(absl::string_view text) {
  std::string out = "\"";
  for (const char c : Printable(text, std::numeric_limits<size_t>::max())) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

}  // namespace bootgate
