// The files of an archive, one after the other, by libarchive: ar, tar and cpio, compressed with
// gzip, bzip2, xz, lzma or zstd. Nothing is unpacked anywhere: content is handed on in pieces.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"

struct archive;
struct archive_entry;

namespace bootgate::gatekeeper::reference {

// One member, good until the next.
struct ArchiveMember {
  std::string path;      // as the archive writes it
  std::string hardlink;  // of which member this is another name; empty: of none
  bool regular = false;  // a file with content; hard links too
  bool executable = false;
  size_t size = 0;  // bytes, as announced
};

class ArchiveReader {
 public:
  // Gives the next piece of the compressed bytes; empty at their end. The piece is good until the
  // next call.
  using Source = std::function<absl::StatusOr<ByteView>()>;

  // `name` stands in errors.
  static absl::StatusOr<std::unique_ptr<ArchiveReader>> OpenFile(const std::string& path);
  static absl::StatusOr<std::unique_ptr<ArchiveReader>> Open(Source source, std::string name);

  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;
  ~ArchiveReader();

  // False at the end. kInvalidArgument where the archive is damaged.
  absl::StatusOr<bool> Next(ArchiveMember* member);
  // The next piece of this member's content; empty at its end.
  absl::StatusOr<ByteView> Piece();
  // All of it; kResourceExhausted where it is more than `max_bytes`.
  absl::StatusOr<Bytes> Content(size_t max_bytes);
  // SHA-256 of all of it.
  absl::StatusOr<Bytes> Hash();

 private:
  ArchiveReader(archive* handle, Source source, std::string name);
  absl::Status Error(absl::string_view doing) const;
  static long ReadMore(archive* handle, void* self, const void** piece);

  archive* const handle_;
  const Source source_;
  const std::string name_;
  absl::Status source_error_;
  Bytes buffer_;
};

}  // namespace bootgate::gatekeeper::reference
