#include "gatekeeper/store/record_codec.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/crypto/hash.h"

namespace bootgate::gatekeeper::store {
namespace {

constexpr uint8_t kHostVersion = 1;
constexpr uint8_t kLabelsVersion = 1;
constexpr uint8_t kTextsVersion = 1;
constexpr size_t kChecksumSize = 32;  // bytes, SHA-256
constexpr size_t kSmallestText = 4;   // bytes that a text takes at least: its length
constexpr uint8_t kAbsent = 0, kPresent = 1;

using bytes::Reader;
using bytes::Writer;

void PutText(Writer& out, absl::string_view text) { out.Sized32Be(AsBytes(text)); }

void PutTime(Writer& out, absl::Time time) {
  out.U64Be(static_cast<uint64_t>(absl::ToUnixNanos(time)));
}

void PutBoot(Writer& out, const std::optional<host::BootMark>& boot) {
  out.U8(boot.has_value() ? kPresent : kAbsent);
  if (!boot.has_value()) return;
  out.U32Be(boot->reset_count).U32Be(boot->restart_count).U64Be(boot->clock_ms);
}

void PutTexts(Writer& out, const std::vector<std::string>& texts) {
  out.U32Be(static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) PutText(out, text);
}

void PutLabels(Writer& out, const Labels& labels) {
  out.U32Be(static_cast<uint32_t>(labels.size()));
  for (const auto& [name, value] : labels) {
    PutText(out, name);
    PutText(out, value);
  }
}

// The bytes with their checksum behind them.
Bytes Seal(Writer& out) {
  const crypto::Digest checksum = crypto::Hash(crypto::HashAlg::kSha256, out.view());
  out.Raw(checksum.view());
  return out.Finish();
}

absl::Status Corrupt(absl::string_view what) {
  return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt, what);
}

// A Reader over what Seal() was given, past the version.
absl::StatusOr<Reader> Unseal(ByteView encoded, uint8_t version) {
  if (encoded.size() < kChecksumSize + 1) return Corrupt("the record is cut off");
  const ByteView body = encoded.first(encoded.size() - kChecksumSize);
  const crypto::Digest checksum = crypto::Hash(crypto::HashAlg::kSha256, body);
  if (!SameBytes(checksum.view(), encoded.last(kChecksumSize))) {
    return Corrupt("the record does not have its checksum");
  }
  Reader in(body);
  BG_ASSIGN_OR_RETURN(const uint8_t found, in.U8());
  if (found != version) return Corrupt(absl::StrCat("the record is of version ", int{found}));
  return in;
}

absl::StatusOr<Bytes> TakeBytes(Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint32_t size, in.U32Be());
  BG_ASSIGN_OR_RETURN(const ByteView bytes, in.Take(size));
  return ToBytes(bytes);
}

absl::StatusOr<std::string> TakeText(Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint32_t size, in.U32Be());
  BG_ASSIGN_OR_RETURN(const ByteView bytes, in.Take(size));
  return std::string(AsText(bytes));
}

absl::StatusOr<absl::Time> TakeTime(Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint64_t nanos, in.U64Be());
  return absl::FromUnixNanos(static_cast<int64_t>(nanos));
}

absl::StatusOr<std::optional<host::BootMark>> TakeBoot(Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint8_t present, in.U8());
  if (present == kAbsent) return std::nullopt;
  if (present != kPresent) return Corrupt("a boot mark is neither there nor absent");
  host::BootMark boot;
  BG_ASSIGN_OR_RETURN(boot.reset_count, in.U32Be());
  BG_ASSIGN_OR_RETURN(boot.restart_count, in.U32Be());
  BG_ASSIGN_OR_RETURN(boot.clock_ms, in.U64Be());
  return boot;
}

absl::StatusOr<uint32_t> TakeCount(Reader& in, size_t smallest_item) {
  BG_ASSIGN_OR_RETURN(const uint32_t count, in.U32Be());
  if (count > in.remaining() / smallest_item) return Corrupt("more items than bytes");
  return count;
}

absl::StatusOr<std::vector<std::string>> TakeTexts(Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint32_t count, TakeCount(in, kSmallestText));
  std::vector<std::string> texts(count);
  for (std::string& text : texts) {
    BG_ASSIGN_OR_RETURN(text, TakeText(in));
  }
  return texts;
}

absl::StatusOr<Labels> TakeLabels(Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint32_t count, TakeCount(in, 2 * kSmallestText));
  Labels labels;
  for (uint32_t i = 0; i < count; ++i) {
    BG_ASSIGN_OR_RETURN(std::string name, TakeText(in));
    BG_ASSIGN_OR_RETURN(labels[std::move(name)], TakeText(in));
  }
  return labels;
}

