#include "common/ima/fields.h"

#include <algorithm>

#include "common/bytes/reader.h"
#include "common/ima/plain_file.h"

namespace bootgate::ima {
namespace {

constexpr size_t kMaxDigestName = 32;   // bytes; the kernel's longest is "streebog512"
constexpr size_t kSha1Size = 20;        // bytes
constexpr size_t kMd5Size = 16;         // bytes
constexpr size_t kMaxLegacyName = 255;  // bytes
constexpr size_t kXattrLength = 4;      // bytes of each length

// The kernel's names (include/crypto/hash_info.h) with the sizes of their digests.
struct DigestRow {
  absl::string_view name;
  size_t size;  // bytes
  std::optional<crypto::HashAlg> alg;
};
constexpr DigestRow kDigests[] = {
    {"sha256", 32, crypto::HashAlg::kSha256},
    {"sha1", 20, crypto::HashAlg::kSha1},
    {"sha384", 48, crypto::HashAlg::kSha384},
    {"sha512", 64, crypto::HashAlg::kSha512},
    {"sm3", 32, crypto::HashAlg::kSm3_256},
    {"sm3-256", 32, crypto::HashAlg::kSm3_256},
    {"sm3_256", 32, crypto::HashAlg::kSm3_256},
    {"md4", 16, std::nullopt},
    {"md5", 16, std::nullopt},
    {"rmd128", 16, std::nullopt},
    {"rmd160", 20, std::nullopt},
    {"rmd256", 32, std::nullopt},
    {"rmd320", 40, std::nullopt},
    {"sha224", 28, std::nullopt},
    {"wp256", 32, std::nullopt},
    {"wp384", 48, std::nullopt},
    {"wp512", 64, std::nullopt},
    {"tgr128", 16, std::nullopt},
    {"tgr160", 20, std::nullopt},
    {"tgr192", 24, std::nullopt},
    {"streebog256", 32, std::nullopt},
    {"streebog512", 64, std::nullopt},
    {"sha3-256", 32, std::nullopt},
    {"sha3-384", 48, std::nullopt},
    {"sha3-512", 64, std::nullopt},
};

const DigestRow* RowOf(absl::string_view name) {
  for (const DigestRow& row : kDigests) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

bool IsDigestName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxDigestName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// Some kernels write 20 zeros for the digest of a violation, whatever algorithm they name.
bool IsDigestOf(const Entry& entry, absl::string_view name, ByteView digest) {
  if (entry.violation && digest.size() == kSha1Size) return IsDigestName(name);
  const DigestRow* const row = RowOf(name);
  if (row != nullptr) return digest.size() == row->size;
  return IsDigestName(name) && !digest.empty() && digest.size() <= crypto::kMaxDigestSize;
}

// Where the name ends; the size of `text` when it has no name.
size_t ColonOf(absl::string_view text) {
  const size_t end = std::min(text.size(), kMaxDigestName + 1);
  for (size_t i = 0; i < end; ++i) {
    if (text[i] == ':') return i;
  }
  return text.size();
}

// Algorithm name, colon, NUL, digest.
bool SplitDigest(ByteView field, const Entry& entry, absl::string_view& name, ByteView& digest) {
  const absl::string_view text = AsText(field);
  const size_t colon = ColonOf(text);
  if (colon + 1 >= text.size() || text[colon + 1] != '\0') return false;
  name = text.substr(0, colon);
  digest = field.subspan(colon + 2);
  return IsDigestOf(entry, name, digest);
}

bool ReadDigest(ByteView field, Entry& entry) {
  if (field.size() != kSha1Size && field.size() != kMd5Size) return false;
  entry.digest_name = field.size() == kSha1Size ? "sha1" : "md5";
  entry.file_digest = field;
  return true;
}

bool ReadDigestNg(ByteView field, Entry& entry) {
  return SplitDigest(field, entry, entry.digest_name, entry.file_digest);
}

// Digest type, colon, and the rest as in d-ng.
bool ReadDigestNgV2(ByteView field, Entry& entry) {
  const absl::string_view text = AsText(field);
  const size_t colon = ColonOf(text);
  if (colon == text.size()) return false;
  entry.digest_type = text.substr(0, colon);
  if (entry.digest_type != "ima" && entry.digest_type != "verity") return false;
  return ReadDigestNg(field.subspan(colon + 1), entry);
}

// The path and one NUL at its end.
bool ReadNameNg(ByteView field, Entry& entry) {
  const absl::string_view text = AsText(field);
  if (text.empty() || text.find('\0') != text.size() - 1) return false;
  entry.path = text.substr(0, text.size() - 1);
  return true;
}

bool ReadName(ByteView field, Entry& entry) {
  return field.size() <= kMaxLegacyName + 1 && ReadNameNg(field, entry);
}

// Empty for a file without an appended signature.
bool ReadAppendedDigest(ByteView field, Entry& entry) {
  return field.empty() ||
         SplitDigest(field, entry, entry.appended_digest_name, entry.appended_digest);
}

// An integer of 16 or 32 bits in the list's order; empty when there was no file to ask.
template <std::optional<uint32_t> Entry::*kMember>
bool ReadInteger(ByteView field, Entry& entry) {
  if (field.empty()) return true;
  if (field.size() != 2 && field.size() != 4) return false;
  uint32_t value = 0;
  for (size_t i = 0; i < field.size(); ++i) {
    value = value << 8 | field[entry.order == ByteOrder::kBig ? i : field.size() - 1 - i];
  }
  entry.*kMember = value;
  return true;
}

template <ByteView Entry::*kMember>
bool KeepRaw(ByteView field, Entry& entry) {
  entry.*kMember = field;
  return true;
}

bool ReadXattrLengths(ByteView field, Entry& entry) {
  entry.xattr_lengths = field;
  return field.size() % kXattrLength == 0;
}

bool PassOver(ByteView /*field*/, Entry& /*entry*/) { return true; }

using ReadField = bool (*)(ByteView field, Entry& entry);

// By number of the field.
constexpr ReadField kReaders[] = {
    ReadDigest,                           // d
    ReadName,                             // n
    ReadDigestNg,                         // d-ng
    ReadDigestNgV2,                       // d-ngv2
    ReadNameNg,                           // n-ng
    KeepRaw<&Entry::signature>,           // sig
    KeepRaw<&Entry::buffer>,              // buf
    ReadAppendedDigest,                   // d-modsig
    KeepRaw<&Entry::appended_signature>,  // modsig
    KeepRaw<&Entry::evm_signature>,       // evmsig
    ReadInteger<&Entry::owner>,           // iuid
    ReadInteger<&Entry::group>,           // igid
    ReadInteger<&Entry::mode>,            // imode
    KeepRaw<&Entry::xattr_names>,         // xattrnames
    ReadXattrLengths,                     // xattrlengths
    KeepRaw<&Entry::xattr_values>,        // xattrvalues
    PassOver,                             // unknown
};
static_assert(std::size(kReaders) == static_cast<size_t>(Field::kUnknown) + 1);

bool ReadLegacy(Entry& entry) {
  bytes::Reader in(entry.template_data);
  ByteView name;
  if (!in.TryTake(kSha1Size, &entry.file_digest) || !TakeField(in, entry.order, &name) ||
      !in.empty()) {
    return false;
  }
  entry.digest_name = "sha1";
  entry.path = AsText(name);
  return name.size() <= kMaxLegacyName && entry.path.find('\0') == absl::string_view::npos;
}

bool ReadFramed(const Layout& layout, Entry& entry) {
  bytes::Reader in(entry.template_data);
  for (size_t i = 0; i < layout.count; ++i) {
    ByteView field;
    if (!TakeField(in, entry.order, &field)) return false;
    if (!kReaders[static_cast<size_t>(layout.fields[i])](field, entry)) return false;
  }
  return in.empty();
}

bool ReadPlainFile(Entry& entry) {
  PlainFile file;
  if (!TakePlainFile(entry, file)) return false;
  entry.template_kind = file.kind;
  entry.digest_name = file.digest_name;
  entry.file_digest = file.digest;
  entry.path = file.path;
  (file.kind == Template::kImaBuf ? entry.buffer : entry.signature) = file.last;
  return true;
}

}  // namespace

bool ReadFields(Entry& entry) {
  if (ReadPlainFile(entry)) return true;
  const Layout layout = LayoutOf(entry.template_name);
  entry.template_kind = layout.kind;
  if (layout.count == 0) return true;
  if (layout.kind == Template::kIma ? ReadLegacy(entry) : ReadFramed(layout, entry)) return true;
  Entry bare;
  static_cast<Record&>(bare) = entry;
  bare.number = entry.number;
  bare.template_kind = entry.template_kind;
  entry = bare;
  return false;
}

Entry EntryOf(const Record& record, uint32_t number) {
  Entry entry;
  static_cast<Record&>(entry) = record;
  entry.number = number;
  ReadFields(entry);
  return entry;
}

std::optional<bool> BufferDigestHolds(const Entry& entry) {
  const std::optional<crypto::HashAlg> alg = DigestAlg(entry.digest_name);
  if (!alg.has_value()) return std::nullopt;
  return SameBytes(crypto::Hash(*alg, entry.buffer).view(), entry.file_digest);
}

std::optional<crypto::HashAlg> DigestAlg(absl::string_view digest_name) {
  const DigestRow* const row = RowOf(digest_name);
  return row != nullptr ? row->alg : std::nullopt;
}

}  // namespace bootgate::ima
