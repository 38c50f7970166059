#include "common/eventlog/decode/no_action.h"

#include "absl/strings/string_view.h"
#include "common/bytes/reader.h"
#include "common/eventlog/decode/guid.h"
#include "common/eventlog/decode/uefi_text.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kSignatureBytes = 16;

struct SignatureRow {
  absl::string_view signature;  // kSignatureBytes, NULs included
  NoteKind kind;
};

constexpr SignatureRow kSignatures[] = {
    {absl::string_view("Spec ID Event00\0", kSignatureBytes), NoteKind::kSpecId00},
    {absl::string_view("Spec ID Event02\0", kSignatureBytes), NoteKind::kSpecId02},
    {absl::string_view("Spec ID Event03\0", kSignatureBytes), NoteKind::kSpecId03},
    {absl::string_view("StartupLocality\0", kSignatureBytes), NoteKind::kStartupLocality},
    {absl::string_view("SP800-155 Event\0", kSignatureBytes), NoteKind::kPlatformId},
    {absl::string_view("SP800-155 Event2", kSignatureBytes), NoteKind::kPlatformId2},
    {absl::string_view("SP800-155 Event3", kSignatureBytes), NoteKind::kPlatformId3},
    {absl::string_view("H-CRTM CompMeas\0", kSignatureBytes), NoteKind::kHcrtmComponent},
};

// A Windows record: a number in the range of its aggregations, then a size that fits.
bool IsWindowsRecord(ByteView data) {
  constexpr uint32_t kAggregation = 0x40000000, kMask = 0xff000000;
  bytes::Reader in(data);
  uint32_t id = 0;
  uint32_t size = 0;
  return in.TryU32Le(&id) && in.TryU32Le(&size) && (id & kMask) == kAggregation &&
         size <= in.remaining();
}

// A text with its size, NUL included, in the byte before it.
bool TryText(bytes::Reader& in, std::string* text) {
  uint8_t size = 0;
  ByteView bytes;
  if (!in.TryU8(&size) || !in.TryTake(size, &bytes)) return false;
  const absl::string_view all = AsText(bytes);
  *text = std::string(all.substr(0, all.find('\0')));
  return true;
}

bool TryManifest(bytes::Reader& in, Note* note) {
  ByteView guid;
  if (!in.TryU32Le(&note->platform_vendor) || !in.TryTake(kGuidBytes, &guid)) return false;
  note->manifest_guid = GuidText(guid);
  return true;
}

bool TryPlatform(bytes::Reader& in, Note* note) {
  uint32_t firmware_vendor = 0;
  return TryManifest(in, note) && TryText(in, &note->platform_manufacturer) &&
         TryText(in, &note->platform_model) && TryText(in, &note->platform_version) &&
         TryText(in, &note->firmware_manufacturer) && in.TryU32Le(&firmware_vendor) &&
         TryText(in, &note->firmware_version);
}

bool TryBody(bytes::Reader& in, Note* note) {
  switch (note->kind) {
    case NoteKind::kStartupLocality:
      return in.TryU8(&note->locality) && in.empty();
    case NoteKind::kPlatformId:
      return TryManifest(in, note);
    case NoteKind::kPlatformId2:
    case NoteKind::kPlatformId3:
      return TryPlatform(in, note);
    case NoteKind::kSpecId00:
    case NoteKind::kSpecId02:
    case NoteKind::kSpecId03:
    case NoteKind::kHcrtmComponent:
    case NoteKind::kWindowsBoot:
    case NoteKind::kOther:
      return true;
  }
  __builtin_unreachable();
}

}  // namespace

absl::string_view Name(NoteKind kind) {
  switch (kind) {
    case NoteKind::kSpecId00:
      return "Spec ID event, conventional";
    case NoteKind::kSpecId02:
      return "Spec ID event, SHA-1";
    case NoteKind::kSpecId03:
      return "Spec ID event";
    case NoteKind::kStartupLocality:
      return "startup locality";
    case NoteKind::kPlatformId:
    case NoteKind::kPlatformId2:
    case NoteKind::kPlatformId3:
      return "platform id";
    case NoteKind::kHcrtmComponent:
      return "H-CRTM component";
    case NoteKind::kWindowsBoot:
      return "Windows boot records";
    case NoteKind::kOther:
      return "note";
  }
  __builtin_unreachable();
}

Note DecodeNote(ByteView event_data) {
  Note note;
  bytes::Reader in(event_data);
  ByteView signature;
  if (in.TryTake(kSignatureBytes, &signature)) {
    for (const SignatureRow& row : kSignatures) {
      if (AsText(signature) != row.signature) continue;
      note.kind = row.kind;
      note.complete = TryBody(in, &note);
      return note;
    }
  }
  if (IsWindowsRecord(event_data)) note.kind = NoteKind::kWindowsBoot;
  note.complete = true;
  return note;
}

}  // namespace bootgate::eventlog
