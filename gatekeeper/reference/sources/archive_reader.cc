#include "gatekeeper/reference/sources/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/hasher.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr size_t kPiece = size_t{256} << 10;  // bytes read at once

// Only what packages are made of: each further format is code that a hostile file could reach.
archive* NewHandle() {
  archive* const handle = archive_read_new();
  if (handle == nullptr) std::abort();  // no memory
  archive_read_support_filter_gzip(handle);
  archive_read_support_filter_bzip2(handle);
  archive_read_support_filter_xz(handle);
  archive_read_support_filter_lzma(handle);
  archive_read_support_filter_zstd(handle);
  archive_read_support_format_ar(handle);
  archive_read_support_format_tar(handle);
  archive_read_support_format_cpio(handle);
  return handle;
}

std::string TextOf(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

ArchiveReader::ArchiveReader(archive* handle, Source source, std::string name)
    : handle_(handle), source_(std::move(source)), name_(std::move(name)) {}

ArchiveReader::~ArchiveReader() { archive_read_free(handle_); }

absl::Status ArchiveReader::Error(absl::string_view doing) const {
  if (!source_error_.ok()) return source_error_;
  return absl::InvalidArgumentError(absl::StrCat(Printable(name_), ": cannot ", doing, ": ",
                                                 Printable(TextOf(archive_error_string(handle_)))));
}

absl::StatusOr<std::unique_ptr<ArchiveReader>> ArchiveReader::OpenFile(const std::string& path) {
  std::unique_ptr<ArchiveReader> reader(new ArchiveReader(NewHandle(), nullptr, path));
  if (archive_read_open_filename(reader->handle_, path.c_str(), kPiece) != ARCHIVE_OK) {
    return reader->Error("open it");
  }
  return reader;
}

absl::StatusOr<std::unique_ptr<ArchiveReader>> ArchiveReader::Open(Source source,
                                                                   std::string name) {
  std::unique_ptr<ArchiveReader> reader(
      new ArchiveReader(NewHandle(), std::move(source), std::move(name)));
  if (archive_read_open(reader->handle_, reader.get(), nullptr, ReadMore, nullptr) != ARCHIVE_OK) {
    return reader->Error("open it");
  }
  return reader;
}

long ArchiveReader::ReadMore(archive* handle, void* self, const void** piece) {
  auto* const reader = static_cast<ArchiveReader*>(self);
  const absl::StatusOr<ByteView> more = reader->source_();
  if (!more.ok()) {
    reader->source_error_ = more.status();
    archive_set_error(handle, EIO, "source");
    return -1;
  }
  *piece = more->data();
  return static_cast<long>(more->size());
}

absl::StatusOr<bool> ArchiveReader::Next(ArchiveMember* member) {
  archive_entry* entry = nullptr;
  const int result = archive_read_next_header(handle_, &entry);
  if (result == ARCHIVE_EOF) return false;
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) return Error("read its next member");
  member->path = TextOf(archive_entry_pathname(entry));
  member->hardlink = TextOf(archive_entry_hardlink(entry));
  member->regular = archive_entry_filetype(entry) == AE_IFREG || !member->hardlink.empty();
  member->executable = (archive_entry_perm(entry) & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
  const int64_t size = archive_entry_size(entry);
  member->size = size < 0 ? 0 : static_cast<size_t>(size);
  return true;
}

absl::StatusOr<ByteView> ArchiveReader::Piece() {
  buffer_.resize(kPiece);
  const la_ssize_t n = archive_read_data(handle_, buffer_.data(), buffer_.size());
  if (n < 0) return Error("read a member's content");
  return ByteView(buffer_).first(static_cast<size_t>(n));
}

absl::StatusOr<Bytes> ArchiveReader::Content(size_t max_bytes) {
  Bytes out;
  while (true) {
    BG_ASSIGN_OR_RETURN(const ByteView piece, Piece());
    if (piece.empty()) return out;
    if (piece.size() > max_bytes - out.size()) {
      return absl::ResourceExhaustedError(
          absl::StrCat(Printable(name_), ": a member larger than ", max_bytes, " bytes"));
    }
    out.insert(out.end(), piece.begin(), piece.end());
  }
}

absl::StatusOr<Bytes> ArchiveReader::Hash() {
  crypto::Hasher hasher(crypto::HashAlg::kSha256);
  while (true) {
    BG_ASSIGN_OR_RETURN(const ByteView piece, Piece());
    if (piece.empty()) return ToBytes(hasher.Finish().view());
    hasher.Add(piece);
  }
}

}  // namespace bootgate::gatekeeper::reference
