#include "agent/identity/tpm_key_credential.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/identity/json_fields.h"
#include "agent/identity/state_file.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/authority.h"
#include "pki/host_certificate.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::agent::identity {
namespace {

constexpr char kFile[] = "tpm-key.json";
constexpr char kVersion[] = "1";
constexpr size_t kMaxPolicy = 32;  // bytes, SHA-256

std::string PathIn(const std::string& folder) { return absl::StrCat(folder, "/", kFile); }

}  // namespace

absl::StatusOr<TpmKeyFacts> FactsOf(const TpmKeyCredential& credential) {
  BG_ASSIGN_OR_RETURN(std::vector<Bytes> chain, pki::CertificatesFromPem(credential.chain_pem));
  if (chain.empty()) return Malformed(Reason::kCertParse, "no certificate");
  BG_ASSIGN_OR_RETURN(const crypto::X509Ptr leaf, pki::ParseCertificate(chain.front()));
  BG_ASSIGN_OR_RETURN(crypto::PublicKey key, pki::KeyOf(leaf.get()));
  BG_ASSIGN_OR_RETURN(const pki::HostCertificate host,
                      pki::ReadHostCertificate(pki::DerToPem(chain.front())));
  Bytes certificate = chain.front();
  return TpmKeyFacts{std::move(certificate), std::move(chain), std::move(key), host.spiffe_id,
                     host.not_after};
}

absl::Status StoreTpmKeyCredential(const std::string& folder, const TpmKeyCredential& credential) {
  return WriteStateFile(folder, kFile,
                        WriteFields({{"version", kVersion},
                                     {"chain", credential.chain_pem},
                                     {"selection", registers::Format(credential.selection)},
                                     {"auth_policy", ToHex(credential.auth_policy)}}));
}

absl::StatusOr<TpmKeyCredential> LoadTpmKeyCredential(const std::string& folder) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadStateFile(PathIn(folder)));
  BG_ASSIGN_OR_RETURN(const Fields fields,
                      ReadFields(text, {"version", "chain", "selection", "auth_policy"}));
  if (fields.at("version") != kVersion) return Corrupt("another version");
  TpmKeyCredential out{.chain_pem = fields.at("chain"), .selection = {}, .auth_policy = {}};
  const auto selection = registers::ParseSelection(fields.at("selection"));
  if (!selection.ok()) return Corrupt("field selection");
  out.selection = *selection;
  BG_ASSIGN_OR_RETURN(out.auth_policy, HexField(fields, "auth_policy", kMaxPolicy));
  if (out.auth_policy.size() != kMaxPolicy) return Corrupt("field auth_policy");
  if (!FactsOf(out).ok()) return Corrupt("field chain");
  return out;
}

absl::Status RemoveTpmKeyCredential(const std::string& folder) {
  return RemoveFile(PathIn(folder));
}

}  // namespace bootgate::agent::identity
