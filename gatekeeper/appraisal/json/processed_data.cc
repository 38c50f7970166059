#include "gatekeeper/appraisal/json/processed_data.h"

#include <algorithm>
#include <optional>
#include <string>

#include "common/eventlog/decode/image_load.h"
#include "common/eventlog/decode/uefi_text.h"
#include "common/eventlog/decode/variable.h"
#include "common/eventlog/event_type.h"
#include "gatekeeper/appraisal/json/windows_data.h"
#include "gatekeeper/json/utf8.h"

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

// UTF-8 of characters that people write; a script's line breaks are among them.
bool IsText(absl::string_view text) {
  if (text.empty()) return false;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<uint8_t>(text[i]);
    const size_t length = model::CodePointBytes(text, i);
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

class DataWriter {
 public:
  DataWriter(const Event& event, Standing standing, model::Arena& arena, model::ObjectBuilder& out)
      : event_(event), standing_(standing), arena_(arena), out_(out) {}

  void Run() {
    if (!HasMembers() && event_.data.size() <= kMaxRawData)
      out_.Add("RawData", Base64UrlValue(event_.data, arena_));
  }

 private:
  // False when the event has no members of its own.
  bool HasMembers() {
    const uint32_t type = event_.untrusted_type;
    if (MayBeText(type)) return Text();
    if (eventlog::IsImageLoad(type)) return ImageLoad();
    if (standing_ == Standing::kUnproven) return false;
    if (eventlog::IsUefiVariable(type)) return Variable();
    if (eventlog::sipa::HoldsRecords(event_)) return Windows();
    return false;
  }

  bool Text() {
    const std::optional<std::string> text = TextOf(event_.data);
    if (!text.has_value()) return false;
    out_.Add(standing_ == Standing::kUnproven ? "Description" : "String", TextValue(*text, arena_));
    return true;
  }

  bool Variable() {
    const auto variable = eventlog::DecodeUefiVariable(event_);
    if (!variable.has_value()) return false;
    out_.Add("VariableGuid", TextValue(variable->guid, arena_));
    out_.Add("UnicodeName", TextValue(variable->name, arena_));
    out_.Add("VariableData", Base64UrlValue(variable->data, arena_));
    return true;
  }

  bool ImageLoad() {
    const auto image = eventlog::DecodeImageLoad(event_.data);
    if (!image.has_value()) return false;
    if (!image->location.empty()) out_.Add("DevicePath", TextValue(image->location, arena_));
    out_.Add("ImageLength", NumberValue(image->size, arena_));
    return true;
  }

  bool Windows() {
    const eventlog::sipa::Records read = eventlog::sipa::ReadRecords(event_.data);
    if (read.problem.has_value()) {
      out_.Add("Problem", TextValue(read.problem->text, arena_));
      return false;
    }
    AddRecords(read.records, arena_, out_);
    return true;
  }

  const Event& event_;
  const Standing standing_;
  model::Arena& arena_;
  model::ObjectBuilder& out_;
};

}  // namespace

void AddProcessedData(const Event& event, Standing standing, model::Arena& arena,
                      model::ObjectBuilder& out) {
  DataWriter(event, standing, arena, out).Run();
}

}  // namespace bootgate::gatekeeper::appraisal::json
