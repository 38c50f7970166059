// The commonest entry taken apart in one go: ima-ng, ima-sig or ima-buf with a SHA-256 digest.
//
// A short way through the fields (fields.h) and never another answer: what it does not take is read
// there, whole. Here, so that it is compiled into the loops over a list.
#pragma once

#include <string.h>

#include "common/ima/entry.h"

namespace bootgate::ima {

struct PlainFile {  // borrows the record
  Template kind = Template::kImaNg;
  absl::string_view digest_name;  // "sha256"
  ByteView digest;
  absl::string_view path;
  ByteView last;  // sig or buf
};

// A field of the newer templates: its length, then its bytes.
inline bool TakeField(bytes::Reader& in, ByteOrder order, ByteView* field) {
  uint32_t size = 0;
  return TakeU32(in, order, &size) && in.TryTake(size, field);
}

// False when the record is not such an entry, or not well-formed.
inline bool TakePlainFile(const Record& record, PlainFile& file) {
  constexpr absl::string_view kDigestHead("sha256:\0", 8);
  constexpr size_t kNameSize = 6;                           // bytes of "sha256"
  constexpr size_t kDigestField = kDigestHead.size() + 32;  // bytes
  if (record.template_name == "ima-ng") {
    file.kind = Template::kImaNg;
  } else if (record.template_name == "ima-sig") {
    file.kind = Template::kImaSig;
  } else if (record.template_name == "ima-buf") {
    file.kind = Template::kImaBuf;
  } else {
    return false;
  }
  bytes::Reader in(record.template_data);
  ByteView digest;
  ByteView path;
  if (!TakeField(in, record.order, &digest) || digest.size() != kDigestField ||
      AsText(digest.first(kDigestHead.size())) != kDigestHead ||
      !TakeField(in, record.order, &path) || path.empty()) {
    return false;
  }
  if (memchr(path.data(), '\0', path.size()) != &path.back()) return false;
  if (file.kind != Template::kImaNg && !TakeField(in, record.order, &file.last)) return false;
  file.digest_name = AsText(digest.first(kNameSize));
  file.digest = digest.subspan(kDigestHead.size());
  file.path = AsText(path.first(path.size() - 1));
  return in.empty();
}

}  // namespace bootgate::ima
