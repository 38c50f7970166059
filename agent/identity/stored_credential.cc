#include "agent/identity/stored_credential.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/identity/json_fields.h"
#include "agent/identity/state_file.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::identity {
namespace {

constexpr char kFile[] = "credential.json";
constexpr char kVersion[] = "1";
constexpr size_t kMaxBlobPart = 1024;            // bytes of one part of the import blob
constexpr size_t kMaxPayload = size_t{1} << 19;  // bytes
constexpr size_t kMaxCertificate = 16384;        // bytes

std::string PathIn(const std::string& folder) { return absl::StrCat(folder, "/", kFile); }

absl::StatusOr<absl::Time> TimeField(const std::string& text) {
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(text, &seconds)) return Corrupt("field not_after is no number");
  return absl::FromUnixSeconds(seconds);
}

absl::StatusOr<StoredCredential> FromFields(const Fields& fields) {
  if (fields.at("version") != kVersion) return Corrupt("another version");
  StoredCredential credential;
  BG_ASSIGN_OR_RETURN(credential.blob.object_public,
                      HexField(fields, "object_public", kMaxBlobPart));
  BG_ASSIGN_OR_RETURN(credential.blob.duplicate, HexField(fields, "duplicate", kMaxBlobPart));
  BG_ASSIGN_OR_RETURN(credential.blob.in_sym_seed, HexField(fields, "in_sym_seed", kMaxBlobPart));
  BG_ASSIGN_OR_RETURN(credential.payload, HexField(fields, "payload", kMaxPayload));
  BG_ASSIGN_OR_RETURN(credential.certificate, HexField(fields, "certificate", kMaxCertificate));
  BG_ASSIGN_OR_RETURN(credential.not_after, TimeField(fields.at("not_after")));
  const auto selection = registers::ParseSelection(fields.at("selection"));
  if (!selection.ok()) return Corrupt("field selection");
  credential.selection = *selection;
  return credential;
}

}  // namespace

absl::Status StoreCredential(const std::string& folder, const StoredCredential& credential) {
  return WriteStateFile(
      folder, kFile,
      WriteFields({{"version", kVersion},
                   {"object_public", ToHex(credential.blob.object_public)},
                   {"duplicate", ToHex(credential.blob.duplicate)},
                   {"in_sym_seed", ToHex(credential.blob.in_sym_seed)},
                   {"payload", ToHex(credential.payload)},
                   {"selection", registers::Format(credential.selection)},
                   {"certificate", ToHex(credential.certificate)},
                   {"not_after", absl::StrCat(absl::ToUnixSeconds(credential.not_after))}}));
}

absl::StatusOr<StoredCredential> LoadStoredCredential(const std::string& folder) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadStateFile(PathIn(folder)));
  BG_ASSIGN_OR_RETURN(const Fields fields,
                      ReadFields(text, {"version", "object_public", "duplicate", "in_sym_seed",
                                        "payload", "selection", "certificate", "not_after"}));
  return FromFields(fields);
}

absl::Status RemoveStoredCredential(const std::string& folder) {
  absl::Status status = RemoveFile(PathIn(folder));
  status.Update(RemoveFile(PathIn(folder) + ".new"));  // left by a process that was killed
  return WithReason(status, Reason::kStateUnwritable);
}

}  // namespace bootgate::agent::identity
