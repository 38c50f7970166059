// The records that Windows' boot programs measure, by number: their names and what they carry.
//
// Implements: policy language specification, section 9 (the whole table); Microsoft's wbcl.h for
// the numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "absl/strings/string_view.h"

namespace bootgate::eventlog::sipa {

// Bits of a record's number.
inline constexpr uint32_t kNotMeasured = 0x80000000;  // in no register: told by the host alone
inline constexpr uint32_t kAggregation = 0x40000000;
inline constexpr uint32_t kClassMask = 0x000f0000;

inline constexpr uint32_t kTrustBoundary = 0x40010001;
inline constexpr uint32_t kLoadedModule = 0x40010003;
inline constexpr uint32_t kTrustPoint = 0xc0010004;

// What a record carries.
enum class Form {
  kBoolean,      // first byte not 0
  kNumber,       // little-endian, 1 to 8 bytes
  kEnumeration,  // a number with names
  kFlags,        // a number whose bits have names
  kText,         // UTF-16, little-endian
  kBytes,        // anything
  kStructure,    // a structure that is handed on as it is
  kSignedState,  // a structure with a signature that only its maker's key could prove
  kContainer,    // records
};

struct NamedValue {
  uint64_t value;
  absl::string_view name;
};

struct RecordType {
  uint32_t id;
  absl::string_view name;  // in JSON: "EVENT_BOOTDEBUGGING"
  Form form;
  bool always_list = false;  // an array in JSON also when there is one
  std::span<const NamedValue> names = {};
};

// All of them, in ascending order of their numbers.
std::span<const RecordType> RecordTypes();

// nullptr for a number without a name.
const RecordType* FindRecordType(uint32_t id);

// The name, or "EVENT_0x........".
std::string RecordName(uint32_t id);

// A value's name: of flags, the names of all set bits joined with "|". Empty when it, or a bit of
// it, has none.
std::string ValueName(const RecordType& type, uint64_t value);

// Whether a number can be one of these records: tags of Linux boot loaders never look like it.
bool LooksLikeRecord(uint32_t id);

}  // namespace bootgate::eventlog::sipa
