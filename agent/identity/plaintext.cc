#include "agent/identity/plaintext.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/identity/installed_credential.h"
#include "agent/identity/own_file.h"
#include "agent/identity/state_file.h"
#include "common/base/descriptor.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/private_key.h"
#include "pki/pem.h"
#include "pki/x509_read.h"

namespace bootgate::agent::identity {
namespace {

constexpr size_t kMaxPem = 65536;  // bytes

absl::StatusOr<crypto::X509Ptr> LeafOf(const std::string& chain_pem) {
  BG_ASSIGN_OR_RETURN(const std::vector<Bytes> chain, pki::CertificatesFromPem(chain_pem));
  if (chain.empty()) return Corrupt("no certificate is installed");
  return pki::ParseCertificate(chain.front());
}

}  // namespace

absl::Status RequireMemory(const std::string& folder) {
  std::filesystem::path place(folder);
  while (!FileExists(place.string()) && place.has_relative_path()) place = place.parent_path();
  struct statfs info = {};
  if (statfs(place.c_str(), &info) != 0) {
    return WithReason(SystemError("look at", place.string(), errno), Reason::kStateUnwritable);
  }
  if (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC) return absl::OkStatus();
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kStateUnwritable,
                absl::StrCat(Printable(folder, folder.size()),
                             " is not in memory (a tmpfs), and a key must not reach a disk; "
                             "credential.require_tmpfs = false allows it"));
}

absl::StatusOr<InstalledPair> ReadInstalled(const std::string& folder) {
  InstalledPair pair;
  const std::string current = CurrentGeneration(folder);
  BG_ASSIGN_OR_RETURN(pair.chain_pem, ReadOwnFile(current + "/cert.pem", kMaxPem, Others::kRead));
  // Who may read it is the operator's choice (install.key_mode).
  BG_ASSIGN_OR_RETURN(pair.key_pem, ReadOwnFile(current + "/key.pem", kMaxPem, Others::kRead));
  const absl::StatusOr<crypto::X509Ptr> leaf = LeafOf(pair.chain_pem);
  if (!leaf.ok()) return Corrupt("the installed certificate does not parse");
  const absl::StatusOr<crypto::PrivateKey> key = crypto::PrivateKey::FromPem(pair.key_pem);
  if (!key.ok()) return Corrupt("the installed key does not parse");
  const absl::StatusOr<crypto::PublicKey> certified = pki::KeyOf(leaf->get());
  if (!certified.ok() || !(*certified == key->Public())) {
    return Corrupt("the installed key is not that of the installed certificate");
  }
  return pair;
}

std::optional<absl::Time> InstalledUntil(const std::string& folder) {
  const std::string certificate = CurrentGeneration(folder) + "/cert.pem";
  if (!FileExists(certificate) && !FileExists(folder + "/key.pem")) return std::nullopt;
  const absl::StatusOr<std::string> pem = ReadOwnFile(certificate, kMaxPem, Others::kRead);
  if (!pem.ok()) return absl::InfinitePast();
  const absl::StatusOr<crypto::X509Ptr> leaf = LeafOf(*pem);
  return leaf.ok() ? pki::NotAfter(leaf->get()) : absl::InfinitePast();
}

}  // namespace bootgate::agent::identity
