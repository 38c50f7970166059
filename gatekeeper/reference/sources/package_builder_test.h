// Package files for tests, byte by byte: no packaging tool is needed.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/bytes_view.h"
#include "common/bytes/writer.h"

namespace bootgate::testing {

struct Packed {
  std::string path;
  std::string content;
  std::string hardlink = "";  // another name of that one
  std::string symlink = "";
  int mode = 0644;
  unsigned links = 1;  // names of this file, for cpio
};

// `format` as libarchive names it: "ustar", "newc"; `filter`: "none", "gzip", "xz", "zstd".
inline std::string Archive(const char* format, const char* filter,
                           const std::vector<Packed>& files) {
  constexpr size_t kMax = size_t{4} << 20;
  std::string out(kMax, '\0');
  size_t used = 0;
  archive* const writer = archive_write_new();
  archive_write_set_format_by_name(writer, format);
  if (absl::string_view(filter) != "none") archive_write_add_filter_by_name(writer, filter);
  archive_write_set_bytes_in_last_block(writer, 1);
  archive_write_open_memory(writer, out.data(), out.size(), &used);
  for (const Packed& file : files) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, file.path.c_str());
    archive_entry_set_filetype(entry, file.symlink.empty() ? AE_IFREG : AE_IFLNK);
    archive_entry_set_perm(entry, static_cast<mode_t>(file.mode));
    archive_entry_set_size(entry, static_cast<la_int64_t>(file.content.size()));
    archive_entry_set_nlink(entry, file.links);
    if (file.links > 1) archive_entry_set_ino(entry, 77);
    if (!file.hardlink.empty()) archive_entry_set_hardlink(entry, file.hardlink.c_str());
    if (!file.symlink.empty()) archive_entry_set_symlink(entry, file.symlink.c_str());
    archive_write_header(writer, entry);
    archive_write_data(writer, file.content.data(), file.content.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  out.resize(used);
  return out;
}

// ar(5): a head of 60 characters, then the content, padded to an even length.
inline std::string Ar(const std::vector<Packed>& files) {
  const auto padded = [](std::string text, size_t size) {
    text.resize(size, ' ');
    return text;
  };
  std::string out = "!<arch>\n";
  for (const Packed& file : files) {
    absl::StrAppend(&out, padded(file.path, 16), padded("0", 12), padded("0", 6), padded("0", 6),
                    padded("100644", 8), padded(absl::StrCat(file.content.size()), 10), "`\n",
                    file.content, file.content.size() % 2 == 0 ? "" : "\n");
  }
  return out;
}

inline std::string DebOf(absl::string_view control, const std::vector<Packed>& files,
                         const char* filter = "gzip") {
  const std::string control_tar =
      Archive("ustar", "gzip", {{.path = "./control", .content = std::string(control)}});
  return Ar(
      {{.path = "debian-binary", .content = "2.0\n"},
       {.path = "control.tar.gz", .content = control_tar},
       {.path = absl::StrCat("data.tar.", filter), .content = Archive("ustar", filter, files)}});
}

inline std::string Control(absl::string_view name, absl::string_view version) {
  return absl::StrCat("Package: ", name, "\nVersion: ", version,
                      "\nArchitecture: amd64\nDescription: one\n Version: of the text\n");
}

// An RPM header structure: tags with one text or one number each.
class RpmHeaderBuilder {
 public:
  RpmHeaderBuilder& Text(uint32_t tag, absl::string_view text) {
    Entry(tag, 6);
    store_.Raw(AsBytes(text)).U8(0);
    return *this;
  }
  RpmHeaderBuilder& Number(uint32_t tag, uint32_t value) {
    while (store_.view().size() % 4 != 0) store_.U8(0);
    Entry(tag, 4);
    store_.U32Be(value);
    return *this;
  }
  Bytes Finish() {
    bytes::Writer out;
    out.U32Be(0x8eade801).U32Be(0).U32Be(count_);
    out.U32Be(static_cast<uint32_t>(store_.view().size())).Raw(index_.view()).Raw(store_.view());
    return out.Finish();
  }

 private:
  void Entry(uint32_t tag, uint32_t type) {
    index_.U32Be(tag).U32Be(type).U32Be(static_cast<uint32_t>(store_.view().size())).U32Be(1);
    ++count_;
  }
  uint32_t count_ = 0;
  bytes::Writer index_, store_;
};

struct RpmName {
  std::string name, version, release;
  uint32_t epoch = 0;
  bool source = false;
};

inline Bytes RpmHeadOf(const RpmName& rpm) {
  bytes::Writer out;
  out.U32Be(0xedabeedb);
  for (int i = 4; i < 96; ++i) out.U8(0);
  out.Raw(RpmHeaderBuilder().Text(1000, "of the signatures").Finish());
  while (out.view().size() % 8 != 0) out.U8(0);
  RpmHeaderBuilder header;
  header.Text(1000, rpm.name).Text(1001, rpm.version).Text(1002, rpm.release);
  if (rpm.epoch != 0) header.Number(1003, rpm.epoch);
  header.Text(1022, "x86_64");
  if (!rpm.source) header.Text(1044, "from.src.rpm");
  out.Raw(header.Finish());
  return out.Finish();
}

inline std::string RpmOf(const RpmName& rpm, const std::vector<Packed>& files,
                         const char* filter = "gzip") {
  return absl::StrCat(AsText(RpmHeadOf(rpm)), Archive("newc", filter, files));
}

}  // namespace bootgate::testing
