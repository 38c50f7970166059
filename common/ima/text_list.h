// The kernel's text form of a list made binary again, for tests with captured text lists.
//
// Implements: Linux Documentation/security/IMA-templates.rst, for the templates that such lists
// have: ima, ima-ng, ima-sig, ima-buf. But for the first, the kernel writes '_' for a space in a
// path, so columns are plain. The product reads binary lists alone: a file name can make lines of
// its own.
#pragma once

#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/ima/list_builder.h"

namespace bootgate::testing {

// "sha256:hex" as a d-ng field.
inline std::optional<Bytes> TextDigest(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, ':');
  const absl::StatusOr<Bytes> digest = FromHex(parts.second);
  if (!digest.ok() || digest->empty()) return std::nullopt;
  bytes::Writer out;
  out.Raw(AsBytes(parts.first)).U8(':').U8(0).Raw(*digest);
  return out.Finish();
}

// False, and nothing is added, when the line is none.
inline bool AddTextLine(ListBuilder& list, absl::string_view line) {
  const std::vector<absl::string_view> columns = absl::StrSplit(line, ' ');
  if (columns.size() < 5) return false;
  uint32_t index = 0;
  const absl::StatusOr<Bytes> listed = FromHex(columns[1]);
  if (!absl::SimpleAtoi(columns[0], &index) || !listed.ok()) return false;
  if (columns[2] == "ima") {
    const absl::StatusOr<Bytes> digest = FromHex(columns[3]);
    const absl::string_view path =
        line.substr(static_cast<size_t>(columns[4].data() - line.data()));
    if (digest.ok()) list.Legacy(*listed, *digest, path);
    return digest.ok();
  }
  const std::optional<Bytes> digest = TextDigest(columns[3]);
  const absl::StatusOr<Bytes> last = FromHex(columns.size() > 5 ? columns[5] : "");
  if (!digest.has_value() || !last.ok()) return false;
  bytes::Writer data;
  AddField(data, *digest);
  AddField(data, PathField(columns[4]));
  if (columns[2] != "ima-ng") AddField(data, *last);
  list.Listed(index, *listed, columns[2], data.view());
  return true;
}

struct TextList {
  Bytes bytes;
  size_t lines_that_are_none = 0;
};

inline TextList FromText(absl::string_view text) {
  TextList out;
  ListBuilder list;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (!AddTextLine(list, line)) ++out.lines_that_are_none;
  }
  out.bytes = list.Finish();
  return out;
}

}  // namespace bootgate::testing
