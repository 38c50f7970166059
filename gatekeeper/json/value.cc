#include "gatekeeper/json/value.h"

#include <algorithm>
#include <cmath>

namespace bootgate::gatekeeper::json {

struct DeferredObject {
  const ObjectSource* source = nullptr;
  uint64_t key = 0;
  Arena* arena = nullptr;
  absl::Span<const Member> members;
  bool made = false;
};

Value Value::Integer(int64_t value) {
  Value out(Kind::kInteger, 0);
  out.integer_ = value;
  return out;
}

Value Value::Number(double value) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (!std::isfinite(value)) return {};
  if (value >= -kTwoTo63 && value < kTwoTo63 && std::trunc(value) == value) {
    return Integer(static_cast<int64_t>(value));
  }
  Value out(Kind::kReal, 0);
  out.real_ = value;
  return out;
}

Value Value::BigInteger(absl::string_view digits) {
  Value out(Kind::kBigInteger, static_cast<uint32_t>(digits.size()));
  out.text_ = digits.data();
  return out;
}

Value Value::String(absl::string_view text) {
  Value out(Kind::kString, static_cast<uint32_t>(text.size()));
  out.text_ = text.data();
  return out;
}

Value Value::Array(absl::Span<const Value> items) {
  Value out(Kind::kArray, static_cast<uint32_t>(items.size()));
  out.items_ = items.data();
  return out;
}

Value Value::Object(absl::Span<const Member> members) {
  Value out(Kind::kObject, static_cast<uint32_t>(members.size()));
  out.members_ = members.data();
  return out;
}

Value Value::Deferred(const ObjectSource& source, uint64_t key, Arena& arena) {
  const absl::Span<DeferredObject> object = arena.NewArray<DeferredObject>(1);
  if (object.empty()) return {};
  object[0].source = &source;
  object[0].key = key;
  object[0].arena = &arena;
  Value out(Kind::kObject, 0);
  out.deferred_ = true;
  out.object_ = object.data();
  return out;
}

absl::Span<const Member> Value::members() const {
  if (!deferred_) return {members_, size_};
  ForceDeferred();
  return object_->members;
}

bool Value::ForceDeferred() const {
  if (!object_->made) {
    object_->made = true;
    object_->members = object_->source->MakeMembers(object_->key, *object_->arena);
  }
  return !object_->arena->exhausted();
}

bool Value::is_waiting() const { return deferred_ && !object_->made; }

const Value* Value::Find(absl::string_view name) const {
  if (!is_object()) return nullptr;
  for (const Member& member : members()) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

Value ArrayBuilder::Finish() const { return MakeArray(items_, arena_); }

absl::Span<const Member> ObjectBuilder::FinishMembers() const {
  const absl::Span<Member> copy = arena_.NewArray<Member>(members_.size());
  if (!copy.empty()) std::copy(members_.begin(), members_.end(), copy.begin());
  return copy;
}

Value ObjectBuilder::Finish() const { return MakeObject(members_, arena_); }

Value MakeString(absl::string_view text, Arena& arena) {
  const absl::string_view copy = arena.Keep(text);
  return arena.exhausted() ? Value() : Value::String(copy);
}

Value MakeArray(absl::Span<const Value> items, Arena& arena) {
  const absl::Span<Value> copy = arena.NewArray<Value>(items.size());
  if (arena.exhausted()) return {};
  std::copy(items.begin(), items.end(), copy.begin());
  return Value::Array(copy);
}

Value MakeObject(absl::Span<const Member> members, Arena& arena) {
  const absl::Span<Member> copy = arena.NewArray<Member>(members.size());
  if (arena.exhausted()) return {};
  std::copy(members.begin(), members.end(), copy.begin());
  return Value::Object(copy);
}

}  // namespace bootgate::gatekeeper::json
