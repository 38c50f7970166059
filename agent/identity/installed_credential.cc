#include "agent/identity/installed_credential.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/descriptor.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"

namespace bootgate::agent::identity {
namespace {

constexpr char kCertificate[] = "cert.pem", kKey[] = "key.pem", kBundle[] = "bundle.pem",
               kCurrent[] = "current";
constexpr char kGeneration[] = "generation-";
constexpr size_t kNameBytes = 8;  // random, of a generation's name

std::string In(const std::string& folder, absl::string_view name) {
  return absl::StrCat(folder, "/", name);
}

std::string SecretsIn(const std::string& folder) { return In(folder, "secrets"); }

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

// A link, a file or an empty folder; a missing one is fine. A folder with something in it is not
// ours, and stays.
absl::Status RemoveOne(const std::string& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  return error ? SystemError("remove", path, error.value()) : absl::OkStatus();
}

// A generation, which we have made.
absl::Status RemoveTree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? SystemError("remove", path, error.value()) : absl::OkStatus();
}

// The link is there at once and whole, in the place of another link.
absl::Status Link(const std::string& target, const std::string& path) {
  const std::string temporary = path + ".new";
  BG_RETURN_IF_ERROR(RemoveFile(temporary));
  if (symlink(target.c_str(), temporary.c_str()) != 0)
    return SystemError("make link", temporary, errno);
  if (rename(temporary.c_str(), path.c_str()) == 0) return absl::OkStatus();
  const int error = errno;
  unlink(temporary.c_str());
  return SystemError("rename to", path, error);
}

// cert.pem -> current/cert.pem and so on; they stay while `current` moves.
absl::Status LinkThroughCurrent(const std::string& folder, absl::string_view name) {
  const std::string path = In(folder, name), target = absl::StrCat(kCurrent, "/", name);
  std::error_code error;
  if (std::filesystem::read_symlink(path, error) == target) return absl::OkStatus();
  BG_RETURN_IF_ERROR(RemoveOne(path));
  return Link(target, path);
}

absl::Status WriteKey(const std::string& path, const evidence::SealedPayload& payload,
                      const InstallOptions& options) {
  BG_RETURN_IF_ERROR(WriteFileAtomically(path, payload.private_key_pem.view(), 0600));
  if (options.group.has_value() && chown(path.c_str(), static_cast<uid_t>(-1), *options.group) != 0)
    return SystemError("set group of", path, errno);
  if (chmod(path.c_str(), options.key_mode) != 0) return SystemError("set mode of", path, errno);
  return absl::OkStatus();
}

absl::Status WriteGeneration(const std::string& folder, const evidence::SealedPayload& payload,
                             const InstallOptions& options) {
  BG_RETURN_IF_ERROR(MakeFolder(folder, 0755));
  BG_RETURN_IF_ERROR(WriteKey(In(folder, kKey), payload, options));
  if (!options.bundle_pem.empty()) {
    BG_RETURN_IF_ERROR(WriteFileAtomically(In(folder, kBundle), AsBytes(options.bundle_pem), 0644));
  }
  return WriteFileAtomically(In(folder, kCertificate), AsBytes(payload.chain_pem), 0644);
}

// All but the one of this name; "" for all.
absl::Status RemoveGenerations(const std::string& folder, const std::string& but) {
  std::vector<std::string> old;
  std::error_code error;
  std::filesystem::directory_iterator rows(folder, error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  for (; !error && rows != std::filesystem::directory_iterator(); rows.increment(error)) {
    const std::string name = rows->path().filename().string();
    if (absl::StartsWith(name, kGeneration) && name != but) old.push_back(rows->path().string());
  }
  absl::Status status = error ? SystemError("read", folder, error.value()) : absl::OkStatus();
  for (const std::string& path : old) status.Update(RemoveTree(path));
  return status;
}

absl::Status InstallGeneration(const std::string& folder, const evidence::SealedPayload& payload,
                               const InstallOptions& options) {
  const std::string name = absl::StrCat(kGeneration, crypto::RandomHex(kNameBytes));
  BG_RETURN_IF_ERROR(WriteGeneration(In(folder, name), payload, options));
  BG_RETURN_IF_ERROR(Link(name, In(folder, kCurrent)));
  for (const char* file : {kKey, kCertificate}) {
    BG_RETURN_IF_ERROR(LinkThroughCurrent(folder, file));
  }
  BG_RETURN_IF_ERROR(options.bundle_pem.empty() ? RemoveOne(In(folder, kBundle))
                                                : LinkThroughCurrent(folder, kBundle));
  return RemoveGenerations(folder, name);
}

absl::Status Install(const std::string& folder, const evidence::SealedPayload& payload,
                     const InstallOptions& options) {
  BG_RETURN_IF_ERROR(MakeFolder(folder, 0755));
  BG_RETURN_IF_ERROR(RemoveSecrets(folder, payload.secrets));
  BG_RETURN_IF_ERROR(WriteSecrets(folder, payload.secrets));
  return InstallGeneration(folder, payload, options);
}

}  // namespace

absl::Status InstallCredential(const std::string& folder, const evidence::SealedPayload& payload,
                               const InstallOptions& options) {
  BG_RETURN_IF_ERROR(CheckNames(payload.secrets));
  const absl::Status installed = Install(folder, payload, options);
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
  absl::Status status;
  // With `current` certificate and key are out of reach; then they go.
  for (const char* name : {kCurrent, kCertificate, kKey, kBundle}) {
    status.Update(RemoveOne(In(folder, name)));
    status.Update(RemoveOne(In(folder, name) + ".new"));  // left by a process that was killed
  }
  status.Update(RemoveGenerations(folder, ""));
  status.Update(RemoveSecrets(folder, {}));
  return WithReason(status, Reason::kStateUnwritable);
}

std::string CurrentGeneration(const std::string& folder) {
  std::error_code error;
  const std::string name = std::filesystem::read_symlink(In(folder, kCurrent), error).string();
  const bool ours = absl::StartsWith(name, kGeneration) && name.find('/') == std::string::npos;
  return ours ? In(folder, name) : folder;
}

bool IsCredentialInstalled(const std::string& folder) {
  return FileExists(In(folder, kCertificate)) && FileExists(In(folder, kKey));
}

}  // namespace bootgate::agent::identity
