// The commonest record taken apart in one go: any template but the oldest, whole, within the
// limits.
//
// A short way through TakeRecord (record.h) and never another answer: what it does not take is
// taken there, or is said to be at fault there. Here, so that it is compiled into the walks over a
// list, which take each record several times.
#pragma once

#include <endian.h>
#include <string.h>

#include <algorithm>

#include "common/ima/record.h"

namespace bootgate::ima {

// False and nothing of use in `record` when `from`, which lies at `offset`, does not begin with
// such a record.
inline bool TakeUsualRecord(ByteView from, size_t offset, const Format& format,
                            size_t max_template_data, Record& record) {
  constexpr size_t kWord = sizeof(uint32_t);
  constexpr size_t kLegacyName = 3;  // bytes of "ima"
  const auto word = [&](size_t at) {
    uint32_t value = 0;
    memcpy(&value, from.data() + at, kWord);
    return format.order == ByteOrder::kBig ? be32toh(value) : le32toh(value);
  };
  const size_t name_at = kWord + format.listed_digest_size + kWord;
  if (from.size() < name_at + kMaxTemplateName + kWord) return false;  // near the list's end
  const size_t name_size = word(name_at - kWord);
  if (name_size > kMaxTemplateName || name_size == kLegacyName) return false;
  const size_t data_at = name_at + name_size + kWord;
  const size_t data_size = word(data_at - kWord);
  if (data_size > max_template_data || data_size > from.size() - data_at) return false;
  record.offset = offset;
  record.register_index = word(0);
  record.order = format.order;
  record.bytes = from.first(data_at + data_size);
  record.listed_digest = from.subspan(kWord, format.listed_digest_size);
  record.template_name = AsText(from.subspan(name_at, name_size));
  record.template_data = from.subspan(data_at, data_size);
  record.violation = word(kWord) == 0 &&
                     std::ranges::all_of(record.listed_digest, [](uint8_t b) { return b == 0; });
  return true;
}

}  // namespace bootgate::ima
