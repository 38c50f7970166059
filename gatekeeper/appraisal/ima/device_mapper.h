// Which device-mapper targets are in use, by what the kernel measured.
//
// Implements: Linux Documentation/admin-guide/device-mapper/dm-ima.rst: events dm_table_load,
// dm_device_resume, dm_device_remove, dm_table_clear, dm_device_rename, dm_target_update; sections
// end with ';', fields with ',', a backslash escapes.
//
// A table counts once its device was resumed with it. IMA keeps no record twice, so a device that
// was removed and made anew as it was is not seen again: it then counts as removed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace bootgate::gatekeeper::appraisal::ima_list {

inline constexpr size_t kMaxDevices = 256;
inline constexpr size_t kMaxTargets = 1024;  // of one device

struct Target {
  std::string name;         // "verity", "crypt", "linear", ...
  std::string root_digest;  // verity: "sha256:hex"
  bool corrupted = false;   // verity: a block did not fit its hash
};

class DeviceMapper {
 public:
  // False when the event is none of the device mapper's.
  bool Add(absl::string_view event, absl::string_view data);

  struct Device {
    std::vector<Target> loaded, active;
  };
  const std::map<std::string, Device>& devices() const { return devices_; }  // by name

 private:
  void Load(absl::string_view data);
  void Resume(const std::string& name);
  void Rename(const std::string& name, const std::string& new_name);
  void Update(const std::string& name, absl::string_view data);

  std::map<std::string, Device> devices_;
};

}  // namespace bootgate::gatekeeper::appraisal::ima_list
