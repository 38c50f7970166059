// Measurements of devices by SPDM.
//
// Implements: TCG PC Client Platform Firmware Profile 1.06, 10.2.7 (TCG_DEVICE_SECURITY_EVENT_DATA,
// TCG_DEVICE_SECURITY_EVENT_DATA2, device contexts for PCI and USB).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

enum class DeviceBus { kNone, kPci, kUsb };

struct DeviceMeasurement {
  uint16_t version = 0;    // of the structure: 1 "SPDM Device Sec", 2 "SPDM Device Sec2"
  uint8_t auth_state = 0;  // version 2: 0 success, 1 no authentication, 2 no binding, 3 failed, ...
  uint32_t hash_alg = 0;   // version 1: SPDM measurement hash algorithm
  DeviceBus bus = DeviceBus::kNone;
  std::string device_path;  // as text, not escaped
  ByteView measurement;     // SPDM measurement block or sub-header and what follows; borrowed
  uint16_t vendor_id = 0;   // PCI or USB, 0 when the context is none of them
  uint16_t device_id = 0;
};

// nullopt when the data has neither signature or is too short for what it announces.
std::optional<DeviceMeasurement> DecodeDeviceMeasurement(ByteView event_data);

}  // namespace bootgate::eventlog
