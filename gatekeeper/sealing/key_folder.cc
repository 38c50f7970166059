#include "gatekeeper/sealing/key_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"

namespace bootgate::gatekeeper::sealing {
namespace {

constexpr size_t kKeySize = 32;  // bytes, AES-256
constexpr size_t kIdSize = 8;    // bytes
constexpr size_t kMaxKeys = 64;
constexpr size_t kMaxFile = 65536;  // bytes
constexpr mode_t kFolderMode = 0700, kFileMode = 0600;

std::string KeysIn(const std::string& folder) { return folder + "/secret-keys"; }

absl::Status Corrupt(const std::string& path, absl::string_view why) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kStateCorrupt,
                absl::StrCat(path, ": ", why));
}

absl::StatusOr<SecretKey> ReadLine(absl::string_view line, const std::string& path) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, ' ');
  const absl::StatusOr<Bytes> id = FromHex(parts.first);
  const absl::StatusOr<Bytes> key = FromHex(parts.second);
  if (!id.ok() || !key.ok() || id->size() != kIdSize || key->size() != kKeySize) {
    return Corrupt(path, "a line is not a key's id and its 32 bytes, in hexadecimal");
  }
  return SecretKey{std::string(parts.first), SecretBytes(ByteView(*key))};
}

}  // namespace

FolderLock::FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FolderLock::~FolderLock() {
  if (file_ >= 0) close(file_);
}

absl::StatusOr<FolderLock> FolderLock::Take(const std::string& folder) {
  BG_RETURN_IF_ERROR(MakeFolder(folder, kFolderMode));
  const std::string path = folder + "/lock";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode);
  if (file < 0) return absl::UnavailableError(absl::StrCat("cannot open ", path));
  FolderLock lock(file);
  while (flock(file, LOCK_EX) != 0) {
    if (errno != EINTR) return absl::UnavailableError(absl::StrCat("cannot lock ", path));
  }
  return lock;
}

SecretKey NewSecretKey() { return {crypto::RandomHex(kIdSize), crypto::RandomSecret(kKeySize)}; }

absl::StatusOr<SecretBytes> ReadOwnFile(const std::string& path, size_t most) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? absl::NotFoundError(path) : absl::UnavailableError(path);
  }
  if (!S_ISREG(info.st_mode)) return Corrupt(path, "no plain file");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Corrupt(path, "other users may read it; chmod 600 once you know who did");
  }
  BG_ASSIGN_OR_RETURN(Bytes bytes, ReadFile(path, most));
  SecretBytes out{ByteView(bytes)};
  std::fill(bytes.begin(), bytes.end(), uint8_t{0});
  return out;
}

absl::StatusOr<std::vector<SecretKey>> ReadSecretKeys(const std::string& folder) {
  const std::string path = KeysIn(folder);
  const absl::StatusOr<SecretBytes> text = ReadOwnFile(path, kMaxFile);
  if (absl::IsNotFound(text.status())) return std::vector<SecretKey>();
  BG_RETURN_IF_ERROR(text.status());
  std::vector<SecretKey> keys;
  for (const absl::string_view line :
       absl::StrSplit(AsText(text->view()), '\n', absl::SkipEmpty())) {
    if (keys.size() == kMaxKeys) return Corrupt(path, "more keys than there can be");
    BG_ASSIGN_OR_RETURN(SecretKey key, ReadLine(line, path));
    keys.push_back(std::move(key));
  }
  return keys;
}

absl::Status WriteSecretKeys(const std::string& folder, const std::vector<SecretKey>& keys,
                             const FolderLock&) {
  std::string text;
  text.reserve(keys.size() * 2 * (kIdSize + kKeySize + 1));  // grows nowhere else
  for (const SecretKey& key : keys) {
    absl::StrAppend(&text, key.id, " ", ToHex(key.key.view()), "\n");
  }
  const absl::Status written = WriteFileAtomically(KeysIn(folder), AsBytes(text), kFileMode);
  std::fill(text.begin(), text.end(), '\0');
  return written;
}

}  // namespace bootgate::gatekeeper::sealing
