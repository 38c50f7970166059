#include "agent/tpm/internal/convert.h"
#include "agent/tpm/internal/operations.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::tpm::internal {
namespace {

constexpr size_t kMaxRandom = 32;  // bytes of one answer

// Four characters in one property, the first in the highest byte; NULs and blanks at the end cut.
std::string TextOf(std::optional<uint32_t> property) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(property.value_or(0) >> shift & 0xff));
  }
  while (!text.empty() && (text.back() == '\0' || text.back() == ' ')) text.pop_back();
  return Printable(text);
}

}  // namespace

absl::StatusOr<std::optional<uint32_t>> ReadProperty(Context& context, TPM2_PT property) {
  TPMI_YES_NO more = TPM2_NO;
  Result<TPMS_CAPABILITY_DATA> found;
  BG_RETURN_IF_ERROR(context.Call("TPM2_GetCapability", [&] {
    return Esys_GetCapability(context.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              TPM2_CAP_TPM_PROPERTIES, property, 1, &more, found.put());
  }));
  const TPML_TAGGED_TPM_PROPERTY& list = found->data.tpmProperties;
  if (list.count == 0 || list.tpmProperty[0].property != property) return std::nullopt;
  return list.tpmProperty[0].value;
}

absl::StatusOr<Properties> ReadProperties(Context& context) {
  Properties properties;
  BG_ASSIGN_OR_RETURN(const auto manufacturer, ReadProperty(context, TPM2_PT_MANUFACTURER));
  properties.manufacturer = TextOf(manufacturer);
  for (const TPM2_PT part : {TPM2_PT_VENDOR_STRING_1, TPM2_PT_VENDOR_STRING_2,
                             TPM2_PT_VENDOR_STRING_3, TPM2_PT_VENDOR_STRING_4}) {
    BG_ASSIGN_OR_RETURN(const auto text, ReadProperty(context, part));
    properties.vendor += TextOf(text);
  }
  BG_ASSIGN_OR_RETURN(const auto high, ReadProperty(context, TPM2_PT_FIRMWARE_VERSION_1));
  BG_ASSIGN_OR_RETURN(const auto low, ReadProperty(context, TPM2_PT_FIRMWARE_VERSION_2));
  properties.firmware_version = uint64_t{high.value_or(0)} << 32 | low.value_or(0);
  BG_ASSIGN_OR_RETURN(const auto revision, ReadProperty(context, TPM2_PT_REVISION));
  properties.revision = revision.value_or(0);
  return properties;
}

absl::StatusOr<tpm2::ClockInfo> ReadClock(Context& context) {
  Result<TPMS_TIME_INFO> time;
  BG_RETURN_IF_ERROR(context.Call("TPM2_ReadClock", [&] {
    return Esys_ReadClock(context.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, time.put());
  }));
  const TPMS_CLOCK_INFO& clock = time->clockInfo;
  return tpm2::ClockInfo{.clock_ms = clock.clock,
                         .reset_count = clock.resetCount,
                         .restart_count = clock.restartCount,
                         .safe = clock.safe == TPM2_YES};
}

absl::StatusOr<bool> IsLockedOut(Context& context) {
  BG_ASSIGN_OR_RETURN(const auto permanent, ReadProperty(context, TPM2_PT_PERMANENT));
  return (permanent.value_or(0) & TPMA_PERMANENT_INLOCKOUT) != 0;
}

absl::StatusOr<Health> ReadHealth(Context& context) {
  Health health;
  BG_ASSIGN_OR_RETURN(health.properties, ReadProperties(context));
  BG_ASSIGN_OR_RETURN(health.clock, ReadClock(context));
  BG_ASSIGN_OR_RETURN(health.handles, CountHandles(context));
  BG_ASSIGN_OR_RETURN(const auto permanent, ReadProperty(context, TPM2_PT_PERMANENT));
  BG_ASSIGN_OR_RETURN(const auto since_start, ReadProperty(context, TPM2_PT_STARTUP_CLEAR));
  health.locked_out = (permanent.value_or(0) & TPMA_PERMANENT_INLOCKOUT) != 0;
  health.owner_password = (permanent.value_or(0) & TPMA_PERMANENT_OWNERAUTHSET) != 0;
  health.endorsement_password = (permanent.value_or(0) & TPMA_PERMANENT_ENDORSEMENTAUTHSET) != 0;
  health.endorsement_enabled =
      (since_start.value_or(TPMA_STARTUP_CLEAR_EHENABLE) & TPMA_STARTUP_CLEAR_EHENABLE) != 0;
  return health;
}

absl::StatusOr<LoadedHandles> CountHandles(Context& context) {
  BG_ASSIGN_OR_RETURN(const auto objects, ListHandles(context, TPM2_TRANSIENT_FIRST));
  BG_ASSIGN_OR_RETURN(const auto sessions, ListHandles(context, TPM2_LOADED_SESSION_FIRST));
  BG_ASSIGN_OR_RETURN(const auto saved, ListHandles(context, TPM2_ACTIVE_SESSION_FIRST));
  return LoadedHandles{objects.size(), sessions.size(), saved.size()};
}

absl::StatusOr<Bytes> GetRandom(Context& context, size_t size) {
  if (size > kMaxRandom) {
    return Refuse(absl::StatusCode::kInvalidArgument, Reason::kTpm, "too many random bytes");
  }
  Result<TPM2B_DIGEST> bytes;
  BG_RETURN_IF_ERROR(context.Call("TPM2_GetRandom", [&] {
    return Esys_GetRandom(context.esys(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                          static_cast<UINT16>(size), bytes.put());
  }));
  return FromTpm2b(*bytes, &TPM2B_DIGEST::buffer);
}

}  // namespace bootgate::agent::tpm::internal
