#include "agent/identity/tpm_certificates.h"

#include "absl/strings/str_cat.h"
#include "agent/identity/json_fields.h"
#include "agent/identity/state_file.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::identity {
namespace {

constexpr char kFile[] = "ek-certificate.json";

}  // namespace

absl::Status StoreAkCertificate(const std::string& state_folder, const JoinState& joined,
                                ByteView der) {
  if (der.size() > kMaxTpmCertificate)
    return absl::InvalidArgumentError("AK certificate: too long");
  BG_ASSIGN_OR_RETURN(JoinState stored, LoadJoinState(state_folder));
  if (stored.host_id != joined.host_id || stored.gatekeeper != joined.gatekeeper) {
    return absl::AbortedError("this host has joined anew in the meantime");
  }
  stored.ak_certificate = ToBytes(der);
  return SaveJoinState(state_folder, stored);
}

absl::Status StoreOwnEkCertificate(const std::string& state_folder, const std::string& cluster_id,
                                   ByteView der) {
  if (der.size() > kMaxTpmCertificate)
    return absl::InvalidArgumentError("EK certificate: too long");
  return WriteStateFile(state_folder, kFile,
                        WriteFields({{"cluster_id", cluster_id}, {"ek_certificate", ToHex(der)}}));
}

absl::StatusOr<Bytes> LoadOwnEkCertificate(const std::string& state_folder,
                                           const std::string& cluster_id) {
  const absl::StatusOr<std::string> text = ReadStateFile(absl::StrCat(state_folder, "/", kFile));
  if (absl::IsNotFound(text.status())) return Bytes();
  BG_RETURN_IF_ERROR(text.status());
  BG_ASSIGN_OR_RETURN(const Fields fields, ReadFields(*text, {"cluster_id", "ek_certificate"}));
  if (fields.at("cluster_id") != cluster_id) return Bytes();
  return HexField(fields, "ek_certificate", kMaxTpmCertificate);
}

}  // namespace bootgate::agent::identity
