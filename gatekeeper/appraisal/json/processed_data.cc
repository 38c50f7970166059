#include "gatekeeper/appraisal/json/processed_data.h"

#include <algorithm>
#include <optional>
#include <string>

#include "common/eventlog/decode/image_load.h"
#include "common/eventlog/decode/uefi_text.h"
#include "common/eventlog/decode/variable.h"
#include "common/eventlog/event_type.h"
#include "gatekeeper/appraisal/json/windows_json.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

using eventlog::Event;

constexpr size_t kMaxRawData = 4096;  // bytes of event data
constexpr uint32_t kEvPostCode = 0x00000001;
constexpr uint32_t kEvPostCode2 = 0x00000013;

bool MayBeText(uint32_t type) {
  return type == eventlog::kEvIpl || type == eventlog::kEvSCrtmVersion || type == kEvPostCode ||
         type == kEvPostCode2 || type == eventlog::kEvEfiAction || type == eventlog::kEvAction;
}

void AppendRawData(const Event& event, JsonText& out) {
  if (event.data.size() > kMaxRawData) return;
  out.Key("RawData");
  out.Base64Url(event.data);
}

// UTF-8 of characters that people write; a script's line breaks are among them.
bool IsText(absl::string_view text) {
  if (text.empty()) return false;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<uint8_t>(text[i]);
    const size_t length = Utf8Length(text.substr(i));
    if (length == 0 || c == 0x7f || (c < 0x20 && c != '\n' && c != '\t' && c != '\r')) return false;
    i += length;
  }
  return true;
}

ByteView WithoutFinalNuls(ByteView data) {
  size_t size = data.size();
  while (size > 0 && data[size - 1] == 0) --size;
  return data.first(size);
}

// Bytes that are text, or UTF-16 that is.
std::optional<std::string> TextOf(ByteView data) {
  const ByteView bytes = WithoutFinalNuls(data);
  if (IsText(AsText(bytes))) return std::string(AsText(bytes));
  std::optional<std::string> wide = eventlog::Utf8FromUtf16(data);
  if (!wide.has_value()) return std::nullopt;
  const size_t last = wide->find_last_not_of('\0');
  wide->resize(last == std::string::npos ? 0 : last + 1);
  if (!IsText(*wide)) return std::nullopt;
  return wide;
}

bool AppendText(const Event& event, Standing standing, JsonText& out) {
  const std::optional<std::string> text = TextOf(event.data);
  if (!text.has_value()) return false;
  out.Key(standing == Standing::kUnproven ? "Description" : "String");
  out.String(*text);
  return true;
}

bool AppendVariable(const Event& event, JsonText& out) {
  const auto variable = eventlog::DecodeUefiVariable(event);
  if (!variable.has_value()) return false;
  out.Key("VariableGuid");
  out.String(variable->guid);
  out.Key("UnicodeName");
  out.String(variable->name);
  out.Key("VariableData");
  out.Base64Url(variable->data);
  return true;
}

bool AppendImageLoad(const Event& event, JsonText& out) {
  const auto image = eventlog::DecodeImageLoad(event.data);
  if (!image.has_value()) return false;
  if (!image->location.empty()) {
    out.Key("DevicePath");
    out.String(image->location);
  }
  out.Key("ImageLength");
  out.Number(image->size);
  return true;
}

bool AppendWindows(const Event& event, JsonText& out) {
  const eventlog::sipa::Records read = eventlog::sipa::ReadRecords(event.data);
  if (read.problem.has_value()) {
    out.Key("Problem");
    out.String(read.problem->text);
    return false;
  }
  AppendRecords(read.records, out);
  return true;
}

// False when the event has no members of its own.
bool AppendMembers(const Event& event, Standing standing, JsonText& out) {
  const uint32_t type = event.untrusted_type;
  if (MayBeText(type)) return AppendText(event, standing, out);
  if (eventlog::IsImageLoad(type)) return AppendImageLoad(event, out);
  if (standing == Standing::kUnproven) return false;
  if (eventlog::IsUefiVariable(type)) return AppendVariable(event, out);
  if (eventlog::sipa::HoldsRecords(event)) return AppendWindows(event, out);
  return false;
}

}  // namespace

void AppendProcessedData(const Event& event, Standing standing, JsonText& out) {
  out.BeginObject();
  if (!AppendMembers(event, standing, out)) AppendRawData(event, out);
  out.EndObject();
}

}  // namespace bootgate::gatekeeper::appraisal::json
