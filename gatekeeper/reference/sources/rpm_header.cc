#include "gatekeeper/reference/sources/rpm_header.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr size_t kLeadBytes = 96;
constexpr uint32_t kLeadMagic = 0xedabeedb;
constexpr uint32_t kHeaderMagic = 0x8eade801;
constexpr size_t kIndexBytes = 16;
constexpr uint32_t kMaxIndex = 1u << 20;  // entries
constexpr uint32_t kMaxStore = 1u << 28;  // bytes, rpm's own bound
constexpr size_t kAlignment = 8;          // bytes, of the signature header's end
constexpr size_t kMaxText = 1024;         // bytes of one tag

enum class Tag : uint32_t {
  kName = 1000,
  kVersion = 1001,
  kRelease = 1002,
  kEpoch = 1003,
  kArch = 1022,
  kSourceRpm = 1044,
};
constexpr uint32_t kTypeInt32 = 4, kTypeString = 6;

absl::Status Bad(size_t offset, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("at ", offset, ": ", what));
}

struct Header {
  ByteView index;  // of kIndexBytes each
  ByteView store;
};

absl::StatusOr<Header> TakeHeader(bytes::Reader& in) {
  const size_t start = in.offset();
  BG_ASSIGN_OR_RETURN(const uint32_t magic, in.U32Be());
  if (magic != kHeaderMagic) return Bad(start, "no RPM header begins here");
  BG_RETURN_IF_ERROR(in.Skip(4));  // reserved
  BG_ASSIGN_OR_RETURN(const uint32_t count, in.U32Be());
  BG_ASSIGN_OR_RETURN(const uint32_t store, in.U32Be());
  if (count > kMaxIndex || store > kMaxStore) {
    return Bad(start, absl::StrCat("an RPM header of ", count, " tags and ", store, " bytes"));
  }
  Header out;
  BG_ASSIGN_OR_RETURN(out.index, in.Take(count * kIndexBytes));
  BG_ASSIGN_OR_RETURN(out.store, in.Take(store));
  return out;
}

// Where in the store the first value of a tag begins; nullopt where the header lacks it.
absl::StatusOr<std::optional<ByteView>> ValueOf(const Header& header, Tag tag, uint32_t type) {
  bytes::Reader in(header.index);
  while (!in.empty()) {
    BG_ASSIGN_OR_RETURN(const uint32_t number, in.U32Be());
    BG_ASSIGN_OR_RETURN(const uint32_t kind, in.U32Be());
    BG_ASSIGN_OR_RETURN(const uint32_t offset, in.U32Be());
    BG_ASSIGN_OR_RETURN(const uint32_t count, in.U32Be());
    if (number != static_cast<uint32_t>(tag)) continue;
    if (kind != type || count != 1 || offset >= header.store.size()) {
      return absl::InvalidArgumentError(absl::StrCat("RPM tag ", number, " is malformed"));
    }
    return header.store.subspan(offset);
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<std::string>> TextOf(const Header& header, Tag tag) {
  BG_ASSIGN_OR_RETURN(const std::optional<ByteView> value, ValueOf(header, tag, kTypeString));
  if (!value.has_value()) return std::nullopt;
  const absl::string_view text = AsText(*value);
  const size_t end = text.find('\0');
  if (end == absl::string_view::npos || end > kMaxText) {
    return absl::InvalidArgumentError(
        absl::StrCat("RPM tag ", static_cast<uint32_t>(tag), " does not end"));
  }
  return std::string(text.substr(0, end));
}

absl::StatusOr<std::string> NeededText(const Header& header, Tag tag) {
  BG_ASSIGN_OR_RETURN(const std::optional<std::string> text, TextOf(header, tag));
  if (text.has_value() && !text->empty()) return *text;
  return absl::InvalidArgumentError(
      absl::StrCat("the RPM header lacks tag ", static_cast<uint32_t>(tag)));
}

absl::StatusOr<uint32_t> EpochOf(const Header& header) {
  BG_ASSIGN_OR_RETURN(const std::optional<ByteView> value,
                      ValueOf(header, Tag::kEpoch, kTypeInt32));
  if (!value.has_value()) return 0;
  return bytes::Reader(*value).U32Be();
}

absl::StatusOr<RpmHead> Describe(const Header& header) {
  RpmHead head;
  BG_ASSIGN_OR_RETURN(head.package.name, NeededText(header, Tag::kName));
  BG_ASSIGN_OR_RETURN(const std::string version, NeededText(header, Tag::kVersion));
  BG_ASSIGN_OR_RETURN(const std::string release, NeededText(header, Tag::kRelease));
  BG_ASSIGN_OR_RETURN(const uint32_t epoch, EpochOf(header));
  BG_ASSIGN_OR_RETURN(const std::optional<std::string> arch, TextOf(header, Tag::kArch));
  BG_ASSIGN_OR_RETURN(const std::optional<std::string> from, TextOf(header, Tag::kSourceRpm));
  head.package.version =
      absl::StrCat(epoch == 0 ? "" : absl::StrCat(epoch, ":"), version, "-", release);
  head.package.origin = absl::StrCat("rpm:", arch.value_or("noarch"));
  head.source = !from.has_value();
  return head;
}

}  // namespace

absl::StatusOr<RpmHead> ReadRpmHead(ByteView file) {
  bytes::Reader in(file);
  BG_ASSIGN_OR_RETURN(bytes::Reader lead, in.Sub(kLeadBytes));
  BG_ASSIGN_OR_RETURN(const uint32_t magic, lead.U32Be());
  if (magic != kLeadMagic) return Bad(0, "this is no RPM package");
  BG_RETURN_IF_ERROR(TakeHeader(in).status());  // signatures
  BG_RETURN_IF_ERROR(in.Skip((kAlignment - in.offset() % kAlignment) % kAlignment));
  BG_ASSIGN_OR_RETURN(const Header header, TakeHeader(in));
  BG_ASSIGN_OR_RETURN(RpmHead head, Describe(header));
  head.bytes = in.offset();
  return head;
}

}  // namespace bootgate::gatekeeper::reference
