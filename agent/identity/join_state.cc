#include "agent/identity/join_state.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/identity/json_fields.h"
#include "agent/identity/state_file.h"
#include "agent/identity/stored_credential.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::identity {
namespace {

constexpr char kFile[] = "join.json";
constexpr char kVersion[] = "1";
constexpr size_t kMaxName = 66;            // bytes of a Name: algorithm and SHA-512
constexpr size_t kMaxCertificate = 16384;  // bytes

absl::StatusOr<tpm2::EkTemplate> TemplateNamed(absl::string_view name) {
  for (const tpm2::EkTemplate which : tpm2::kEkTemplates) {
    if (tpm2::Name(which) == name) return which;
  }
  return Corrupt("no such EK template");
}

absl::StatusOr<tpm::AkKind> AkNamed(absl::string_view name) {
  for (const tpm::AkKind kind : tpm::kAkKinds) {
    if (tpm::Name(kind) == name) return kind;
  }
  return Corrupt("no such kind of AK");
}

absl::StatusOr<JoinState> FromFields(const Fields& fields) {
  if (fields.at("version") != kVersion) return Corrupt("another version");
  JoinState state{.gatekeeper = fields.at("gatekeeper"),
                  .server_name = fields.at("server_name"),
                  .ca_pem = fields.at("ca_pem"),
                  .cluster_id = fields.at("cluster_id"),
                  .host_id = fields.at("host_id")};
  BG_ASSIGN_OR_RETURN(state.ek_template, TemplateNamed(fields.at("ek_template")));
  BG_ASSIGN_OR_RETURN(state.ek_name, HexField(fields, "ek_name", kMaxName));
  BG_ASSIGN_OR_RETURN(state.ak, AkNamed(fields.at("ak")));
  BG_ASSIGN_OR_RETURN(state.ak_certificate, HexField(fields, "ak_certificate", kMaxCertificate));
  if (state.gatekeeper.empty() || state.host_id.empty() || state.ek_name.empty() ||
      !absl::StrContains(state.ca_pem, "-----BEGIN CERTIFICATE-----")) {
    return Corrupt("a part that must be there is empty");
  }
  return state;
}

}  // namespace

absl::Status SaveJoinState(const std::string& folder, const JoinState& state) {
  return WriteStateFile(folder, kFile,
                        WriteFields({{"version", kVersion},
                                     {"gatekeeper", state.gatekeeper},
                                     {"server_name", state.server_name},
                                     {"ca_pem", state.ca_pem},
                                     {"cluster_id", state.cluster_id},
                                     {"host_id", state.host_id},
                                     {"ek_template", std::string(tpm2::Name(state.ek_template))},
                                     {"ek_name", ToHex(state.ek_name)},
                                     {"ak", std::string(tpm::Name(state.ak))},
                                     {"ak_certificate", ToHex(state.ak_certificate)}}));
}

absl::StatusOr<JoinState> LoadJoinState(const std::string& folder) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadStateFile(absl::StrCat(folder, "/", kFile)));
  BG_ASSIGN_OR_RETURN(
      const Fields fields,
      ReadFields(text, {"version", "gatekeeper", "server_name", "ca_pem", "cluster_id", "host_id",
                        "ek_template", "ek_name", "ak", "ak_certificate"}));
  return FromFields(fields);
}

absl::Status RemoveState(const std::string& folder) {
  BG_RETURN_IF_ERROR(RemoveStoredCredential(folder));
  return RemoveFile(absl::StrCat(folder, "/", kFile));
}

}  // namespace bootgate::agent::identity
