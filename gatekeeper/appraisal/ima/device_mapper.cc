#include "gatekeeper/appraisal/ima/device_mapper.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace bootgate::gatekeeper::appraisal::ima_list {
namespace {

// Cuts at each separator that no backslash stands before; the pieces keep their backslashes.
std::vector<absl::string_view> SplitUnescaped(absl::string_view text, char separator) {
  std::vector<absl::string_view> out;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == separator) {
      out.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  if (begin < text.size()) out.push_back(text.substr(begin));
  return out;
}

std::string Unescaped(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out.push_back(text[i]);
  }
  return out;
}

// The first field of this name anywhere in a section; "" when there is none.
std::string FieldOf(absl::string_view section, absl::string_view name) {
  for (const absl::string_view field : SplitUnescaped(section, ',')) {
    const size_t equals = field.find('=');
    if (equals != absl::string_view::npos && field.substr(0, equals) == name)
      return Unescaped(field.substr(equals + 1));
  }
  return "";
}

// The device that an event is about. Removals say "device_active_metadata=name=...".
std::string DeviceOf(absl::string_view data) {
  for (absl::string_view section : SplitUnescaped(data, ';')) {
    for (const absl::string_view head : {"device_active_metadata=", "device_inactive_metadata="}) {
      if (absl::StartsWith(section, head)) section.remove_prefix(head.size());
    }
    if (absl::StartsWith(section, "name=")) return FieldOf(section, "name");
  }
  return "";
}

Target TargetOf(absl::string_view section) {
  Target target;
  target.name = FieldOf(section, "target_name");
  if (target.name != "verity") return target;
  const std::string alg = FieldOf(section, "verity_algorithm");
  const std::string digest = FieldOf(section, "root_digest");
  if (!digest.empty())
    target.root_digest = absl::StrCat(alg.empty() ? "unknown" : alg, ":", digest);
  target.corrupted = FieldOf(section, "hash_failed") == "C";
  return target;
}

}  // namespace

bool DeviceMapper::Add(absl::string_view event, absl::string_view data) {
  if (event == "dm_table_load") {
    Load(data);
  } else if (event == "dm_device_resume") {
    Resume(DeviceOf(data));
  } else if (event == "dm_device_remove") {
    devices_.erase(DeviceOf(data));
  } else if (event == "dm_table_clear") {
    const auto found = devices_.find(DeviceOf(data));
    if (found != devices_.end()) found->second.loaded.clear();
  } else if (event == "dm_device_rename") {
    std::string new_name;
    for (const absl::string_view section : SplitUnescaped(data, ';')) {
      if (absl::StartsWith(section, "new_name=")) new_name = FieldOf(section, "new_name");
    }
    Rename(DeviceOf(data), new_name);
  } else if (event == "dm_target_update") {
    Update(DeviceOf(data), data);
  } else {
    return false;
  }
  return true;
}

// A table too long for one event goes on in the next, whose first target is not number 0.
void DeviceMapper::Load(absl::string_view data) {
  const std::string name = DeviceOf(data);
  if (name.empty() || (devices_.size() >= kMaxDevices && !devices_.contains(name))) return;
  Device& device = devices_[name];
  for (const absl::string_view section : SplitUnescaped(data, ';')) {
    if (!absl::StartsWith(section, "target_index=")) continue;
    if (FieldOf(section, "target_index") == "0") device.loaded.clear();
    if (device.loaded.size() < kMaxTargets) device.loaded.push_back(TargetOf(section));
  }
}

void DeviceMapper::Resume(const std::string& name) {
  const auto found = devices_.find(name);
  if (found == devices_.end() || found->second.loaded.empty()) return;
  found->second.active = std::exchange(found->second.loaded, {});
}

void DeviceMapper::Rename(const std::string& name, const std::string& new_name) {
  const auto found = devices_.find(name);
  if (found == devices_.end() || new_name.empty() || new_name == name) return;
  Device device = std::move(found->second);
  devices_.erase(found);
  devices_[new_name] = std::move(device);
}

void DeviceMapper::Update(const std::string& name, absl::string_view data) {
  const auto found = devices_.find(name);
  if (found == devices_.end()) return;
  const std::vector<absl::string_view> sections = SplitUnescaped(data, ';');
  const bool corrupted = std::ranges::any_of(
      sections, [](absl::string_view section) { return TargetOf(section).corrupted; });
  if (!corrupted) return;
  for (std::vector<Target>* const table : {&found->second.loaded, &found->second.active}) {
    for (Target& target : *table) target.corrupted |= target.name == "verity";
  }
}

}  // namespace bootgate::gatekeeper::appraisal::ima_list
