// Policy text as code points: where the lexer stands, and whether the text is UTF-8 at all.
//
// Implements: policy language specification, section 2.1.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "gatekeeper/policy/diagnostics.h"

namespace bootgate::gatekeeper::policy {

// Walks a text front to back and counts lines and code points. Borrows the text.
class Cursor {
 public:
  explicit Cursor(absl::string_view text) : text_(text) {}

  bool at_end() const { return offset_ == text_.size(); }
  size_t offset() const { return offset_; }  // bytes
  Place place() const { return place_; }
  absl::string_view rest() const { return text_.substr(offset_); }
  // The byte `ahead` of here; NUL past the end.
  char Peek(size_t ahead = 0) const;
  // Steps over `bytes` bytes (to the end at most).
  void Advance(size_t bytes = 1);

 private:
  absl::string_view text_;
  size_t offset_ = 0;
  Place place_;
};

// Bytes of the well-formed UTF-8 sequence at the start of `text`; 0 when there is none.
size_t SequenceLength(absl::string_view text);

// The place of the first byte that is not UTF-8; nullopt when all of `text` is.
std::optional<Place> FindInvalidUtf8(absl::string_view text);

// `text` without a leading byte order mark.
absl::string_view WithoutByteOrderMark(absl::string_view text);

}  // namespace bootgate::gatekeeper::policy
