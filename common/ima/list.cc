#include "common/ima/list.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/bytes/reader.h"
#include "common/ima/fields.h"
#include "common/registers/bank.h"

namespace bootgate::ima {
namespace {

constexpr size_t kListedDigest = 20;        // bytes
constexpr size_t kMaxTemplateName = 255;    // bytes, the kernel's TCG_EVENT_NAME_LEN_MAX
constexpr size_t kTypicalEntryBytes = 112;  // for the first reservation only

}  // namespace

class ListParser {
 public:
  explicit ListParser(ByteView bytes) : bytes_(bytes), in_(bytes) {}
  List Run();

 private:
  bool ReadEntry(Entry& entry);
  bool ReadTemplateData(Entry& entry);
  bool ReadLegacyData(Entry& entry);
  void Check(Entry& entry);
  bool Cut(const Entry& entry, absl::string_view what);
  bool Limit(const Entry& entry, std::string text);
  void Note(Reason reason, const Entry& entry, std::string text);

  ByteView bytes_;
  bytes::Reader in_;
  List list_;
};

List List::Parse(ByteView bytes) { return ListParser(bytes).Run(); }

List ListParser::Run() {
  if (bytes_.size() > kMaxListBytes) {
    Limit(Entry{}, absl::StrCat("list of ", bytes_.size(), " bytes"));
    return std::move(list_);
  }
  list_.entries_.reserve(std::min(kMaxEntries, bytes_.size() / kTypicalEntryBytes + 1));
  while (!in_.empty()) {
    Entry entry;
    entry.offset = in_.offset();
    entry.number = static_cast<uint32_t>(list_.entries_.size());
    if (entry.number >= kMaxEntries) {
      Limit(entry, absl::StrCat("more than ", kMaxEntries, " entries"));
      break;
    }
    if (!ReadEntry(entry)) break;
    Check(entry);
    list_.entries_.push_back(entry);
  }
  return std::move(list_);
}

bool ListParser::ReadEntry(Entry& entry) {
  uint32_t name_size = 0;
  ByteView name;
  if (!in_.TryU32Le(&entry.register_index) || !in_.TryTake(kListedDigest, &entry.listed_digest) ||
      !in_.TryU32Le(&name_size)) {
    return Cut(entry, "its header");
  }
  if (name_size > kMaxTemplateName) {
    return Limit(entry, absl::StrCat("template name of ", name_size, " bytes"));
  }
  if (!in_.TryTake(name_size, &name)) return Cut(entry, "its template name");
  entry.template_name = AsText(name);
  entry.template_kind = TemplateOf(entry.template_name);
  return entry.template_kind == Template::kIma ? ReadLegacyData(entry) : ReadTemplateData(entry);
}

bool ListParser::ReadTemplateData(Entry& entry) {
  uint32_t size = 0;
  if (!in_.TryU32Le(&size)) return Cut(entry, "its template data size");
  if (size > kMaxTemplateData) {
    return Limit(entry, absl::StrCat("template data of ", size, " bytes"));
  }
  if (!in_.TryTake(size, &entry.template_data)) return Cut(entry, "its template data");
  return true;
}

// The oldest template has no length of its own: a digest, then a length and a name.
bool ListParser::ReadLegacyData(Entry& entry) {
  const size_t start = in_.offset();
  ByteView skipped;
  uint32_t size = 0;
  if (!in_.TryTake(kListedDigest, &skipped) || !in_.TryU32Le(&size)) {
    return Cut(entry, "its template data");
  }
  if (size > kMaxTemplateData) return Limit(entry, absl::StrCat("file name of ", size, " bytes"));
  if (!in_.TryTake(size, &skipped)) return Cut(entry, "its file name");
  entry.template_data = bytes_.subspan(start, in_.offset() - start);
  return true;
}

void ListParser::Check(Entry& entry) {
  entry.violation = std::ranges::all_of(entry.listed_digest, [](uint8_t b) { return b == 0; });
  if (!ReadFields(entry)) {
    Note(Reason::kImaTemplate, entry, "its template's fields are not well-formed");
  }
  if (entry.register_index >= registers::kCount) {
    Note(Reason::kImaTemplate, entry, absl::StrCat("register ", entry.register_index));
  }
}

bool ListParser::Cut(const Entry& entry, absl::string_view what) {
  Note(Reason::kImaTruncated, entry, absl::StrCat("the list ends inside ", what));
  return false;
}

bool ListParser::Limit(const Entry& entry, std::string text) {
  Note(Reason::kImaLimit, entry, std::move(text));
  return false;
}

void ListParser::Note(Reason reason, const Entry& entry, std::string text) {
  if (list_.defects_.size() >= kMaxDefects) return;
  const bool last = list_.defects_.size() + 1 == kMaxDefects;
  list_.defects_.push_back(
      {.reason = reason,
       .offset = entry.offset,
       .entry = entry.number,
       .text = absl::StrCat("entry ", entry.number, " at offset ", entry.offset, ": ", text,
                            last ? "; further defects are not listed" : "")});
}

}  // namespace bootgate::ima
