#include "common/eventlog/sipa/records.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/bytes/reader.h"
#include "common/eventlog/event_type.h"

namespace bootgate::eventlog::sipa {
namespace {

constexpr size_t kHeaderBytes = 8;  // number, size
constexpr size_t kMaxNumberBytes = 8;
// Registers that Windows' boot programs extend with tagged events.
constexpr uint32_t kWindowsRegisters = 1u << 12 | 1u << 13 | 1u << 14 | 1u << 19 | 1u << 20;

bool IsUtf16(ByteView data) {
  bytes::Reader in(data);
  uint16_t unit = 0;
  while (in.TryU16Le(&unit)) {
    if (unit >= 0xdc00 && unit < 0xe000) return false;
    if (unit < 0xd800 || unit >= 0xdc00) continue;
    if (!in.TryU16Le(&unit) || unit < 0xdc00 || unit >= 0xe000) return false;
  }
  return in.empty();
}

// Whether a record's data can be what its type carries.
bool Fits(const RecordType& type, ByteView data) {
  switch (type.form) {
    case Form::kBoolean:
      return !data.empty();
    case Form::kNumber:
    case Form::kEnumeration:
    case Form::kFlags:
      return !data.empty() && data.size() <= kMaxNumberBytes;
    case Form::kText:
      return IsUtf16(data);
    case Form::kBytes:
    case Form::kStructure:
    case Form::kSignedState:
    case Form::kContainer:
      return true;
  }
  __builtin_unreachable();
}

// Reads front to back with the containers that are open on a stack of fixed size.
class RecordReader {
 public:
  explicit RecordReader(ByteView data) : data_(data) {}

  Records Run() && {
    while (Close(), offset_ < data_.size()) {
      if (!ReadOne()) {
        out_.records.clear();
        break;
      }
    }
    return std::move(out_);
  }

 private:
  struct Open {
    uint32_t number = 0;  // of the container
    size_t end = 0;       // offset of its last byte's successor
  };

  size_t Limit() const { return depth_ == 0 ? data_.size() : open_[depth_ - 1].end; }

  // Leaves the containers that end here.
  void Close() {
    while (depth_ > 0 && offset_ == open_[depth_ - 1].end) {
      --depth_;
      out_.records[open_[depth_].number].end = static_cast<uint32_t>(out_.records.size());
    }
  }

  bool ReadOne() {
    bytes::Reader in(data_.subspan(offset_, Limit() - offset_));
    Record record;
    uint32_t size = 0;
    if (!in.TryU32Le(&record.id) || !in.TryU32Le(&size)) {
      return Refuse(Reason::kLogTruncated, "a Windows record's header is cut");
    }
    record.type = FindRecordType(record.id);
    if (!in.TryTake(size, &record.data)) {
      return Refuse(Reason::kLogTruncated, absl::StrCat(RecordName(record.id), " announces ", size,
                                                        " bytes, ", in.remaining(), " are left"));
    }
    if (record.type != nullptr && !Fits(*record.type, record.data)) {
      const bool text = record.type->form == Form::kText;
      return Refuse(
          text ? Reason::kLogString : Reason::kLogTruncated,
          absl::StrCat(RecordName(record.id), " is not ", text ? "UTF-16" : "as long as its kind"));
    }
    return Keep(record);
  }

  bool Keep(Record record) {
    if (out_.records.size() >= kMaxRecords) {
      return Refuse(Reason::kLogLimit,
                    absl::StrCat("more than ", kMaxRecords, " Windows records in one event"));
    }
    record.depth = depth_;
    const auto number = static_cast<uint32_t>(out_.records.size());
    record.end = number + 1;
    const bool container = record.type != nullptr && record.type->form == Form::kContainer;
    if (container && depth_ == kMaxNesting) {
      return Refuse(Reason::kLogLimit,
                    absl::StrCat("Windows records nest deeper than ", kMaxNesting));
    }
    offset_ += kHeaderBytes;
    if (container) {
      open_[depth_++] = {.number = number, .end = offset_ + record.data.size()};
    } else {
      offset_ += record.data.size();
    }
    out_.records.push_back(record);
    return true;
  }

  bool Refuse(Reason reason, std::string text) {
    out_.problem = Problem{.reason = reason, .offset = offset_, .text = std::move(text)};
    return false;
  }

  ByteView data_;
  size_t offset_ = 0;  // bytes
  std::array<Open, kMaxNesting> open_;
  uint32_t depth_ = 0;
  Records out_;
};

}  // namespace

uint64_t Record::AsNumber() const {
  if (data.size() > kMaxNumberBytes) return 0;
  uint64_t value = 0;
  for (size_t i = 0; i < data.size(); ++i) value |= uint64_t{data[i]} << (8 * i);
  return value;
}

Records ReadRecords(ByteView data) { return RecordReader(data).Run(); }

bool HoldsRecords(const Event& event) {
  bytes::Reader in(event.data);
  uint32_t id = 0;
  if (!in.TryU32Le(&id)) return false;
  if (event.untrusted_type == kEvNoAction) return id == kTrustPoint;
  return event.untrusted_type == kEvEventTag && event.register_index < 32 &&
         ((kWindowsRegisters >> event.register_index) & 1u) != 0 && LooksLikeRecord(id);
}

}  // namespace bootgate::eventlog::sipa
