#include "agent/identity/installed_credential.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::identity {
namespace {

std::string CertificateIn(const std::string& folder) { return folder + "/cert.pem"; }
std::string KeyIn(const std::string& folder) { return folder + "/key.pem"; }
std::string SecretsIn(const std::string& folder) { return folder + "/secrets"; }

bool IsPlainFileName(const std::string& name) {
  return !name.empty() && name.front() != '.' && std::ranges::all_of(name, [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

absl::Status CheckNames(const evidence::Secrets& secrets) {
  for (const auto& [name, secret] : secrets) {
    if (IsPlainFileName(name)) continue;
    return absl::InvalidArgumentError(absl::StrCat("secret named ", Printable(name)));
  }
  return absl::OkStatus();
}

absl::Status RemoveSecrets(const std::string& folder,
                           const std::map<std::string, SecretBytes>& but) {
  std::error_code error;
  // A link in its place would lead us to delete and write elsewhere.
  if (std::filesystem::is_symlink(SecretsIn(folder), error)) return RemoveFile(SecretsIn(folder));
  std::filesystem::directory_iterator files(SecretsIn(folder), error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
    if (but.contains(files->path().filename().string())) continue;
    BG_RETURN_IF_ERROR(RemoveFile(files->path().string()));
  }
  return error ? absl::UnavailableError(SecretsIn(folder)) : absl::OkStatus();
}

absl::Status WriteSecrets(const std::string& folder, const evidence::Secrets& secrets) {
  if (secrets.empty()) return absl::OkStatus();
  BG_RETURN_IF_ERROR(MakeFolder(SecretsIn(folder), 0700));
  for (const auto& [name, secret] : secrets) {
    BG_RETURN_IF_ERROR(
        WriteFileAtomically(absl::StrCat(SecretsIn(folder), "/", name), secret.view(), 0600));
  }
  return absl::OkStatus();
}

}  // namespace

namespace {

absl::Status Install(const std::string& folder, const evidence::SealedPayload& payload) {
  BG_RETURN_IF_ERROR(MakeFolder(folder, 0755));
  // An old certificate must not stand beside a new key.
  BG_RETURN_IF_ERROR(RemoveFile(CertificateIn(folder)));
  BG_RETURN_IF_ERROR(RemoveSecrets(folder, payload.secrets));
  BG_RETURN_IF_ERROR(WriteSecrets(folder, payload.secrets));
  BG_RETURN_IF_ERROR(WriteFileAtomically(KeyIn(folder), payload.private_key_pem.view(), 0600));
  return WriteFileAtomically(CertificateIn(folder), AsBytes(payload.chain_pem), 0644);
}

}  // namespace

absl::Status InstallCredential(const std::string& folder, const evidence::SealedPayload& payload) {
  BG_RETURN_IF_ERROR(CheckNames(payload.secrets));
  const absl::Status installed = Install(folder, payload);
  if (!installed.ok()) RemoveInstalledCredential(folder).IgnoreError();  // nothing half-written
  return WithReason(installed, Reason::kStateUnwritable);
}

absl::Status InstallSecrets(const std::string& folder, const evidence::Secrets& secrets) {
  BG_RETURN_IF_ERROR(CheckNames(secrets));
  absl::Status installed = MakeFolder(folder, 0755);
  if (installed.ok()) installed = WriteSecrets(folder, secrets);
  return WithReason(installed, Reason::kStateUnwritable);
}

absl::Status RemoveInstalledCredential(const std::string& folder) {
  absl::Status status = RemoveFile(CertificateIn(folder));
  for (const std::string& path : {CertificateIn(folder), KeyIn(folder)}) {
    status.Update(RemoveFile(path));
    status.Update(RemoveFile(path + ".new"));  // left by a process that was killed
  }
  status.Update(RemoveSecrets(folder, {}));
  return WithReason(status, Reason::kStateUnwritable);
}

bool IsCredentialInstalled(const std::string& folder) {
  return FileExists(CertificateIn(folder)) && FileExists(KeyIn(folder));
}

}  // namespace bootgate::agent::identity
