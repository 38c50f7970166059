#include "agent/identity/json_fields.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "agent/identity/state_file.h"
#include "common/base/hex.h"

namespace bootgate::agent::identity {

std::string WriteFields(const Fields& fields) {
  using Json = nlohmann::json;
  // Text that is not UTF-8 is replaced, not thrown about: it could not be read back anyway.
  return Json(fields).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<Fields> ReadFields(const std::string& text,
                                  std::initializer_list<const char*> names) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.size() != names.size()) return Corrupt("not the fields we wrote");
  Fields fields;
  for (const char* name : names) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_string()) {
      return Corrupt(absl::StrCat("field ", name, " is missing or no text"));
    }
    fields[name] = found->get<std::string>();
  }
  return fields;
}

absl::StatusOr<Bytes> HexField(const Fields& fields, const std::string& name, size_t max_bytes) {
  const auto found = fields.find(name);
  if (found == fields.end()) return Corrupt(absl::StrCat("field ", name, " is missing"));
  absl::StatusOr<Bytes> bytes = FromHex(found->second);
  if (!bytes.ok() || bytes->size() > max_bytes) {
    return Corrupt(absl::StrCat("field ", name, " is not the bytes it should be"));
  }
  return bytes;
}

}  // namespace bootgate::agent::identity
