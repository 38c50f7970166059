// The IMA measurement list in the kernel's binary form.
//
// Implements: Linux Documentation/security/IMA-templates.rst and security/integrity/ima
// (ima_template.c, ima_fs.c): every template and format, either byte order, listed digests of any
// bank.
//
// Parsing is total and borrows the bytes. Beside them a list takes 4 bytes for each entry: where it
// begins. An entry is read again whenever it is asked for, which costs less than keeping it. Lists
// that come in pieces: list_stream.h. Digests listed in the file are not believed: template digests
// are recomputed from the template data (replay.h).
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "common/ima/entry.h"

namespace bootgate::ima {

inline constexpr size_t kMaxListBytes = size_t{256} << 20;
inline constexpr size_t kMaxEntries = size_t{1} << 20;
inline constexpr size_t kMaxTemplateData = size_t{1} << 20;  // bytes
inline constexpr size_t kMaxDefects = 256;  // the last one says that there were more

// What is read of a list at most; past it there is one defect kImaLimit and no further entry.
struct Limits {
  size_t list_bytes = kMaxListBytes;  // never more than 4 GiB
  size_t entries = kMaxEntries;
  size_t template_data = kMaxTemplateData;  // bytes
};

struct Defect {
  Reason reason = Reason::kImaTruncated;  // an IMA_... code
  size_t offset = 0;
  std::optional<uint32_t> entry;
  std::string text;
};

// The entries in order, each made when it is asked for. Numbers are below size().
class Entries {
 public:
  class Iterator;
  using value_type = Entry;
  using const_iterator = Iterator;

  size_t size() const { return offsets_.size(); }
  bool empty() const { return offsets_.empty(); }
  Entry operator[](size_t number) const;
  Entry front() const { return (*this)[0]; }
  Entry back() const { return (*this)[size() - 1]; }
  Iterator begin() const;
  Iterator end() const;

  // Without its fields: all that a replay needs.
  Record RecordAt(size_t number) const;

  const Format& format() const { return format_; }
  size_t memory_bytes() const { return offsets_.capacity() * sizeof(uint32_t); }

 private:
  friend class List;
  ByteView bytes_;
  Format format_;
  std::vector<uint32_t> offsets_;
};

class Entries::Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = Entry;
  using difference_type = std::ptrdiff_t;
  using pointer = void;
  using reference = Entry;

  Iterator() = default;
  Iterator(const Entries* entries, size_t number) : entries_(entries), number_(number) {}
  Entry operator*() const { return (*entries_)[number_]; }
  Iterator& operator++() {
    ++number_;
    return *this;
  }
  Iterator operator++(int) {
    const Iterator before = *this;
    ++number_;
    return before;
  }
  friend bool operator==(const Iterator&, const Iterator&) = default;

 private:
  const Entries* entries_ = nullptr;
  size_t number_ = 0;
};

inline Entries::Iterator Entries::begin() const { return {this, 0}; }
inline Entries::Iterator Entries::end() const { return {this, size()}; }

class List {
 public:
  static List Parse(ByteView bytes, const Limits& limits = {});
  const Entries& entries() const { return entries_; }
  const std::vector<Defect>& defects() const { return defects_; }
  const Format& format() const { return entries_.format(); }

 private:
  Entries entries_;
  std::vector<Defect> defects_;
};

}  // namespace bootgate::ima
