#include "common/eventlog/decode/signature_list.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/bytes/reader.h"
#include "common/eventlog/decode/guid.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kListHeader = 28;  // bytes: type, three sizes
constexpr size_t kOwner = kGuidBytes;
constexpr size_t kEfiTime = 16;  // bytes

// One type of list: how long its values are. `value` 0: any length.
struct KindRow {
  Guid type;
  SignatureKind kind;
  absl::string_view name;
  size_t value;    // bytes
  size_t revoked;  // bytes after the value
};

constexpr KindRow kKinds[] = {
    {Guid("a5c059a1-94e4-4aa7-87b5-ab155c2bf072"), SignatureKind::kX509, "x509", 0, 0},
    {Guid("826ca512-cf10-4ac9-b187-be01496631bd"), SignatureKind::kSha1, "sha1", 20, 0},
    {Guid("0b6e5233-a65c-44c9-9407-d9ab83bfc8bd"), SignatureKind::kSha224, "sha224", 28, 0},
    {Guid("c1c41626-504c-4092-aca9-41f936934328"), SignatureKind::kSha256, "sha256", 32, 0},
    {Guid("ff3e5307-9fd0-48c9-85f1-8ad56c701e01"), SignatureKind::kSha384, "sha384", 48, 0},
    {Guid("093e0fae-a6c4-4f50-9f1b-d41e2b89c19a"), SignatureKind::kSha512, "sha512", 64, 0},
    {Guid("3bd2a492-96c0-4079-b420-fcf98ef103ed"), SignatureKind::kX509Sha256, "x509_sha256", 32,
     kEfiTime},
    {Guid("7076876e-80c2-4ee6-aad2-28b349a6865b"), SignatureKind::kX509Sha384, "x509_sha384", 48,
     kEfiTime},
    {Guid("446dbf63-2502-4cda-bcfa-2465d2b0fe9d"), SignatureKind::kX509Sha512, "x509_sha512", 64,
     kEfiTime},
    {Guid("3c5766e8-269c-4e34-aa14-ed776e85b3b6"), SignatureKind::kRsa2048, "rsa2048", 256, 0},
    {Guid("67f8444f-8743-48f1-a328-1eaab8736080"), SignatureKind::kRsa2048Sha1, "rsa2048_sha1", 256,
     0},
    {Guid("e2b36190-879b-4a3d-ad8d-f2e7bba32784"), SignatureKind::kRsa2048Sha256, "rsa2048_sha256",
     256, 0},
};

const KindRow* FindKind(ByteView type) {
  const auto row = std::ranges::find_if(kKinds, [&](const KindRow& r) { return r.type == type; });
  return row == std::end(kKinds) ? nullptr : row;
}

// One list as it lies: `entries` is a whole number of entries of `entry_size` bytes.
struct List {
  ByteView type;
  ByteView entries;
  size_t entry_size = 0;
  size_t size = 0;  // bytes of the whole list
};

// Takes the list's parts off `in`; the problem's text, empty when all is well.
std::string TakeList(bytes::Reader& in, List* list) {
  uint32_t size = 0;
  uint32_t header = 0;
  uint32_t entry = 0;
  if (!in.TryTake(kGuidBytes, &list->type) || !in.TryU32Le(&size) || !in.TryU32Le(&header) ||
      !in.TryU32Le(&entry)) {
    return "ends inside a list's header";
  }
  if (size < kListHeader) return absl::StrCat("ListSize ", size, " is less than its own header");
  if (size - kListHeader > in.remaining()) {
    return absl::StrCat("ListSize ", size, " goes past the end");
  }
  if (entry <= kOwner) return absl::StrCat("SignatureSize ", entry, " leaves no room for a value");
  const KindRow* const row = FindKind(list->type);
  if (row != nullptr && header != 0) {
    return absl::StrCat("SignatureHeaderSize ", header, " in a list of ", row->name);
  }
  if (row != nullptr && row->value != 0 && entry != kOwner + row->value + row->revoked) {
    return absl::StrCat("SignatureSize ", entry, " in a list of ", row->name);
  }
  ByteView header_bytes;
  if (header > size - kListHeader || !in.TryTake(header, &header_bytes)) {
    return absl::StrCat("SignatureHeaderSize ", header, " goes past the list");
  }
  const size_t entries = size - kListHeader - header;
  if (entries % entry != 0 || !in.TryTake(entries, &list->entries)) {
    return absl::StrCat("a list of ", entries, " bytes is no whole number of entries of ", entry);
  }
  list->entry_size = entry;
  list->size = size;
  return "";
}

