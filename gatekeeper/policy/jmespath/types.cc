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
    {kNumber, "a number"},
    {kString, "a string"},
    {kBoolean, "a boolean"},
    {kArray, "an array"},
    {kObject, "an object"},
    {kNull, "null"},
    {kNumbers, "an array of numbers"},
    {kStrings, "an array of strings"},
    {kExpressionType, "an expression (&...)"},
};

Types TypeOf(const Value& value) {
  switch (value.kind()) {
    case Kind::kNull:
      return kNull;
    case Kind::kFalse:
    case Kind::kTrue:
      return kBoolean;
    case Kind::kInteger:
    case Kind::kBigInteger:
    case Kind::kReal:
      return kNumber;
    case Kind::kString:
      return kString;
    case Kind::kArray:
      return kArray;
    case Kind::kObject:
      return kObject;
  }
  return kNull;
}

bool AllOf(const Value& array, Types type) {
  return std::all_of(array.items().begin(), array.items().end(),
                     [type](const Value& item) { return TypeOf(item) == type; });
}

}  // namespace

absl::string_view TypeName(const Value& value) {
  switch (TypeOf(value)) {
    case kBoolean:
      return "boolean";
    case kNumber:
      return "number";
    case kString:
      return "string";
    case kArray:
      return "array";
    case kObject:
      return "object";
    default:
      return "null";
  }
}

bool FitsType(const Value& value, Types wanted) {
  if ((TypeOf(value) & wanted) != 0) return true;
  if (!value.is_array()) return false;
  return ((wanted & kNumbers) != 0 && AllOf(value, kNumber)) ||
         ((wanted & kStrings) != 0 && AllOf(value, kString));
}

std::string TypeWords(Types wanted) {
  if (wanted == kAny) return "any value";
  std::vector<absl::string_view> words;
  for (const TypeWord& row : kWords) {
    if ((wanted & row.type) != 0) words.push_back(row.words);
  }
  return absl::StrJoin(words, " or ");
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
