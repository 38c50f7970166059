#include "gatekeeper/audit/key_folder.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::audit {
namespace {

constexpr size_t kMaxKeyBytes = 16 << 10;
constexpr char kPublicEnding[] = ".pub";
constexpr size_t kPemLine = 64;  // characters, RFC 7468

std::string SecretFile(const std::string& folder) { return folder + "/checkpoint.key"; }

std::string PublicPem(const crypto::PublicKey& key) {
  const std::string body = ToBase64(key.SpkiDer());
  std::string out = "-----BEGIN PUBLIC KEY-----\n";
  for (size_t i = 0; i < body.size(); i += kPemLine) {
    absl::StrAppend(&out, body.substr(i, kPemLine), "\n");
  }
  return out + "-----END PUBLIC KEY-----\n";
}

absl::Status Corrupt(const std::string& file, const absl::Status& why) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kStateCorrupt,
                absl::StrCat(file, ": ", why.message()));
}

absl::StatusOr<crypto::PrivateKey> MakeKey(const std::string& folder) {
  BG_RETURN_IF_ERROR(MakeFolder(folder, 0700));
  BG_ASSIGN_OR_RETURN(crypto::PrivateKey key, crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  BG_RETURN_IF_ERROR(WriteFileAtomically(SecretFile(folder), key.Pem().view(), 0600));
  return key;
}

absl::StatusOr<crypto::PrivateKey> ReadKey(const std::string& folder) {
  BG_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(SecretFile(folder), kMaxKeyBytes));
  absl::StatusOr<crypto::PrivateKey> key = crypto::PrivateKey::FromPem(pem);
  if (!key.ok()) return Corrupt(SecretFile(folder), key.status());
  if (key->Public().curve() != crypto::Curve::kP256) {
    return Corrupt(SecretFile(folder), absl::InvalidArgumentError("not a key on P-256"));
  }
  return key;
}

}  // namespace

std::string PublicKeyFile(const std::string& folder, const std::string& key_id) {
  return absl::StrCat(folder, "/", key_id, kPublicEnding);
}

absl::StatusOr<CheckpointKey> OpenCheckpointKey(const std::string& folder) {
  CheckpointKey out;
  out.made_now = !FileExists(SecretFile(folder));
  BG_ASSIGN_OR_RETURN(crypto::PrivateKey key, out.made_now ? MakeKey(folder) : ReadKey(folder));
  out.id = CheckpointKeyId(key.Public());
  const std::string file = PublicKeyFile(folder, out.id);
  if (!FileExists(file)) {
    BG_RETURN_IF_ERROR(WriteFileAtomically(file, AsBytes(PublicPem(key.Public())), 0644));
  }
  out.key = std::make_shared<const crypto::PrivateKey>(std::move(key));
  return out;
}

absl::StatusOr<CheckpointKeys> ReadCheckpointKeys(const std::string& folder) {
  CheckpointKeys out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() != kPublicEnding) continue;
    const std::string file = entry.path().string();
    BG_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(file, kMaxKeyBytes));
    absl::StatusOr<CheckpointKeys> keys = CheckpointKeysFromPem(pem);
    if (!keys.ok()) return Corrupt(file, keys.status());
    out.merge(*keys);
  }
  return out;
}

}  // namespace bootgate::gatekeeper::audit
