#include "common/eventlog/decode/firmware_blob.h"

#include <algorithm>

#include "common/bytes/reader.h"
#include "common/eventlog/decode/guid.h"
#include "common/eventlog/decode/uefi_text.h"

namespace bootgate::eventlog {
namespace {

bool IsPlain(char c) { return c >= ' ' && c < 0x7f; }

bool IsPlainText(absl::string_view text) {
  return !text.empty() && std::ranges::all_of(text, IsPlain);
}

absl::string_view WithoutNuls(ByteView bytes) {
  absl::string_view text = AsText(bytes);
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<FirmwareBlob> DecodeFirmwareBlob(ByteView event_data) {
  constexpr size_t kBaseAndSize = 16;  // bytes
  bytes::Reader in(event_data);
  FirmwareBlob blob;
  if (event_data.size() != kBaseAndSize) {
    uint8_t size = 0;
    ByteView description;
    if (!in.TryU8(&size) || !in.TryTake(size, &description)) return std::nullopt;
    blob.description = std::string(WithoutNuls(description));
  }
  if (!in.TryU64Le(&blob.base) || !in.TryU64Le(&blob.size) || !in.empty()) return std::nullopt;
  return blob;
}

std::string FirmwareVersion(ByteView event_data) {
  const std::optional<std::string> text = Utf8FromTerminatedUtf16(event_data);
  if (text.has_value() && IsPlainText(*text)) return *text;
  const absl::string_view plain = WithoutNuls(event_data);
  if (IsPlainText(plain)) return std::string(plain);
  return event_data.size() == kGuidBytes && !plain.empty() ? GuidText(event_data) : "";
}

std::string LeadingText(ByteView event_data) {
  constexpr size_t kLeast = 4, kMost = 64;  // bytes
  const absl::string_view all = AsText(event_data);
  const absl::string_view text = all.substr(0, all.find('\0'));
  const bool names = text.size() >= kLeast && text.size() <= kMost && IsPlainText(text);
  return names ? std::string(text) : "";
}

std::string FirmwareText(ByteView event_data) {
  const absl::string_view plain = WithoutNuls(event_data);
  if (IsPlainText(plain)) return std::string(plain);
  const std::optional<std::string> text = Utf8FromTerminatedUtf16(event_data);
  return text.has_value() && IsPlainText(*text) ? *text : "";
}

}  // namespace bootgate::eventlog
