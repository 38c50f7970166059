#include "common/ima/fields.h"

#include <algorithm>

#include "common/bytes/reader.h"

namespace bootgate::ima {
namespace {

constexpr size_t kMaxDigestName = 32;   // bytes; the kernel's longest is "streebog512"
constexpr size_t kLegacyDigest = 20;    // bytes
constexpr size_t kMaxLegacyName = 255;  // bytes

struct TemplateRow {
  absl::string_view name;
  Template kind;
};
constexpr TemplateRow kTemplates[] = {
    {"ima-ng", Template::kImaNg},
    {"ima-sig", Template::kImaSig},
    {"ima-buf", Template::kImaBuf},
    {"ima", Template::kIma},
};

// A field of the newer templates: its length, then its bytes.
bool TakeField(bytes::Reader& in, ByteView* field) {
  uint32_t size = 0;
  return in.TryU32Le(&size) && in.TryTake(size, field);
}

bool IsDigestName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxDigestName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// d-ng: algorithm name, colon, NUL, digest.
bool SplitDigest(ByteView field, Entry& entry) {
  const absl::string_view text = AsText(field);
  const size_t colon = text.substr(0, kMaxDigestName + 1).find(':');
  if (colon == absl::string_view::npos || colon + 1 >= text.size() || text[colon + 1] != '\0') {
    return false;
  }
  entry.digest_name = text.substr(0, colon);
  entry.file_digest = field.subspan(colon + 2);
  if (!IsDigestName(entry.digest_name)) return false;
  const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromName(entry.digest_name);
  if (alg.has_value()) return entry.file_digest.size() == crypto::DigestSize(*alg);
  return !entry.file_digest.empty() && entry.file_digest.size() <= crypto::kMaxDigestSize;
}

// n-ng: the path and one NUL at its end.
bool SplitPath(ByteView field, Entry& entry) {
  const absl::string_view text = AsText(field);
  if (text.empty() || text.find('\0') != text.size() - 1) return false;
  entry.path = text.substr(0, text.size() - 1);
  return true;
}

bool ReadLegacy(Entry& entry) {
  bytes::Reader in(entry.template_data);
  ByteView name;
  if (!in.TryTake(kLegacyDigest, &entry.file_digest) || !TakeField(in, &name) || !in.empty()) {
    return false;
  }
  entry.digest_name = "sha1";
  entry.path = AsText(name);
  return name.size() <= kMaxLegacyName && entry.path.find('\0') == absl::string_view::npos;
}

bool ReadNewer(Entry& entry) {
  bytes::Reader in(entry.template_data);
  ByteView digest;
  ByteView path;
  if (!TakeField(in, &digest) || !SplitDigest(digest, entry) || !TakeField(in, &path) ||
      !SplitPath(path, entry)) {
    return false;
  }
  if (entry.template_kind == Template::kImaSig && !TakeField(in, &entry.signature)) return false;
  if (entry.template_kind == Template::kImaBuf && !TakeField(in, &entry.buffer)) return false;
  return in.empty();
}

}  // namespace

Template TemplateOf(absl::string_view name) {
  for (const TemplateRow& row : kTemplates) {
    if (row.name == name) return row.kind;
  }
  return Template::kOther;
}

bool ReadFields(Entry& entry) {
  if (entry.template_kind == Template::kOther) return true;
  if (entry.template_kind == Template::kIma ? ReadLegacy(entry) : ReadNewer(entry)) return true;
  entry.digest_name = {};
  entry.file_digest = {};
  entry.path = {};
  entry.signature = {};
  entry.buffer = {};
  return false;
}

}  // namespace bootgate::ima
