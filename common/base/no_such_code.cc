#include "common/base/no_such_code.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/nearest.h"
#include "common/base/reason.h"

namespace bootgate {

std::string NoSuchCode(absl::string_view code) {
  constexpr size_t kShown = 64;  // bytes
  std::vector<std::string> codes;
  for (const ReasonInfo& row : AllReasons()) codes.emplace_back(row.code);
  const std::string near = NearestName(code, codes);
  return absl::StrCat("'", Printable(code, kShown), "' is no reason code",
                      near.empty() ? "; `bootgate-gatekeeper reason list` has them"
                                   : absl::StrCat("; did you mean ", near, "?"));
}

}  // namespace bootgate
