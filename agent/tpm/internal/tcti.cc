#include "agent/tpm/internal/tcti.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <tss2/tss2_tctildr.h>

#include <array>
#include <cerrno>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/base/descriptor.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"

namespace bootgate::agent::tpm::internal {
namespace {

class LoadedTcti final : public Tcti {
 public:
  explicit LoadedTcti(TSS2_TCTI_CONTEXT* context) : context_(context) {}
  ~LoadedTcti() override { Tss2_TctiLdr_Finalize(&context_); }
  TSS2_TCTI_CONTEXT* get() override { return context_; }

 private:
  TSS2_TCTI_CONTEXT* context_;
};

std::optional<std::string> NameOfGroup(gid_t id) {
  group found = {};
  group* result = nullptr;
  std::array<char, 4096> buffer;  // longer group entries are told by number
  getgrgid_r(id, &found, buffer.data(), buffer.size(), &result);
  if (result == nullptr) return std::nullopt;
  return std::string(found.gr_name);
}

// Who may open the device, when we may not.
std::string WhoMayOpen(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return "";
  const std::string owners = NameOfGroup(info.st_gid).value_or(absl::StrCat(info.st_gid));
  const std::string mode = absl::StrFormat(" (mode %04o, group %s", info.st_mode & 07777, owners);
  if ((info.st_mode & S_IRWXG) != (S_IRGRP | S_IWGRP)) return mode + ")";
  return absl::StrCat(mode, ": the agent's user must be in it)");
}

std::string WhatElseIsThere(const std::string& path) {
  constexpr char kRaw[] = "/dev/tpm0";
  if (path == kRaw || !FileExists(kRaw)) return " (no driver, or switched off in the firmware)";
  return absl::StrCat(" (", kRaw, " is there: the kernel lacks the resource manager)");
}

}  // namespace

std::string WhyNoDevice(const std::string& path) {
  const Descriptor device(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (device.get() >= 0) return absl::StrCat(Printable(path), " opens, but is no TPM");
  const int error = errno;
  std::string why(SystemError("open", Printable(path), error).message());
  if (error == EACCES || error == EPERM) return why + WhoMayOpen(path);
  if (error == ENOENT || error == ENXIO || error == ENODEV) return why + WhatElseIsThere(path);
  if (error == EBUSY) return why + " (another program holds it; /dev/tpmrm0 is for sharing)";
  return why;
}

TctiOpener TctiByName(std::string name) {
  return [name = std::move(name)]() -> absl::StatusOr<std::unique_ptr<Tcti>> {
    TSS2_TCTI_CONTEXT* context = nullptr;
    const TSS2_RC rc = Tss2_TctiLdr_Initialize(name.c_str(), &context);
    if (rc != TSS2_RC_SUCCESS) {
      absl::string_view device = name;
      const std::string why = absl::ConsumePrefix(&device, "device:")
                                  ? absl::StrCat(": ", WhyNoDevice(std::string(device)))
                                  : std::string();
      return Refuse(absl::StatusCode::kUnavailable, Reason::kTpmMissing,
                    absl::StrCat("no TPM at ", Printable(name), why));
    }
    return std::make_unique<LoadedTcti>(context);
  };
}

bool IsResourceManager(const std::string& name) {
  return absl::StartsWith(name, "tabrmd") || absl::StrContains(name, "tpmrm");
}

}  // namespace bootgate::agent::tpm::internal
