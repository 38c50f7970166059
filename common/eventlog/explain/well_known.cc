#include "common/eventlog/explain/well_known.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/bytes/writer.h"
#include "common/eventlog/event_type.h"
#include "common/eventlog/ipl.h"
#include "common/eventlog/quirks.h"
#include "common/eventlog/uefi_variable.h"

namespace bootgate::eventlog {
namespace {

using crypto::Digest;
using crypto::HashAlg;

constexpr std::array<absl::string_view, 6> kPhases = {"enter-initrd", "leave-initrd", "sysinit",
                                                      "ready",        "shutdown",     "final"};

constexpr absl::string_view kActions[] = {
    "Calling EFI Application from Boot Option",
    "Returning from EFI Application from Boot Option",
    "Exit Boot Services Invocation",
    "Exit Boot Services Returned with Failure",
    "Exit Boot Services Returned with Success",
    "UEFI Debug Mode",
    "DMA Protection Disabled",
    "Entering ROM Based Setup",
    "Booting to Host Platform",
};

struct Content {
  absl::string_view bytes;
  absl::string_view what;
};
constexpr Content kContents[] = {
    {absl::string_view("\0\0\0\0", 4), "a separator (00000000)"},
    {absl::string_view("\xff\xff\xff\xff", 4), "a separator (ffffffff)"},
    {absl::string_view("\1\0\0\0", 4), "an error separator (00000001)"},
    {absl::string_view("\0", 1), "one byte 00 (a switch that is off)"},
    {absl::string_view("\1", 1), "one byte 01 (a switch that is on)"},
    {absl::string_view("", 0), "nothing (an empty variable)"},
};

// {8BE4DF61-93CA-11D2-AA0D-00E098032B8C} and {D719B2CB-3D3A-4596-A3BC-DAD00E67656F} as they lie in
// a UEFI_VARIABLE_DATA: whose variables Secure Boot's are.
constexpr uint8_t kGlobalVariable[] = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
                                       0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c};
constexpr uint8_t kImageSecurity[] = {0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45,
                                      0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f};

struct Variable {
  ByteView guid;
  absl::string_view name;
  absl::string_view data;
  absl::string_view what;
};
constexpr Variable kVariables[] = {
    {kGlobalVariable, "SecureBoot", absl::string_view("\0", 1), "SecureBoot = 00 (off)"},
    {kGlobalVariable, "SecureBoot", absl::string_view("\1", 1), "SecureBoot = 01 (on)"},
    {kGlobalVariable, "AuditMode", absl::string_view("\0", 1), "AuditMode = 00 (off)"},
    {kGlobalVariable, "AuditMode", absl::string_view("\1", 1), "AuditMode = 01 (on)"},
    {kGlobalVariable, "DeployedMode", absl::string_view("\0", 1), "DeployedMode = 00 (off)"},
    {kGlobalVariable, "DeployedMode", absl::string_view("\1", 1), "DeployedMode = 01 (on)"},
    {kGlobalVariable, "PK", "", "an empty PK"},
    {kGlobalVariable, "KEK", "", "an empty KEK"},
    {kImageSecurity, "db", "", "an empty db"},
    {kImageSecurity, "dbx", "", "an empty dbx"},
    {kImageSecurity, "dbt", "", "an empty dbt"},
    {kImageSecurity, "dbr", "", "an empty dbr"},
};

Digest HashOfVariable(const Variable& variable, HashAlg alg) {
  bytes::Writer data;
  data.Raw(variable.guid).U64Le(variable.name.size()).U64Le(variable.data.size());
  for (const char letter : variable.name) data.U16Le(static_cast<uint8_t>(letter));
  data.Raw(AsBytes(variable.data));
  return crypto::Hash(alg, data.view());
}

}  // namespace

std::vector<KnownDigest> WellKnownDigests(HashAlg alg) {
  std::vector<KnownDigest> known;
  for (const Content& content : kContents) {
    known.push_back({crypto::Hash(alg, AsBytes(content.bytes)), std::string(content.what)});
  }
  for (const absl::string_view action : kActions) {
    known.push_back(
        {crypto::Hash(alg, AsBytes(action)), absl::StrCat("the action \"", action, "\"")});
  }
  for (const Variable& variable : kVariables) {
    known.push_back({HashOfVariable(variable, alg), std::string(variable.what)});
  }
  for (KnownDigest& phase : BootPhases(alg)) known.push_back(std::move(phase));
  known.push_back({Digest(alg), "a digest of zeros"});
  known.push_back({Digest::Ones(alg), "a digest of ones"});
  return known;
}

std::vector<KnownDigest> BootPhases(HashAlg alg) {
  std::vector<KnownDigest> known;
  for (const absl::string_view phase : kPhases) {
    known.push_back(
        {crypto::Hash(alg, AsBytes(phase)), absl::StrCat("systemd's phase \"", phase, "\"")});
  }
  return known;
}

std::vector<Digest> HashesOfData(const Event& event, HashAlg alg) {
  std::vector<Digest> hashes;
  const auto add = [&](ByteView content) {
    const Digest digest = crypto::Hash(alg, content);
    if (std::ranges::find(hashes, digest) == hashes.end()) hashes.push_back(digest);
  };
  if (IsUefiVariable(event.untrusted_type)) {
    const std::optional<UefiVariableParts> parts = SplitUefiVariable(event.data);
    if (parts.has_value()) add(parts->data);
  }
  if (event.untrusted_type == kEvIpl) add(SplitIpl(event.data).text);
  if (const std::optional<ByteView> part = HashedByQuirk(event)) add(*part);
  add(event.data);
  if (!event.data.empty() && event.data.back() == 0) add(event.data.first(event.data.size() - 1));
  return hashes;
}

}  // namespace bootgate::eventlog
