// Fields out of one flat JSON object of strings: all of them, and no others.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::agent::identity {

using Fields = std::map<std::string, std::string>;

std::string WriteFields(const Fields& fields);

// STATE_CORRUPT unless `text` is one object that has exactly the fields `names`, all strings.
absl::StatusOr<Fields> ReadFields(const std::string& text,
                                  std::initializer_list<const char*> names);

// A field in hexadecimal, at most `max_bytes`. STATE_CORRUPT.
absl::StatusOr<Bytes> HexField(const Fields& fields, const std::string& name, size_t max_bytes);

}  // namespace bootgate::agent::identity
