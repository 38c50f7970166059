#include "common/ima/record.h"

#include <endian.h>
#include <string.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace bootgate::ima {
namespace {

constexpr size_t kIndexBytes = 4;
constexpr size_t kLegacyDigest = 20;  // bytes
constexpr uint8_t kDigestSizes[] = {20, 32, 48, 64};

// `bytes` has four more bytes at `at`.
uint32_t WordAt(ByteView bytes, size_t at, ByteOrder order) {
  uint32_t word = 0;
  memcpy(&word, bytes.data() + at, sizeof word);
  return order == ByteOrder::kBig ? be32toh(word) : le32toh(word);
}

bool IsNameByte(uint8_t byte) {
  const char c = static_cast<char>(byte);
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '_' || c == '|';
}

// Does the first record have the name of a template when it is read like this?
bool NamesATemplate(ByteView list, const Format& format) {
  bytes::Reader in(list);
  ByteView skipped;
  ByteView name;
  uint32_t size = 0;
  return in.TryTake(kIndexBytes + format.listed_digest_size, &skipped) &&
         TakeU32(in, format.order, &size) && size > 0 && size <= kMaxTemplateName &&
         in.TryTake(size, &name) && std::ranges::all_of(name, IsNameByte);
}

bool Cut(absl::string_view where, RecordFault& fault) {
  fault = {Reason::kImaTruncated, where, 0};
  return false;
}

bool TooLong(absl::string_view what, uint32_t size, RecordFault& fault) {
  fault = {Reason::kImaLimit, what, size};
  return false;
}

bool TakeData(bytes::Reader& in, size_t max_size, Record& record, RecordFault& fault) {
  uint32_t size = 0;
  if (!TakeU32(in, record.order, &size)) return Cut("its template data size", fault);
  if (size > max_size) return TooLong("template data", size, fault);
  if (!in.TryTake(size, &record.template_data)) return Cut("its template data", fault);
  return true;
}

// The oldest template has no length of its own: a digest, then a length and a name.
bool TakeLegacyData(bytes::Reader& in, size_t max_size, Record& record, RecordFault& fault) {
  const ByteView from = in.rest();
  ByteView skipped;
  uint32_t size = 0;
  if (!in.TryTake(kLegacyDigest, &skipped) || !TakeU32(in, record.order, &size)) {
    return Cut("its template data", fault);
  }
  if (size > max_size) return TooLong("file name", size, fault);
  if (!in.TryTake(size, &skipped)) return Cut("its file name", fault);
  record.template_data = from.first(from.size() - in.remaining());
  return true;
}

}  // namespace

std::string TextOf(const RecordFault& fault) {
  if (fault.reason == Reason::kImaLimit) {
    return absl::StrCat(fault.what, " of ", fault.size, " bytes");
  }
  return absl::StrCat("the list ends inside ", fault.what);
}

Format Format::Of(ByteView list) {
  const ByteView start = list.first(std::min(list.size(), kFormatBytes));
  for (const uint8_t size : kDigestSizes) {
    for (const ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
      const Format format{.order = order, .listed_digest_size = size};
      if (NamesATemplate(start, format)) return format;
    }
  }
  return {};
}

bool TakeRecord(bytes::Reader& in, const Format& format, size_t max_template_data, Record& record,
                RecordFault& fault) {
  const ByteView from = in.rest();
  record.offset = in.offset();
  record.order = format.order;
  // The head in one go: a list is walked several times, and a record is little else.
  const size_t head_size = kIndexBytes + format.listed_digest_size + sizeof(uint32_t);
  ByteView head;
  if (!in.TryTake(head_size, &head)) return Cut("its header", fault);
  record.register_index = WordAt(head, 0, format.order);
  record.listed_digest = head.subspan(kIndexBytes, format.listed_digest_size);
  const uint32_t name_size = WordAt(head, head_size - sizeof(uint32_t), format.order);
  if (name_size > kMaxTemplateName) return TooLong("template name", name_size, fault);
  ByteView name;
  if (!in.TryTake(name_size, &name)) return Cut("its template name", fault);
  record.template_name = AsText(name);
  const bool taken = record.IsLegacy() ? TakeLegacyData(in, max_template_data, record, fault)
                                       : TakeData(in, max_template_data, record, fault);
  if (!taken) return false;
  record.violation = std::ranges::all_of(record.listed_digest, [](uint8_t b) { return b == 0; });
  record.bytes = from.first(from.size() - in.remaining());
  return true;
}

}  // namespace bootgate::ima
