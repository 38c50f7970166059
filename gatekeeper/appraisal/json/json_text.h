// Writes JSON text front to back, straight into one string: no document in between.
//
// The caller opens and closes; commas come by themselves. Strings are UTF-8 in the result whatever
// they were: bytes that are no UTF-8 become U+FFFD.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"

namespace bootgate::gatekeeper::appraisal::json {

class JsonText {
 public:
  void BeginObject() { Begin('{'); }
  void EndObject() { text_.push_back('}'); }
  void BeginArray() { Begin('['); }
  void EndArray() { text_.push_back(']'); }

  // A member's name; plain letters, ours.
  void Key(absl::string_view name);

  void String(absl::string_view value);
  void Number(uint64_t value);
  void Boolean(bool value);
  void Hex(ByteView value);        // lower case
  void Base64Url(ByteView value);  // without padding

  void Reserve(size_t bytes) { text_.reserve(bytes); }
  size_t size() const { return text_.size(); }  // bytes
  std::string Finish() { return std::move(text_); }

 private:
  void Separate();
  void Begin(char bracket) {
    Separate();
    text_.push_back(bracket);
  }

  std::string text_;
};

// Bytes of the well-formed UTF-8 sequence at the start of `text`, which is not empty; 0 when there
// is none.
size_t Utf8Length(absl::string_view text);

}  // namespace bootgate::gatekeeper::appraisal::json
