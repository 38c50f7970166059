// The IMA measurement list in the kernel's binary form.
//
// Implements: Linux Documentation/security/IMA-templates.rst and security/integrity/ima
// (ima_template.c, ima_fs.c): template names ima-ng, ima-sig, ima-buf, ima.
//
// Parsing is total and borrows the bytes. Digests listed in the file are not believed: template
// digests are recomputed from the template data (replay.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "common/base/reason.h"
#include "common/crypto/hash.h"

namespace bootgate::ima {

inline constexpr size_t kMaxListBytes = size_t{256} << 20;
inline constexpr size_t kMaxEntries = size_t{1} << 20;
inline constexpr size_t kMaxTemplateData = size_t{1} << 20;  // bytes
inline constexpr size_t kMaxDefects = 256;  // the last one says that there were more

enum class Template { kIma, kImaNg, kImaSig, kImaBuf, kOther };

// One entry. All views borrow the list.
struct Entry {
  size_t offset = 0;    // bytes
  uint32_t number = 0;  // from 0 in this list (the cursor adds what came before)
  uint32_t register_index = 10;
  Template template_kind = Template::kOther;
  ByteView listed_digest;  // SHA-1 template digest as listed: never an input to a decision
  bool violation = false;  // listed digest all zeros: extended as ones, content unauthenticated
  absl::string_view template_name;
  ByteView template_data;  // what the template digest is computed from
  // Fields, when the template has them and they are well-formed:
  absl::string_view digest_name;  // "sha256"
  ByteView file_digest;
  absl::string_view path;  // n-ng without its NUL; any bytes
  ByteView signature;      // sig (ima-sig)
  ByteView buffer;         // buf (ima-buf)
};

struct Defect {
  Reason reason = Reason::kImaTruncated;  // an IMA_... code
  size_t offset = 0;
  std::optional<uint32_t> entry;
  std::string text;
};

class List {
 public:
  static List Parse(ByteView bytes);
  const std::vector<Entry>& entries() const { return entries_; }
  const std::vector<Defect>& defects() const { return defects_; }

 private:
  friend class ListParser;
  std::vector<Entry> entries_;
  std::vector<Defect> defects_;
};

}  // namespace bootgate::ima
