#include "gatekeeper/incident/tar.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::incident {
namespace {

constexpr size_t kBlock = 512;
constexpr size_t kNameField = 100, kSizeAt = 124, kSizeField = 12, kSumAt = 148, kTypeAt = 156;
constexpr char kRegularFile = '0';

using Header = std::array<uint8_t, kBlock>;

void Put(absl::string_view text, size_t at, Header* header) {
  std::copy(text.begin(), text.end(), header->begin() + static_cast<std::ptrdiff_t>(at));
}

// Every field but name and size is always the same: nobody's file, of no time.
Header HeaderOf(absl::string_view name, size_t size) {
  Header header{};
  Put(name, 0, &header);
  Put("0000644", 100, &header);  // mode
  Put("0000000", 108, &header);  // uid
  Put("0000000", 116, &header);  // gid
  Put(absl::StrFormat("%011o", size), kSizeAt, &header);
  Put("00000000000", 136, &header);  // mtime
  Put("        ", kSumAt, &header);
  header[kTypeAt] = kRegularFile;
  Put(absl::string_view("ustar\0"
                        "00",
                        8),
      257, &header);
  Put("0000000", 329, &header);  // device numbers
  Put("0000000", 337, &header);
  uint32_t sum = 0;
  for (const uint8_t byte : header) sum += byte;
  Put(absl::string_view(absl::StrFormat("%06o", sum) + std::string("\0 ", 2)), kSumAt, &header);
  return header;
}

size_t Padded(size_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

absl::Status Bad(absl::string_view what) { return Malformed(Reason::kArchive, what); }

// A field up to its NUL.
std::string Field(ByteView block, size_t at, size_t size) {
  const ByteView field = block.subspan(at, size);
  return {field.begin(), std::ranges::find(field, 0)};
}

// Octal, of at most 11 digits.
std::optional<size_t> ReadSize(absl::string_view octal) {
  if (octal.size() != kSizeField - 1) return std::nullopt;
  size_t size = 0;
  for (const char c : octal) {
    if (c < '0' || c > '7') return std::nullopt;
    size = size * 8 + static_cast<size_t>(c - '0');
  }
  return size;
}

absl::string_view KindOf(uint8_t type) {
  switch (type) {
    case '1':
      return "a hard link";
    case '2':
      return "a symbolic link";
    case '3':
    case '4':
    case '6':
      return "a device or pipe";
    case '5':
      return "a folder";
    default:
      return "no plain file";
  }
}

bool IsZero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](uint8_t byte) { return byte == 0; });
}

struct Announced {
  std::string name;
  size_t size = 0;
};

absl::StatusOr<Announced> ReadHeader(ByteView block, size_t offset) {
  const std::string name = Field(block, 0, kNameField);
  const std::string shown = Printable(name, kNameField);
  if (block[kTypeAt] != kRegularFile) {
    return Bad(
        absl::StrCat("member ", shown, " at offset ", offset, " is ", KindOf(block[kTypeAt])));
  }
  if (!IsMemberName(name)) {
    return Bad(
        absl::StrCat("the member at offset ", offset, " has a name that is not allowed: ", shown));
  }
  const std::optional<size_t> size = ReadSize(Field(block, kSizeAt, kSizeField));
  if (!size.has_value()) return Bad(absl::StrCat("member ", shown, " has a bad size"));
  if (!std::ranges::equal(block, HeaderOf(name, *size))) {
    return Bad(absl::StrCat("the header of member ", shown, " is damaged, or not ours"));
  }
  return Announced{.name = name, .size = *size};
}

}  // namespace

bool IsMemberName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxMemberName) return false;
  for (const absl::string_view part : absl::StrSplit(name, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
    for (const char c : part) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      const bool other = (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
      if (!letter && !other) return false;
    }
  }
  return true;
}

absl::StatusOr<Bytes> WriteTar(const Members& members) {
  if (members.size() > kMaxMembers) return absl::ResourceExhaustedError("too many members");
  Bytes out;
  for (const auto& [name, content] : members) {
    if (!IsMemberName(name)) {
      return absl::InvalidArgumentError(absl::StrCat("no member name: ", Printable(name, 128)));
    }
    if (content.size() > kMaxArchive - kBlock ||
        out.size() + kBlock + Padded(content.size()) + 2 * kBlock > kMaxArchive) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the archive would be larger than ", kMaxArchive, " bytes"));
    }
    const Header header = HeaderOf(name, content.size());
    out.insert(out.end(), header.begin(), header.end());
    out.insert(out.end(), content.begin(), content.end());
    out.resize(Padded(out.size()));
  }
  out.resize(out.size() + 2 * kBlock);
  return out;
}

absl::StatusOr<Members> ReadTar(ByteView archive) {
  if (archive.size() > kMaxArchive) return Bad("is too large");
  if (archive.size() % kBlock != 0) return Bad("its size is no multiple of 512: it is cut");
  Members members;
  std::string last;
  size_t at = 0;
  while (at < archive.size() && !IsZero(archive.subspan(at, kBlock))) {
    BG_ASSIGN_OR_RETURN(const Announced member, ReadHeader(archive.subspan(at, kBlock), at));
    at += kBlock;
    if (member.size > archive.size() - at || Padded(member.size) > archive.size() - at) {
      return Bad(absl::StrCat("member ", member.name, " announces ", member.size,
                              " bytes, more than there are"));
    }
    if (member.name == last) return Bad(absl::StrCat("member ", member.name, " is there twice"));
    if (member.name < last) return Bad(absl::StrCat("member ", member.name, " is out of order"));
    if (members.size() >= kMaxMembers) return Bad("has too many members");
    if (!IsZero(archive.subspan(at + member.size, Padded(member.size) - member.size)))
      return Bad(absl::StrCat("something is hidden behind member ", member.name));
    members.emplace(member.name, ToBytes(archive.subspan(at, member.size)));
    last = member.name;
    at += Padded(member.size);
  }
  if (archive.size() - at != 2 * kBlock || !IsZero(archive.subspan(at)))
    return Bad(absl::StrCat("does not end as it must at offset ", at));
  return members;
}

}  // namespace bootgate::gatekeeper::incident
