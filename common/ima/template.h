// Templates: which fields the data of an entry has, told by the template's name.
//
// Implements: Linux Documentation/security/IMA-templates.rst; security/integrity/ima/ima_template.c
// for the built-in templates and the field names. A kernel started with ima_template_fmt= writes
// the format itself, field names joined by '|', where the name would be.
//
// The name is not hashed: whoever sends a list may call an entry's data anything. Readers of a
// field must therefore refuse what that field cannot hold (fields.h), and what names neither a
// digest nor a path stays Template::kOther, which nobody judges as a file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace bootgate::ima {

inline constexpr size_t kMaxFields = 15;  // in one template, the kernel's own bound

//   kCustom  a format of known fields, each at most once, one digest and one path among them
//   kOther   any other: entries are kept, hashed and replayed; known fields are read
enum class Template : uint8_t {
  kIma,
  kImaNg,
  kImaNgV2,
  kImaSig,
  kImaSigV2,
  kImaBuf,
  kImaModsig,
  kEvmSig,
  kCustom,
  kOther,
};

enum class Field : uint8_t {
  kDigest,             // d
  kName,               // n
  kDigestNg,           // d-ng
  kDigestNgV2,         // d-ngv2
  kNameNg,             // n-ng
  kSignature,          // sig
  kBuffer,             // buf
  kAppendedDigest,     // d-modsig
  kAppendedSignature,  // modsig
  kEvmSignature,       // evmsig
  kOwner,              // iuid
  kGroup,              // igid
  kMode,               // imode
  kXattrNames,         // xattrnames
  kXattrLengths,       // xattrlengths
  kXattrValues,        // xattrvalues
  kUnknown,
};

struct Layout {
  Template kind = Template::kOther;
  uint8_t count = 0;  // 0: a name that tells nothing about the data
  std::array<Field, kMaxFields> fields{};
};

Layout LayoutOf(absl::string_view template_name);

}  // namespace bootgate::ima
