// The detail of an audit row: a small JSON object, built so that no text can break out of it.
//
//   Detail().Text("why", why).Object("after", Detail().Flag("approved", true)).Json()
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::audit {

// Members stand in the order they were added; giving a name twice is the caller's fault.
class Detail {
 public:
  Detail& Text(absl::string_view name, absl::string_view value);
  Detail& Number(absl::string_view name, int64_t value);
  Detail& Flag(absl::string_view name, bool value);
  Detail& Texts(absl::string_view name, const std::vector<std::string>& values);
  Detail& Object(absl::string_view name, const Detail& value);

  std::string Json() const;

 private:
  Detail& Member(absl::string_view name, absl::string_view json);
  std::string members_;
};

}  // namespace bootgate::gatekeeper::audit
