// Which IMA entries are compared with a reference, and by what.
//
// Not compared: entries of other registers than PCR 10 (the match in PCR 10 does not prove them, so
// they must not even show under which IMA policy a host ran), boot_aggregate (computed from the
// quote, never listed), violations (their text is nobody's word), and entries whose fields could
// not be read.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/ima/list.h"

namespace bootgate::gatekeeper::reference {

inline constexpr uint32_t kImaListRegister = 10;

inline bool IsBuffer(const ima::Entry& entry) { return entry.HoldsBuffer(); }

// Of a record that is known to be a file's, of this path and with a digest.
inline bool IsComparableFile(const ima::Record& record, absl::string_view path) {
  return record.register_index == kImaListRegister && !record.violation && path != "boot_aggregate";
}

inline bool IsComparable(const ima::Entry& entry) {
  if (entry.register_index != kImaListRegister) return false;
  if (entry.violation || entry.file_digest.empty()) return false;
  return IsBuffer(entry) || entry.path != "boot_aggregate";
}

// "sha256:hex"; "verity:sha256:hex" where it is not of the content but of its fs-verity tree.
inline std::string FileDigest(const ima::Entry& entry) {
  return absl::StrCat(entry.digest_type == "verity" ? "verity:" : "",
                      Printable(entry.digest_name, 32), ":", ToHex(entry.file_digest));
}

}  // namespace bootgate::gatekeeper::reference
