#include "gatekeeper/cli/ima_set_files.h"

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/cms.h"
#include "common/crypto/pem_key.h"
#include "gatekeeper/reference/imaset/write.h"

namespace bootgate::gatekeeper::cli {
namespace {

constexpr mode_t kFileMode = 0644;
// Base64 in JSON takes a third more.
constexpr size_t kMaxEnvelope = reference::kMaxSetBytes + reference::kMaxSetBytes / 2;

absl::Status InFile(const std::string& file, const absl::Status& status) {
  absl::Status named(status.code(), absl::StrCat(Printable(file), ": ", status.message()));
  const std::optional<Reason> reason = ReasonOf(status);
  return reason.has_value() ? WithReason(named, *reason) : named;
}

}  // namespace

absl::StatusOr<reference::TrustedKeys> ReadTrustedKeys(const std::vector<std::string>& files) {
  reference::TrustedKeys keys;
  for (const std::string& file : files) {
    BG_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(file, crypto::kMaxPemBytes));
    const absl::Status added = keys.AddPem(pem);
    if (!added.ok()) return InFile(file, added);
  }
  return keys;
}

absl::StatusOr<reference::SignedFile> ReadSigned(const std::string& file, size_t max_bytes,
                                                 absl::string_view payload_type,
                                                 const reference::TrustedKeys& trusted) {
  BG_ASSIGN_OR_RETURN(Bytes bytes, ReadFile(file, max_bytes));
  std::optional<Bytes> detached;
  if (const std::string beside = file + ".p7s"; FileExists(beside)) {
    BG_ASSIGN_OR_RETURN(detached, ReadFile(beside, crypto::kMaxCmsBytes));
  }
  absl::StatusOr<reference::SignedFile> opened =
      reference::OpenSigned(std::move(bytes), detached, payload_type, trusted);
  if (!opened.ok()) return InFile(file, opened.status());
  return opened;
}

absl::StatusOr<ReadSet> ReadImaSet(const std::string& file, const reference::TrustedKeys& trusted) {
  BG_ASSIGN_OR_RETURN(reference::SignedFile opened,
                      ReadSigned(file, kMaxEnvelope, reference::kSetPayloadType, trusted));
  ReadSet out;
  out.state = opened.state;
  auto set = reference::ImaSet::FromBytes(std::move(opened.content));
  if (!set.ok()) return InFile(file, set.status());
  out.set = *std::move(set);
  return out;
}

absl::StatusOr<std::shared_ptr<const reference::ImaSet>> SaveImaSet(
    const reference::SetDraft& draft, const std::string& file) {
  BG_ASSIGN_OR_RETURN(Bytes bytes, reference::WriteSet(draft));
  BG_RETURN_IF_ERROR(WriteFileAtomically(file, bytes, kFileMode));
  return reference::ImaSet::FromBytes(std::move(bytes));
}

absl::StatusOr<absl::Time> ReadTime(absl::string_view option, absl::string_view text,
                                    absl::Time now) {
  if (text == "now") return now;
  if (int64_t seconds = 0; absl::SimpleAtoi(text, &seconds) && seconds >= 0) {
    return absl::FromUnixSeconds(seconds);
  }
  absl::Time time;
  std::string why;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &why) && time >= absl::UnixEpoch()) {
    return time;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      option, " '", Printable(text), "': write 2026-11-22T12:00:00Z, seconds since 1970 or now"));
}

absl::StatusOr<absl::Duration> ReadDuration(absl::string_view option, absl::string_view text) {
  absl::string_view number = text;
  absl::Duration duration;
  int64_t days = 0;
  constexpr int64_t kMaxDays = 36'500;
  if (absl::ConsumeSuffix(&number, "d") && absl::SimpleAtoi(number, &days) && days >= 0 &&
      days <= kMaxDays) {
    return absl::Hours(24 * days);
  }
  if (absl::ParseDuration(text, &duration) && duration >= absl::ZeroDuration() &&
      duration <= absl::Hours(24 * kMaxDays)) {
    return duration;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(option, " '", Printable(text), "': write 90m, 12h or 7d"));
}

}  // namespace bootgate::gatekeeper::cli
