#include "gatekeeper/store/record_codec.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"
#include "common/crypto/hash.h"
#include "gatekeeper/store/cursor_codec.h"
#include "gatekeeper/store/history_codec.h"
#include "gatekeeper/store/record_fields.h"

namespace bootgate::gatekeeper::store {
namespace {

constexpr uint8_t kHostVersion = 4;
constexpr uint8_t kHostVersionBeforeIncidents = 3;  // still read
constexpr uint8_t kHostVersionBeforeTpmFacts = 2;   // still read
constexpr uint8_t kHostVersionBeforeCursors = 1;    // still read
constexpr uint8_t kLabelsVersion = 1;
constexpr uint8_t kTextsVersion = 1;
constexpr size_t kChecksumSize = 32;  // bytes, SHA-256

using bytes::Reader;
using bytes::Writer;
using record::Corrupt;
using record::kSmallestText;
using record::PutFlag;
using record::PutText;
using record::PutTime;
using record::TakeBytes;
using record::TakeCount;
using record::TakeFlag;
using record::TakeText;
using record::TakeTime;

void PutBoot(Writer& out, const std::optional<host::BootMark>& boot) {
  PutFlag(out, boot.has_value());
  if (boot.has_value()) PutBootMark(out, *boot);
}

void PutTexts(Writer& out, const std::vector<std::string>& texts) {
  out.U32Be(static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) PutText(out, text);
}

// What version 3 added: of the TPM, and of certificates of ours.
void PutTpm(Writer& out, const host::HostRecord& host) {
  for (const std::string* text : {&host.replaces, &host.replaced_by, &host.tpm.manufacturer,
                                  &host.tpm.model, &host.tpm.version, &host.assurance}) {
    PutText(out, *text);
  }
  out.U64Be(host.tpm.firmware);
  PutTexts(out, host.tolerances);
  out.Sized32Be(host.own_ek_certificate).Sized32Be(host.ak_certificate);
  PutTime(out, host.ak_certificate_until);
  PutTpmHistory(out, host.tpm_history);
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

// A Reader over what Seal() was given, at the version.
absl::StatusOr<Reader> Unseal(ByteView encoded) {
  if (encoded.size() < kChecksumSize + 1) return Corrupt("the record is cut off");
  const ByteView body = encoded.first(encoded.size() - kChecksumSize);
  const crypto::Digest checksum = crypto::Hash(crypto::HashAlg::kSha256, body);
  if (!SameBytes(checksum.view(), encoded.last(kChecksumSize))) {
    return Corrupt("the record does not have its checksum");
  }
  return Reader(body);
}

absl::Status WrongVersion(uint8_t found) {
  return Corrupt(absl::StrCat("the record is of version ", int{found}));
}

absl::StatusOr<std::optional<host::BootMark>> TakeBoot(Reader& in) {
  BG_ASSIGN_OR_RETURN(const bool present, TakeFlag(in));
  if (!present) return std::nullopt;
  BG_ASSIGN_OR_RETURN(const host::BootMark boot, TakeBootMark(in));
  return boot;
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
  BG_ASSIGN_OR_RETURN(host.approved, TakeFlag(in));
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

absl::Status TakeTpm(Reader& in, host::HostRecord& host) {
  BG_ASSIGN_OR_RETURN(host.replaces, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.replaced_by, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.tpm.manufacturer, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.tpm.model, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.tpm.version, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.assurance, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.tpm.firmware, in.U64Be());
  BG_ASSIGN_OR_RETURN(host.tolerances, TakeTexts(in));
  BG_ASSIGN_OR_RETURN(host.own_ek_certificate, TakeBytes(in));
  BG_ASSIGN_OR_RETURN(host.ak_certificate, TakeBytes(in));
  BG_ASSIGN_OR_RETURN(host.ak_certificate_until, TakeTime(in));
  BG_ASSIGN_OR_RETURN(host.tpm_history, TakeTpmHistory(in));
  return absl::OkStatus();
}

absl::StatusOr<host::HostRecord> TakeHost(Reader& in, uint8_t version) {
  if (version < kHostVersionBeforeCursors || version > kHostVersion) return WrongVersion(version);
  host::HostRecord host;
  BG_RETURN_IF_ERROR(TakeState(in, host));
  BG_RETURN_IF_ERROR(TakeKeys(in, host));
  BG_RETURN_IF_ERROR(TakeHistory(in, host));
  BG_RETURN_IF_ERROR(TakeFacts(in, host));
  if (version == kHostVersionBeforeCursors) return host;
  BG_ASSIGN_OR_RETURN(host.ima_cursor, TakeImaCursor(in));
  BG_ASSIGN_OR_RETURN(host.whole_list_wanted, TakeFlag(in));
  if (version == kHostVersionBeforeTpmFacts) return host;
  BG_RETURN_IF_ERROR(TakeTpm(in, host));
  if (version == kHostVersionBeforeIncidents) return host;
  BG_ASSIGN_OR_RETURN(host.incident_id, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.shut_out_by, TakeText(in));
  BG_ASSIGN_OR_RETURN(host.trust_bundle, TakeText(in));
  return host;
}

template <uint8_t kVersion, typename T, absl::StatusOr<T> (*kTake)(Reader&)>
absl::StatusOr<T> TakeOnly(Reader& in, uint8_t version) {
  if (version != kVersion) return WrongVersion(version);
  return kTake(in);
}

// Unseals, takes with `take` and expects the end; any error means the record is corrupt.
template <typename T>
absl::StatusOr<T> Decode(ByteView encoded, absl::StatusOr<T> (*take)(Reader&, uint8_t version)) {
  BG_ASSIGN_OR_RETURN(Reader in, Unseal(encoded));
  BG_ASSIGN_OR_RETURN(const uint8_t version, in.U8());
  absl::StatusOr<T> value = take(in, version);
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
  PutFlag(out, host.approved);
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
  PutImaCursor(out, host.ima_cursor);
  PutFlag(out, host.whole_list_wanted);
  PutTpm(out, host);
  PutText(out, host.incident_id);
  PutText(out, host.shut_out_by);
  PutText(out, host.trust_bundle);
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

absl::StatusOr<host::HostRecord> DecodeHost(ByteView encoded) { return Decode(encoded, TakeHost); }

absl::StatusOr<Labels> DecodeLabels(ByteView encoded) {
  return Decode(encoded, TakeOnly<kLabelsVersion, Labels, TakeLabels>);
}

absl::StatusOr<std::vector<std::string>> DecodeTexts(ByteView encoded) {
  return Decode(encoded, TakeOnly<kTextsVersion, std::vector<std::string>, TakeTexts>);
}

}  // namespace bootgate::gatekeeper::store
