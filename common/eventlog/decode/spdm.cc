#include "common/eventlog/decode/spdm.h"

#include "common/bytes/reader.h"
#include "common/eventlog/decode/device_path.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kSignatureBytes = 16;
constexpr absl::string_view kFirst("SPDM Device Sec\0", kSignatureBytes);
constexpr absl::string_view kSecond("SPDM Device Sec2", kSignatureBytes);
constexpr uint32_t kPci = 1, kUsb = 2;  // DeviceType

DeviceBus BusOf(uint32_t device_type) {
  if (device_type == kPci) return DeviceBus::kPci;
  if (device_type == kUsb) return DeviceBus::kUsb;
  return DeviceBus::kNone;
}

// A measurement block gives its own size: index, specification, size, then that many bytes.
bool TryMeasurementBlock(bytes::Reader& in, ByteView* block) {
  constexpr size_t kHead = 4;  // bytes
  bytes::Reader ahead(in.rest());
  uint8_t index = 0;
  uint8_t specification = 0;
  uint16_t size = 0;
  return ahead.TryU8(&index) && ahead.TryU8(&specification) && ahead.TryU16Le(&size) &&
         in.TryTake(kHead + size, block);
}

bool TryFirstHeader(bytes::Reader& in, DeviceMeasurement* found) {
  uint16_t length = 0;
  uint32_t device_type = 0;
  if (!in.TryU16Le(&found->version) || !in.TryU16Le(&length) || !in.TryU32Le(&found->hash_alg) ||
      !in.TryU32Le(&device_type) || !TryMeasurementBlock(in, &found->measurement)) {
    return false;
  }
  found->bus = BusOf(device_type);
  return true;
}

// The sub-header lies behind the device path.
bool TrySecondHeader(bytes::Reader& in, DeviceMeasurement* found, uint32_t* sub_header_size) {
  uint8_t reserved = 0;
  uint32_t length = 0;
  uint32_t device_type = 0;
  uint32_t sub_header_type = 0;
  uint64_t sub_header_id = 0;
  if (!in.TryU16Le(&found->version) || !in.TryU8(&found->auth_state) || !in.TryU8(&reserved) ||
      !in.TryU32Le(&length) || !in.TryU32Le(&device_type) || !in.TryU32Le(&sub_header_type) ||
      !in.TryU32Le(sub_header_size) || !in.TryU64Le(&sub_header_id)) {
    return false;
  }
  found->bus = BusOf(device_type);
  return true;
}

bool TryDevicePath(bytes::Reader& in, DeviceMeasurement* found) {
  uint64_t size = 0;
  ByteView path;
  if (!in.TryU64Le(&size) || size > in.remaining() ||
      !in.TryTake(static_cast<size_t>(size), &path)) {
    return false;
  }
  if (!path.empty()) found->device_path = DecodeDevicePath(path).text;
  return true;
}

// Both buses' contexts begin alike. A context that is missing leaves the numbers at 0.
void ReadContext(bytes::Reader& in, DeviceMeasurement* found) {
  uint16_t version = 0;
  uint16_t length = 0;
  uint16_t vendor = 0;
  uint16_t device = 0;
  if (found->bus != DeviceBus::kPci || !in.TryU16Le(&version) || !in.TryU16Le(&length) ||
      !in.TryU16Le(&vendor) || !in.TryU16Le(&device)) {
    return;
  }
  found->vendor_id = vendor;
  found->device_id = device;
}

}  // namespace

std::optional<DeviceMeasurement> DecodeDeviceMeasurement(ByteView event_data) {
  bytes::Reader in(event_data);
  DeviceMeasurement found;
  ByteView signature;
  if (!in.TryTake(kSignatureBytes, &signature)) return std::nullopt;
  if (AsText(signature) == kFirst) {
    if (!TryFirstHeader(in, &found) || !TryDevicePath(in, &found)) return std::nullopt;
  } else if (AsText(signature) == kSecond) {
    uint32_t size = 0;
    if (!TrySecondHeader(in, &found, &size) || !TryDevicePath(in, &found) ||
        !in.TryTake(size, &found.measurement)) {
      return std::nullopt;
    }
  } else {
    return std::nullopt;
  }
  ReadContext(in, &found);
  return found;
}

}  // namespace bootgate::eventlog
