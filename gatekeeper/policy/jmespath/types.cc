#include "gatekeeper/policy/jmespath/types.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_join.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

using json::Kind;
using json::Value;

struct TypeWord {
  Types type;
  absl::string_view words;
};

constexpr TypeWord kWords[] = {
    {kNumberType, "a number"},
    {kStringType, "a string"},
    {kBooleanType, "a boolean"},
    {kArrayType, "an array"},
    {kObjectType, "an object"},
    {kNullType, "null"},
    {kNumbersType, "an array of numbers"},
    {kStringsType, "an array of strings"},
    {kExpressionType, "an expression (&...)"},
};

Types TypeOf(const Value& value) {
  switch (value.kind()) {
    case Kind::kNull:
      return kNullType;
    case Kind::kFalse:
    case Kind::kTrue:
      return kBooleanType;
    case Kind::kInteger:
    case Kind::kBigInteger:
    case Kind::kReal:
      return kNumberType;
    case Kind::kString:
      return kStringType;
    case Kind::kArray:
      return kArrayType;
    case Kind::kObject:
      return kObjectType;
  }
  return kNullType;
}

bool AllOf(const Value& array, Types type) {
  return std::all_of(array.items().begin(), array.items().end(),
                     [type](const Value& item) { return TypeOf(item) == type; });
}

}  // namespace

absl::string_view TypeName(const Value& value) {
  switch (TypeOf(value)) {
    case kBooleanType:
      return "boolean";
    case kNumberType:
      return "number";
    case kStringType:
      return "string";
    case kArrayType:
      return "array";
    case kObjectType:
      return "object";
    default:
      return "null";
  }
}

bool FitsType(const Value& value, Types wanted) {
  if ((TypeOf(value) & wanted) != 0) return true;
  if (!value.is_array()) return false;
  return ((wanted & kNumbersType) != 0 && AllOf(value, kNumberType)) ||
         ((wanted & kStringsType) != 0 && AllOf(value, kStringType));
}

std::string TypeWords(Types wanted) {
  if (wanted == kAnyType) return "any value";
  std::vector<absl::string_view> words;
  for (const TypeWord& row : kWords) {
    if ((wanted & row.type) != 0) words.push_back(row.words);
  }
  return absl::StrJoin(words, " or ");
}

absl::string_view MisfitWords(const Value& value, Types wanted) {
  if (value.is_array() && (wanted & (kNumbersType | kStringsType)) != 0) {
    return "an array with others";
  }
  for (const TypeWord& row : kWords) {
    if (row.type == TypeOf(value)) return row.words;
  }
  return "";
}

bool IsTruth(const Value& value) {
  switch (value.kind()) {
    case Kind::kNull:
    case Kind::kFalse:
      return false;
    case Kind::kString:
      return !value.text().empty();
    case Kind::kArray:
      return !value.items().empty();
    case Kind::kObject:
      return !value.members().empty();
    default:
      return true;
  }
}

}  // namespace bootgate::gatekeeper::policy::jmespath