absl::Status TakeState(Reader& in, host::HostRecord& host) {
  BG_ASSIGN_OR_RETURN(host.id, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.revision, in.U64Be());
  BG_ASSIGN_OR_RETURN(const std::string trust, TakeText(in));
  const std::optional<host::Trust> known = host::TrustFromName(trust);
  if (!known.has_value()) return Corrupt("the trust state has no known name");
  host.trust = *known;
  BG_ASSIGN_OR_RETURN(const uint8_t approved, in.U8());
  host.approved = approved == kPresent;
  BG_ASSIGN_OR_RETURN(host.labels, TakeLabels(in));
  return absl::OkStatus();
}

absl::Status TakeKeys(Reader& in, host::HostRecord& host) {
  BG_ASSIGN_OR_RETURN(host.ek_public, TakeBytes(in));
  BG_ASSIGN_OR_RETURN(host.ak_public, TakeBytes(in));
  BG_ASSIGN_OR_RETURN(host.ak_qualified_name, TakeBytes(in));
  BG_ASSIGN_OR_RETURN(host.ek_certificate, TakeBytes(in));
  BG_ASSIGN_OR_RETURN(host.ek_trust, TakeText(in));
  return absl::OkStatus();
}

absl::Status TakeHistory(Reader& in, host::HostRecord& host) {
  BG_ASSIGN_OR_RETURN(host.enrolled_at, TakeTime(in));
  BG_ASSIGN_OR_RETURN(host.last_seen_at, TakeTime(in));
  BG_ASSIGN_OR_RETURN(host.trust_since, TakeTime(in));
  BG_ASSIGN_OR_RETURN(host.last_boot, TakeBoot(in));
  BG_ASSIGN_OR_RETURN(host.quarantined_boot, TakeBoot(in));
  return absl::OkStatus();
}

absl::Status TakeFacts(Reader& in, host::HostRecord& host) {
  BG_ASSIGN_OR_RETURN(host.hostname, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.kernel_release, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.os_release, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.agent_version, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.last_verdict_id, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.last_outcome, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.reasons, TakeTexts(in));
  BG_ASSIGN_OR_RETURN(host.why, TakeText(in));
  return absl::OkStatus();
}

absl::StatusOr<host::HostRecord> TakeHost(Reader& in) {
  host::HostRecord host;
  BG_RETURN_IF_ERROR(TakeState(in, host));
  BG_RETURN_IF_ERROR(TakeKeys(in, host));
  BG_RETURN_IF_ERROR(TakeHistory(in, host));
  BG_RETURN_IF_ERROR(TakeFacts(in, host));
  return host;
}

// Unseals, takes with `take` and expects the end; any error means the record is corrupt.
template <typename T>
absl::StatusOr<T> Decode(ByteView encoded, uint8_t version, absl::StatusOr<T> (*take)(Reader&)) {
  BG_ASSIGN_OR_RETURN(Reader in, Unseal(encoded, version));
  absl::StatusOr<T> value = take(in);
  if (!value.ok()) return Corrupt(value.status().message());
  if (!in.empty()) return Corrupt("bytes follow the record's end");
  return value;
}

}  // namespace

Bytes EncodeHost(const host::HostRecord& host) {
  Writer out;
  out.U8(kHostVersion);
  PutText(out, host.id);
  out.U64Be(host.revision);
  PutText(out, host::Name(host.trust));
  out.U8(host.approved ? kPresent : kAbsent);
  PutLabels(out, host.labels);
  out.Sized32Be(host.ek_public).Sized32Be(host.ak_public).Sized32Be(host.ak_qualified_name);
  out.Sized32Be(host.ek_certificate);
  PutText(out, host.ek_trust);
  for (const absl::Time time : {host.enrolled_at, host.last_seen_at, host.trust_since}) {
    PutTime(out, time);
  }
  PutBoot(out, host.last_boot);
  PutBoot(out, host.quarantined_boot);
  for (const std::string* text : {&host.hostname, &host.kernel_release, &host.os_release,
                                  &host.agent_version, &host.last_verdict_id, &host.last_outcome}) {
    PutText(out, *text);
  }
  PutTexts(out, host.reasons);
  PutText(out, host.why);
  return Seal(out);
}

Bytes EncodeLabels(const Labels& labels) {
  Writer out;
  out.U8(kLabelsVersion);
  PutLabels(out, labels);
  return Seal(out);
}

Bytes EncodeTexts(const std::vector<std::string>& texts) {
  Writer out;
  out.U8(kTextsVersion);
  PutTexts(out, texts);
  return Seal(out);
}

absl::StatusOr<host::HostRecord> DecodeHost(ByteView encoded) {
  return Decode(encoded, kHostVersion, TakeHost);
}

absl::StatusOr<Labels> DecodeLabels(ByteView encoded) {
  return Decode(encoded, kLabelsVersion, TakeLabels);
}

absl::StatusOr<std::vector<std::string>> DecodeTexts(ByteView encoded) {
  return Decode(encoded, kTextsVersion, TakeTexts);
}

}  // namespace bootgate::gatekeeper::store
