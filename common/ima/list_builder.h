// Makes IMA lists for tests, entry by entry: also ones that no kernel writes.
#pragma once

#include "common/base/bytes_view.h"
#include "common/bytes/writer.h"
#include "common/crypto/hash.h"
#include "common/ima/record.h"

namespace bootgate::testing {

inline void AddU32(bytes::Writer& out, size_t value, ima::ByteOrder order) {
  const auto bits = static_cast<uint32_t>(value);
  if (order == ima::ByteOrder::kBig) {
    out.U32Be(bits);
  } else {
    out.U32Le(bits);
  }
}

// A field of the newer templates: its length, then its bytes.
inline void AddField(bytes::Writer& out, ByteView field,
                     ima::ByteOrder order = ima::ByteOrder::kLittle) {
  AddU32(out, field.size(), order);
  out.Raw(field);
}

// d-ng of a file whose content is `content`.
inline Bytes DigestField(crypto::HashAlg alg, absl::string_view content) {
  bytes::Writer out;
  out.Raw(AsBytes(crypto::Name(alg))).U8(':').U8(0);
  out.Raw(crypto::Hash(alg, AsBytes(content)).view());
  return out.Finish();
}

// n-ng: the path and its NUL.
inline Bytes PathField(absl::string_view path) {
  bytes::Writer out;
  out.Raw(AsBytes(path)).U8(0);
  return out.Finish();
}

inline Bytes NgData(absl::string_view path, absl::string_view content,
                    ima::ByteOrder order = ima::ByteOrder::kLittle) {
  bytes::Writer out;
  AddField(out, DigestField(crypto::HashAlg::kSha256, content), order);
  AddField(out, PathField(path), order);
  return out.Finish();
}

class ListBuilder {
 public:
  // Integers in this order; the listed digests are SHA-1 unless the caller lists others.
  explicit ListBuilder(ima::ByteOrder order = ima::ByteOrder::kLittle) : order_(order) {}

  // An entry with this listed digest, whatever its data.
  ListBuilder& Listed(uint32_t index, ByteView listed, absl::string_view name, ByteView data) {
    Head(index, listed, name);
    AddU32(out_, data.size(), order_);
    out_.Raw(data);
    return *this;
  }

  // An entry whose listed digest is true.
  ListBuilder& Entry(absl::string_view name, ByteView data, uint32_t index = 10) {
    return Listed(index, crypto::Hash(crypto::HashAlg::kSha1, data).view(), name, data);
  }

  ListBuilder& Ng(absl::string_view path, absl::string_view content, uint32_t index = 10) {
    return Entry("ima-ng", NgData(path, content, order_), index);
  }

  ListBuilder& Violation(absl::string_view path) {
    return Listed(10, Bytes(20, 0), "ima-ng", NgData(path, "what was there", order_));
  }

  // An entry of the oldest template: its data has no length.
  ListBuilder& Legacy(ByteView listed, ByteView digest, absl::string_view path) {
    Head(10, listed, "ima");
    out_.Raw(digest);
    AddU32(out_, path.size(), order_);
    out_.Raw(AsBytes(path));
    return *this;
  }

  ListBuilder& Raw(ByteView bytes) {
    out_.Raw(bytes);
    return *this;
  }

  Bytes Finish() { return out_.Finish(); }

 private:
  void Head(uint32_t index, ByteView listed, absl::string_view name) {
    AddU32(out_, index, order_);
    out_.Raw(listed);
    AddU32(out_, name.size(), order_);
    out_.Raw(AsBytes(name));
  }

  ima::ByteOrder order_;
  bytes::Writer out_;
};

}  // namespace bootgate::testing
