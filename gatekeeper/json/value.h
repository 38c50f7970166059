// A JSON value: 16 bytes, copied freely, borrowing the memory of an arena.
//
// Numbers have one form for each value, so that equal numbers look alike: an integer that fits into
// 64 bits is an integer however it was written (3, 3.0, 3e0); a larger one that was written as
// digits keeps its digits; everything else is a double.
//
// A *deferred object* is made by its source when somebody first looks at its members, and kept. A
// value that holds one is therefore for one thread at a time.
#pragma once

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gatekeeper/json/arena.h"

namespace bootgate::gatekeeper::json {

enum class Kind : uint8_t {
  kNull,
  kFalse,
  kTrue,
  kInteger,     // fits int64
  kBigInteger,  // digits with an optional '-', no leading zero; does not fit int64
  kReal,        // finite; not an integer that fits int64
  kString,      // UTF-8
  kArray,
  kObject,  // also deferred ones; no name occurs twice
};

struct Member;
class ObjectSource;
struct DeferredObject;

class Value {
 public:
  constexpr Value() : size_(0), kind_(Kind::kNull), deferred_(false), integer_(0) {}

  static Value Bool(bool value) { return Value(value ? Kind::kTrue : Kind::kFalse, 0); }
  static Value Integer(int64_t value);
  static Value Number(double value);  // integer or real, as above; null when not finite
  // What these four point to must live as long as the value. At most 2^32 - 1 elements or bytes.
  static Value BigInteger(absl::string_view digits);
  static Value String(absl::string_view text);
  static Value Array(absl::Span<const Value> items);
  static Value Object(absl::Span<const Member> members);
  // `source` must outlive the arena's use. Null when the arena is exhausted.
  static Value Deferred(const ObjectSource& source, uint64_t key, Arena& arena);

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_true() const { return kind_ == Kind::kTrue; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_object() const { return kind_ == Kind::kObject; }
  bool is_number() const { return kind_ >= Kind::kInteger && kind_ <= Kind::kReal; }

  // Each only for its kind.
  int64_t integer() const { return integer_; }
  double real() const { return real_; }
  absl::string_view text() const { return {text_, size_}; }  // of strings and big integers
  absl::Span<const Value> items() const { return {items_, size_}; }
  absl::Span<const Member> members() const;  // makes them first when deferred

  // Makes the members of a deferred object; false when they did not fit into its arena.
  bool Force() const { return !deferred_ || ForceDeferred(); }
  // Whether it is a deferred object whose members nobody has looked at.
  bool is_waiting() const;

  // The member of that name; null for none and for what is no object.
  const Value* Find(absl::string_view name) const;

 private:
  constexpr Value(Kind kind, uint32_t size)
      : size_(size), kind_(kind), deferred_(false), integer_(0) {}
  bool ForceDeferred() const;

  uint32_t size_;
  Kind kind_;
  bool deferred_;
  union {
    int64_t integer_;
    double real_;
    const char* text_;
    const Value* items_;
    const Member* members_;
    DeferredObject* object_;
  };
};
static_assert(sizeof(Value) == 16);

struct Member {
  absl::string_view name;
  Value value;
};

// Makes the members of deferred objects.
class ObjectSource {
 public:
  virtual ~ObjectSource() = default;
  // Members with different names, in `arena` or living as long as it does. Called at most once for
  // each deferred object. When `arena` is exhausted the result does not matter.
  virtual absl::Span<const Member> MakeMembers(uint64_t key, Arena& arena) const = 0;
};

// Fills an array or an object whose size is not known before. Finish() gives null when the arena is
// exhausted. Names are borrowed, and the caller gives none twice.
class ArrayBuilder {
 public:
  explicit ArrayBuilder(Arena& arena) : arena_(arena) {}
  void Add(Value value) { items_.push_back(value); }
  size_t size() const { return items_.size(); }
  Value Finish() const;

 private:
  Arena& arena_;
  absl::InlinedVector<Value, 16> items_;
};

class ObjectBuilder {
 public:
  explicit ObjectBuilder(Arena& arena) : arena_(arena) {}
  void Add(absl::string_view name, Value value) { members_.push_back({name, value}); }
  size_t size() const { return members_.size(); }
  absl::Span<const Member> FinishMembers() const;  // empty when the arena is exhausted
  Value Finish() const;

 private:
  Arena& arena_;
  absl::InlinedVector<Member, 8> members_;
};

// Copies of text, array and object into the arena; null when it is exhausted.
Value MakeString(absl::string_view text, Arena& arena);
Value MakeArray(absl::Span<const Value> items, Arena& arena);
Value MakeObject(absl::Span<const Member> members, Arena& arena);

}  // namespace bootgate::gatekeeper::json
