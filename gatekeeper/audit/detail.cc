#include "gatekeeper/audit/detail.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/json_text.h"

namespace bootgate::gatekeeper::audit {

Detail& Detail::Member(absl::string_view name, absl::string_view json) {
  absl::StrAppend(&members_, members_.empty() ? "" : ",", JsonString(name), ":", json);
  return *this;
}

Detail& Detail::Text(absl::string_view name, absl::string_view value) {
  return Member(name, JsonString(value));
}

Detail& Detail::Number(absl::string_view name, int64_t value) {
  return Member(name, absl::StrCat(value));
}

Detail& Detail::Flag(absl::string_view name, bool value) {
  return Member(name, value ? "true" : "false");
}

Detail& Detail::Texts(absl::string_view name, const std::vector<std::string>& values) {
  const auto as_json = [](std::string* out, const std::string& value) {
    out->append(JsonString(value));
  };
  return Member(name, absl::StrCat("[", absl::StrJoin(values, ",", as_json), "]"));
}

Detail& Detail::Object(absl::string_view name, const Detail& value) {
  return Member(name, value.Json());
}

std::string Detail::Json() const { return absl::StrCat("{", members_, "}"); }

}  // namespace bootgate::gatekeeper::audit
