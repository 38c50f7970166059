#include "gatekeeper/store/cursor_codec.h"

#include <utility>

#include "common/base/status_macros.h"
#include "gatekeeper/store/record_fields.h"

namespace bootgate::gatekeeper::store {
namespace {

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

// Claim values, by their kind.
constexpr uint8_t kBoolean = 0, kInteger = 1, kString = 2;
// The least bytes that an item takes.
constexpr size_t kSmallestRegister = 2 + 20 + 1;
constexpr size_t kSmallestFinding = kSmallestText + 1 + 1 + 1 + 3 * kSmallestText;
constexpr size_t kSmallestClaim = kSmallestText + 1 + 1 + 1 + 1;

void PutNumber(Writer& out, const std::optional<uint32_t>& number) {
  PutFlag(out, number.has_value());
  if (number.has_value()) out.U32Be(*number);
}

absl::StatusOr<std::optional<uint32_t>> TakeNumber(Reader& in) {
  BG_ASSIGN_OR_RETURN(const bool present, TakeFlag(in));
  if (!present) return std::nullopt;
  BG_ASSIGN_OR_RETURN(const uint32_t number, in.U32Be());
  return number;
}

void Put(Writer& out, const ImaRegister& reg) {
  out.U16Be(static_cast<uint16_t>(reg.value.alg())).Raw(reg.value.view());
  PutFlag(out, reg.padded_sha1);
}

absl::Status Take(Reader& in, ImaRegister* reg) {
  BG_ASSIGN_OR_RETURN(const uint16_t tpm_alg, in.U16Be());
  const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromTpm(tpm_alg);
  if (!alg.has_value()) return Corrupt("a register is of no known bank");
  BG_ASSIGN_OR_RETURN(const ByteView value, in.Take(crypto::DigestSize(*alg)));
  BG_ASSIGN_OR_RETURN(reg->value, crypto::Digest::From(*alg, value));
  BG_ASSIGN_OR_RETURN(reg->padded_sha1, TakeFlag(in));
  return absl::OkStatus();
}

void Put(Writer& out, const Finding& finding) {
  PutText(out, Code(finding.code));
  out.U8(static_cast<uint8_t>(finding.severity));
  PutNumber(out, finding.register_index);
  PutNumber(out, finding.event);
  for (const std::string* text : {&finding.expected, &finding.actual, &finding.text})
    PutText(out, *text);
}

absl::Status Take(Reader& in, Finding* finding) {
  BG_ASSIGN_OR_RETURN(const std::string code, TakeText(in));
  const std::optional<Reason> reason = ReasonFromCode(code);
  if (!reason.has_value()) return Corrupt("a finding has no known reason");
  finding->code = *reason;
  BG_ASSIGN_OR_RETURN(const uint8_t severity, in.U8());
  if (severity > static_cast<uint8_t>(Severity::kFail)) return Corrupt("a finding's severity");
  finding->severity = static_cast<Severity>(severity);
  BG_ASSIGN_OR_RETURN(finding->register_index, TakeNumber(in));
  BG_ASSIGN_OR_RETURN(finding->event, TakeNumber(in));
  for (std::string* text : {&finding->expected, &finding->actual, &finding->text}) {
    BG_ASSIGN_OR_RETURN(*text, TakeText(in));
  }
  return absl::OkStatus();
}

void PutValue(Writer& out, const ClaimValue& value) {
  if (const auto* const flag = std::get_if<bool>(&value)) {
    out.U8(kBoolean);
    PutFlag(out, *flag);
  } else if (const auto* const number = std::get_if<int64_t>(&value)) {
    out.U8(kInteger).U64Be(static_cast<uint64_t>(*number));
  } else {
    out.U8(kString);
    PutText(out, std::get<std::string>(value));
  }
}

absl::StatusOr<ClaimValue> TakeValue(Reader& in) {
  BG_ASSIGN_OR_RETURN(const uint8_t kind, in.U8());
  switch (kind) {
    case kBoolean: {
      BG_ASSIGN_OR_RETURN(const bool flag, TakeFlag(in));
      return ClaimValue(flag);
    }
    case kInteger: {
      BG_ASSIGN_OR_RETURN(const uint64_t number, in.U64Be());
      return ClaimValue(static_cast<int64_t>(number));
    }
    case kString: {
      BG_ASSIGN_OR_RETURN(std::string text, TakeText(in));
      return ClaimValue(std::move(text));
    }
    default:
      return Corrupt("a claim's value is of no known kind");
  }
}

void Put(Writer& out, const Claim& claim) {
  PutText(out, claim.type);
  PutValue(out, claim.value);
  out.U8(static_cast<uint8_t>(claim.issuer));
  PutFlag(out, claim.read_only);
}

absl::Status Take(Reader& in, Claim* claim) {
  BG_ASSIGN_OR_RETURN(claim->type, TakeText(in));
  BG_ASSIGN_OR_RETURN(claim->value, TakeValue(in));
  BG_ASSIGN_OR_RETURN(const uint8_t issuer, in.U8());
  if (issuer > static_cast<uint8_t>(Issuer::kCustomClaim)) return Corrupt("a claim's issuer");
  claim->issuer = static_cast<Issuer>(issuer);
  BG_ASSIGN_OR_RETURN(claim->read_only, TakeFlag(in));
  return absl::OkStatus();
}

void Put(Writer& out, const NotChecked& row) {
  PutText(out, row.what);
  PutText(out, row.why);
}

absl::Status Take(Reader& in, NotChecked* row) {
  BG_ASSIGN_OR_RETURN(row->what, TakeText(in));
  BG_ASSIGN_OR_RETURN(row->why, TakeText(in));
  return absl::OkStatus();
}

template <typename T>
void PutAll(Writer& out, const std::vector<T>& items) {
  out.U32Be(static_cast<uint32_t>(items.size()));
  for (const T& item : items) Put(out, item);
}

template <typename T>
absl::Status TakeAll(Reader& in, size_t smallest, std::vector<T>* items) {
  BG_ASSIGN_OR_RETURN(const uint32_t count, TakeCount(in, smallest));
  items->resize(count);
  for (T& item : *items) BG_RETURN_IF_ERROR(Take(in, &item));
  return absl::OkStatus();
}

void PutNotes(Writer& out, const std::map<std::string, Bytes>& notes) {
  out.U32Be(static_cast<uint32_t>(notes.size()));
  for (const auto& [name, value] : notes) {
    PutText(out, name);
    out.Sized32Be(value);
  }
}

absl::Status TakeNotes(Reader& in, std::map<std::string, Bytes>* notes) {
  BG_ASSIGN_OR_RETURN(const uint32_t count, TakeCount(in, 2 * kSmallestText));
  for (uint32_t i = 0; i < count; ++i) {
    BG_ASSIGN_OR_RETURN(std::string name, TakeText(in));
    BG_ASSIGN_OR_RETURN((*notes)[std::move(name)], TakeBytes(in));
  }
  return absl::OkStatus();
}

}  // namespace

void PutImaProgress(Writer& out, const ImaProgress& progress) {
  out.U64Be(progress.entries);
  PutAll(out, progress.registers);
  PutAll(out, progress.findings);
  PutAll(out, progress.claims);
  PutAll(out, progress.not_checked);
  PutNotes(out, progress.notes);
}

absl::StatusOr<ImaProgress> TakeImaProgress(Reader& in) {
  ImaProgress progress;
  BG_ASSIGN_OR_RETURN(progress.entries, in.U64Be());
  BG_RETURN_IF_ERROR(TakeAll(in, kSmallestRegister, &progress.registers));
  BG_RETURN_IF_ERROR(TakeAll(in, kSmallestFinding, &progress.findings));
  BG_RETURN_IF_ERROR(TakeAll(in, kSmallestClaim, &progress.claims));
  BG_RETURN_IF_ERROR(TakeAll(in, 2 * kSmallestText, &progress.not_checked));
  BG_RETURN_IF_ERROR(TakeNotes(in, &progress.notes));
  return progress;
}

void PutImaCursor(Writer& out, const std::optional<host::ImaCursor>& cursor) {
  PutFlag(out, cursor.has_value());
  if (!cursor.has_value()) return;
  out.U32Be(cursor->reset_count).U32Be(cursor->restart_count);
  PutText(out, cursor->rules.policy_id);
  PutText(out, cursor->rules.reference_id);
  PutText(out, cursor->rules.options_id);
  PutTime(out, cursor->good_until);
  PutImaProgress(out, cursor->progress);
}

absl::StatusOr<std::optional<host::ImaCursor>> TakeImaCursor(Reader& in) {
  BG_ASSIGN_OR_RETURN(const bool present, TakeFlag(in));
  if (!present) return std::nullopt;
  host::ImaCursor cursor;
  BG_ASSIGN_OR_RETURN(cursor.reset_count, in.U32Be());
  BG_ASSIGN_OR_RETURN(cursor.restart_count, in.U32Be());
  BG_ASSIGN_OR_RETURN(cursor.rules.policy_id, TakeText(in));
  BG_ASSIGN_OR_RETURN(cursor.rules.reference_id, TakeText(in));
  BG_ASSIGN_OR_RETURN(cursor.rules.options_id, TakeText(in));
  BG_ASSIGN_OR_RETURN(cursor.good_until, TakeTime(in));
  BG_ASSIGN_OR_RETURN(cursor.progress, TakeImaProgress(in));
  return cursor;
}

}  // namespace bootgate::gatekeeper::store