// Of bytes that were found well formed.
List ListAt(ByteView bytes) {
  bytes::Reader in(bytes);
  List list;
  TakeList(in, &list);
  return list;
}

size_t Count(const List& list) { return list.entries.size() / list.entry_size; }

}  // namespace

bool IsCertificate(SignatureKind kind) {
  return kind == SignatureKind::kX509 || kind == SignatureKind::kX509Sha256 ||
         kind == SignatureKind::kX509Sha384 || kind == SignatureKind::kX509Sha512;
}

absl::string_view Name(SignatureKind kind) {
  for (const KindRow& row : kKinds) {
    if (row.kind == kind) return row.name;
  }
  return "other";
}

SignatureLists SignatureLists::Read(ByteView bytes) {
  SignatureLists lists;
  bytes::Reader in(bytes);
  size_t count = 0;
  while (!in.empty()) {
    const size_t start = in.offset();
    List list;
    lists.problem_ = TakeList(in, &list);
    if (!lists.problem_.empty()) {
      absl::StrAppend(&lists.problem_, ", at offset ", start);
      return lists;
    }
    count += Count(list);
  }
  lists.bytes_ = bytes;
  lists.count_ = count;
  return lists;
}

SignatureLists::Iterator SignatureLists::begin() const {
  Iterator first(bytes_);
  first.SkipEmptyLists();
  return first;
}

void SignatureLists::Iterator::SkipEmptyLists() {
  while (!rest_.empty()) {
    const List list = ListAt(rest_);
    if (entry_ < Count(list)) return;
    rest_ = rest_.subspan(list.size);
    entry_ = 0;
  }
}

SignatureLists::Iterator& SignatureLists::Iterator::operator++() {
  ++entry_;
  SkipEmptyLists();
  return *this;
}

SignatureEntry SignatureLists::Iterator::operator*() const {
  const List list = ListAt(rest_);
  const ByteView entry = list.entries.subspan(entry_ * list.entry_size, list.entry_size);
  const KindRow* const row = FindKind(list.type);
  const ByteView rest = entry.subspan(kOwner);
  const size_t revoked = row == nullptr ? 0 : row->revoked;
  return {.kind = row == nullptr ? SignatureKind::kOther : row->kind,
          .type = list.type,
          .owner = entry.first(kOwner),
          .value = rest.first(rest.size() - revoked),
          .revoked_at = rest.last(revoked)};
}

std::optional<SignatureEntry> ReadSignatureData(ByteView bytes) {
  if (bytes.size() <= kOwner) return std::nullopt;
  const ByteView value = bytes.subspan(kOwner);
  SignatureEntry entry{.owner = bytes.first(kOwner), .value = value};
  const bool hash = value.size() == 32;
  const auto row = std::ranges::find(kKinds, hash ? SignatureKind::kSha256 : SignatureKind::kX509,
                                     &KindRow::kind);
  if (!hash && !LooksLikeCertificate(value)) return std::nullopt;
  entry.kind = row->kind;
  entry.type = row->type.view();
  return entry;
}

// A SEQUENCE with a two-byte length that is all there is: every certificate of a real size.
bool LooksLikeCertificate(ByteView bytes) {
  constexpr size_t kDerHeader = 4;
  return bytes.size() > kDerHeader && bytes[0] == 0x30 && bytes[1] == 0x82 &&
         (size_t{bytes[2]} << 8 | bytes[3]) == bytes.size() - kDerHeader;
}

std::string EfiTimeText(ByteView efi_time) {
  if (efi_time.size() != kEfiTime) return "";
  const int year = efi_time[0] | efi_time[1] << 8;
  const int month = efi_time[2], day = efi_time[3], hour = efi_time[4], minute = efi_time[5],
            second = efi_time[6];
  if (year < 1900 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
      minute > 59 || second > 59) {
    return "";
  }
  const auto two = [](int number) { return absl::Dec(number, absl::kZeroPad2); };
  return absl::StrCat(year, "-", two(month), "-", two(day), "T", two(hour), ":", two(minute), ":",
                      two(second), "Z");
}

}  // namespace bootgate::eventlog
