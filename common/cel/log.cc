#include "common/cel/log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/cel/record_reader.h"

namespace bootgate::cel {
namespace {

constexpr uint8_t kSeparator = 0x1e;  // RFC 7464, 2.2

// Where the next separator is, or the end.
size_t NextSeparator(ByteView bytes, size_t from) {
  const auto at = std::find(bytes.begin() + static_cast<ptrdiff_t>(from), bytes.end(), kSeparator);
  return static_cast<size_t>(at - bytes.begin());
}

}  // namespace

const crypto::Digest* Record::DigestOf(crypto::HashAlg alg) const {
  const auto found = std::find_if(digests.begin(), digests.end(),
                                  [alg](const crypto::Digest& d) { return d.alg() == alg; });
  return found == digests.end() ? nullptr : &*found;
}

Log Log::Parse(ByteView bytes) {
  Log log;
  if (bytes.size() > kMaxLogBytes) {
    log.AddDefect({Reason::kCelLimit, 0, {}, absl::StrCat("it has ", bytes.size(), " bytes")});
    return log;
  }
  size_t at = NextSeparator(bytes, 0);
  if (at != 0)
    log.AddDefect({Reason::kCelParse, 0, {}, "it does not begin with a record separator"});
  while (at < bytes.size()) {
    const size_t next = NextSeparator(bytes, at + 1);
    if (log.records_.size() == kMaxRecords) {
      log.AddDefect(
          {Reason::kCelLimit, at, {}, absl::StrCat("more than ", kMaxRecords, " records")});
      break;
    }
    log.ReadRecord(bytes.subspan(at + 1, next - at - 1), at, next == bytes.size());
    at = next;
  }
  return log;
}

void Log::ReadRecord(ByteView text, size_t offset, bool last) {
  if (text.empty() && !last) return;  // RFC 7464, 2.1: separators in a row are one
  if (text.size() > kMaxRecordBytes) {
    AddDefect({Reason::kCelLimit,
               offset,
               {},
               absl::StrCat("the record at byte ", offset, " has ", text.size(), " bytes")});
    return;
  }
  std::variant<Record, BadRecord> read = ReadRecordText(text);
  if (Record* const record = std::get_if<Record>(&read)) {
    record->offset = offset;
    record->number = static_cast<uint32_t>(records_.size());
    records_.push_back(std::move(*record));
    return;
  }
  const BadRecord& bad = std::get<BadRecord>(read);
  AddDefect({last && bad.cut ? Reason::kCelTruncated : bad.reason,
             offset,
             {},
             absl::StrCat("the record at byte ", offset, ": ", bad.text)});
}

void Log::AddDefect(Defect defect) {
  if (defects_.size() < kMaxDefects) {
    defects_.push_back(std::move(defect));
    return;
  }
  defects_.back() = {Reason::kCelLimit, defect.offset, {}, "there is more that is wrong with it"};
}

}  // namespace bootgate::cel
