#include "pki/der_walk.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"
#include "pki/der.h"

namespace bootgate::pki::der {
namespace {

constexpr uint8_t kConstructed = 0x20;
constexpr uint8_t kTagBits = 0xdf;  // without the constructed bit

// A constructed element that is being walked.
struct Level {
  bytes::Reader in;
  bool is_set;
  ByteView last;  // the member before, whole; sets are ordered by these
};

void Note(Walked& walked, absl::string_view departure) {
  auto& all = walked.departures;
  if (std::find(all.begin(), all.end(), departure) == all.end()) {
    all.emplace_back(departure.data(), departure.size());
  }
}

// The header in as few bytes as can be? `whole` was read, so it has them.
bool MinimalLength(const ReadElement& element) {
  const size_t header = element.whole.size() - element.contents.size();
  size_t needed = 2;
  for (size_t left = element.contents.size(); element.contents.size() >= 0x80 && left > 0;
       left >>= 8) {
    ++needed;
  }
  return header == needed;
}

// X.690, 11.6: members of a SET OF in ascending order, the shorter padded with zeros.
bool InOrder(ByteView before, ByteView after) {
  return !std::lexicographical_compare(after.begin(), after.end(), before.begin(), before.end());
}

bool MinimalInteger(ByteView number) {
  if (number.size() < 2) return true;
  const bool high_bit = (number[1] & 0x80) != 0;
  return !(number[0] == 0x00 && !high_bit) && !(number[0] == 0xff && high_bit);
}

absl::Status CheckPrimitive(const ReadElement& element, Walked& walked) {
  switch (element.tag & kTagBits) {
    case kInteger:
      if (element.contents.empty()) return absl::InvalidArgumentError("an empty INTEGER");
      if (!MinimalInteger(element.contents)) Note(walked, "an integer is not minimal");
      return absl::OkStatus();
    case kBoolean:
      if (element.contents.size() != 1) return absl::InvalidArgumentError("a BOOLEAN of no byte");
      if (element.contents[0] != 0x00 && element.contents[0] != 0xff) {
        Note(walked, "a boolean is neither 00 nor FF");
      }
      return absl::OkStatus();
    case kOid:
      if (element.contents.empty()) return absl::InvalidArgumentError("an empty OBJECT IDENTIFIER");
      return absl::OkStatus();
    default:
      return absl::OkStatus();
  }
}

absl::StatusOr<ReadElement> Visit(Level& level, Walked& walked) {
  BG_ASSIGN_OR_RETURN(const ReadElement element, Read(level.in));
  if (++walked.elements > kMaxElements) {
    return absl::InvalidArgumentError(absl::StrCat("more than ", kMaxElements, " elements"));
  }
  if (!MinimalLength(element)) Note(walked, "a length is not minimal");
  if (level.is_set && !level.last.empty() && !InOrder(level.last, element.whole)) {
    Note(walked, "a set is not in order");
  }
  level.last = element.whole;
  return element;
}

}  // namespace

absl::StatusOr<Walked> Walk(ByteView whole) {
  Walked walked;
  std::vector<Level> open = {{bytes::Reader(whole), false, {}}};
  while (!open.empty()) {
    if (open.back().in.remaining() == 0) {
      open.pop_back();
      continue;
    }
    BG_ASSIGN_OR_RETURN(const ReadElement element, Visit(open.back(), walked));
    if (open.size() == 1) BG_RETURN_IF_ERROR(open.back().in.ExpectEnd());
    walked.deepest = std::max(walked.deepest, open.size());
    if ((element.tag & kConstructed) == 0) {
      BG_RETURN_IF_ERROR(CheckPrimitive(element, walked));
    } else if (open.size() == kMaxDepth) {
      return absl::InvalidArgumentError(absl::StrCat("nested deeper than ", kMaxDepth));
    } else {
      open.push_back(
          {bytes::Reader(element.contents), (element.tag & kTagBits) == (kSet & kTagBits), {}});
    }
  }
  if (walked.elements == 0) return absl::OutOfRangeError("nothing to walk");
  return walked;
}

}  // namespace bootgate::pki::der
