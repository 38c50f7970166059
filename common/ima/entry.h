// One entry of a list: its record and what the fields of its template say.
#pragma once

#include <optional>

#include "common/ima/record.h"
#include "common/ima/template.h"

namespace bootgate::ima {

// All views borrow the list. Fields are filled when the template has them and all of its data is
// well-formed. A violation's fields are free text that nobody authenticates.
struct Entry : Record {
  uint32_t number = 0;  // from 0 in this list (the cursor adds what came before)
  Template template_kind = Template::kOther;
  absl::string_view digest_name;  // "sha256"
  ByteView file_digest;
  absl::string_view digest_type;  // d-ngv2: "ima", of the content, or "verity"; "" when not told
  absl::string_view path;         // without its NUL; any bytes
  ByteView signature;             // sig
  ByteView buffer;                // buf
  absl::string_view appended_digest_name;  // d-modsig: of the file without its appended signature
  ByteView appended_digest;
  ByteView appended_signature;    // modsig: PKCS #7
  ByteView evm_signature;         // evmsig
  std::optional<uint32_t> owner;  // iuid
  std::optional<uint32_t> group;  // igid
  std::optional<uint32_t> mode;   // imode
  ByteView xattr_names;           // names joined by '|', a NUL at the end
  ByteView xattr_lengths;         // 32 bits each, in the order of the list
  ByteView xattr_values;          // one after the other

  // Of a kernel record (keyring, critical data, command line), not of a file.
  bool HoldsBuffer() const { return template_kind == Template::kImaBuf || !buffer.empty(); }
};

}  // namespace bootgate::ima
