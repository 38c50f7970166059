#include "gatekeeper/token/key_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/descriptor.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "gatekeeper/token/claims.h"
#include "pki/pem.h"

namespace bootgate::gatekeeper::token {
namespace {

constexpr int kRsaBits = 3072;
constexpr mode_t kFolderMode = 0700, kSecretMode = 0600;
constexpr size_t kGenerationBytes = 16;
constexpr size_t kMaxGenerationBytes = 256;
// A key covers more than it was asked to, so that steady issuing writes to disk once an hour.
constexpr absl::Duration kCoverStep = absl::Hours(1);
// Verifiers' clocks differ; a key is published a little longer than its tokens are valid.
constexpr absl::Duration kClockSlack = absl::Minutes(10);
// The certificate outlives rotation by what the longest-lived token may need.
constexpr absl::Duration kCertificateMargin = absl::Hours(24 * 366);  // above kMaxValidity

std::string GenerationPath(const std::string& folder) { return folder + "/generation"; }

absl::Time CutFor(const KeyInfo& info, absl::Time expires) {
  return std::min(expires, info.not_after);
}

// Whole seconds, as the files keep them.
absl::Time Seconds(absl::Time time) { return absl::FromUnixSeconds(absl::ToUnixSeconds(time)); }

// A key whose name an operator can type: one that begins with '-' is an option on a command line.
absl::StatusOr<crypto::PrivateKey> Generate(jose::JwsAlg alg) {
  for (;;) {
    BG_ASSIGN_OR_RETURN(crypto::PrivateKey made,
                        alg == jose::JwsAlg::kRs256
                            ? crypto::PrivateKey::GenerateRsa(kRsaBits)
                            : crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
    if (jose::ThumbprintText(made.Public()).front() != '-') return made;
  }
}

}  // namespace

// Others wait while this one changes or reads the folder.
class KeyRing::FolderLock {
 public:
  static absl::StatusOr<std::unique_ptr<FolderLock>> Take(const std::string& folder) {
    const std::string path = folder + "/lock";
    auto lock = std::unique_ptr<FolderLock>(
        new FolderLock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kSecretMode)));
    if (lock->file_.get() < 0) return SystemError("open", path, errno);
    while (flock(lock->file_.get(), LOCK_EX) != 0) {
      if (errno != EINTR) return SystemError("lock", path, errno);
    }
    return lock;
  }

 private:
  explicit FolderLock(int fd) : file_(fd) {}
  Descriptor file_;  // closing it releases the lock
};

absl::StatusOr<std::unique_ptr<KeyRing>> KeyRing::Open(RingOptions options,
                                                       const pki::Authority& authority,
                                                       const Clock& clock) {
  BG_RETURN_IF_ERROR(MakeFolder(options.folder, kFolderMode));
  auto ring = std::unique_ptr<KeyRing>(new KeyRing(std::move(options), authority, clock));
  const std::lock_guard guard(ring->mutex_);
  BG_ASSIGN_OR_RETURN(const auto lock, FolderLock::Take(ring->options_.folder));
  BG_RETURN_IF_ERROR(ring->Load());
  const StoredKey* const signer = ring->Signer();
  if (signer == nullptr || signer->info.alg != ring->options_.alg) {
    BG_RETURN_IF_ERROR(ring->RotateLocked().status());
  }
  return ring;
}

absl::Status KeyRing::Load() {
  // Read before the keys: a change in between makes the next use read again.
  generation_ = ReadTextFile(GenerationPath(options_.folder), kMaxGenerationBytes).value_or("");
  BG_ASSIGN_OR_RETURN(keys_, ReadKeys(options_.folder));
  return absl::OkStatus();
}

absl::Status KeyRing::Refresh() {
  const std::string now =
      ReadTextFile(GenerationPath(options_.folder), kMaxGenerationBytes).value_or("");
  if (now == generation_) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(const auto lock, FolderLock::Take(options_.folder));
  return Load();
}

absl::Status KeyRing::Changed() {
  BG_RETURN_IF_ERROR(WriteFileAtomically(
      GenerationPath(options_.folder), AsBytes(crypto::RandomHex(kGenerationBytes)), kSecretMode));
  return Load();
}

const StoredKey* KeyRing::Signer() const {
  const auto found =
      std::ranges::find_if(keys_, [](const StoredKey& key) { return key.info.signs(); });
  return found == keys_.end() ? nullptr : &*found;
}

absl::StatusOr<std::string> KeyRing::MakeKey() {
  BG_ASSIGN_OR_RETURN(crypto::PrivateKey made, Generate(options_.alg));
  const absl::Time now = Seconds(clock_.Now());
  KeyInfo info{.kid = jose::ThumbprintText(made.Public()),
               .alg = options_.alg,
               .created_at = now,
               .retired_at = std::nullopt,
               .covers_until = absl::InfinitePast(),
               .chain = {},
               .not_after = std::min(now + options_.rotate_every + kCertificateMargin,
                                     authority_.not_after(pki::CaUse::kServers))};
  BG_ASSIGN_OR_RETURN(Bytes certificate,
                      authority_.IssueTokenSigner(made.Public(), now - kBackdate, info.not_after));
  BG_ASSIGN_OR_RETURN(info.chain, pki::CertificatesFromPem(authority_.ChainOf(certificate)));
  info.chain.insert(info.chain.begin(), std::move(certificate));
  const std::string kid = info.kid;
  const crypto::PublicKey key = made.Public();
  BG_RETURN_IF_ERROR(WriteKey(
      options_.folder,
      {std::move(info), key, std::make_shared<const crypto::PrivateKey>(std::move(made))}));
  return kid;
}

// The private half goes last: a crash in between leaves a file that nobody uses, and Tend deletes
// it with the key.
absl::Status KeyRing::StopSigning(KeyInfo info, absl::Time now) {
  info.retired_at = Seconds(now);
  BG_RETURN_IF_ERROR(WriteInfo(options_.folder, info));
  return RemoveSecret(options_.folder, info.kid);
}

// The new key first: there is always one that signs.
absl::StatusOr<std::string> KeyRing::RotateLocked() {
  BG_RETURN_IF_ERROR(Load());
  BG_ASSIGN_OR_RETURN(const std::string kid, MakeKey());
  for (const StoredKey& old : keys_) {
    if (old.info.signs()) BG_RETURN_IF_ERROR(StopSigning(old.info, clock_.Now()));
  }
  BG_RETURN_IF_ERROR(Changed());
  return kid;
}

absl::StatusOr<std::string> KeyRing::Rotate() {
  const std::lock_guard guard(mutex_);
  BG_ASSIGN_OR_RETURN(const auto lock, FolderLock::Take(options_.folder));
  return RotateLocked();
}

absl::Status KeyRing::Retire(const std::string& kid, Retirement how) {
  const std::lock_guard guard(mutex_);
  BG_ASSIGN_OR_RETURN(const auto lock, FolderLock::Take(options_.folder));
  BG_RETURN_IF_ERROR(Load());
  const auto named = [&](const StoredKey& key) { return key.info.kid == kid; };
  const auto found = std::ranges::find_if(keys_, named);
  if (found == keys_.end()) {
    return absl::NotFoundError(absl::StrCat("no token key \"", Printable(kid, 64), "\""));
  }
  if (found->info.signs()) BG_RETURN_IF_ERROR(RotateLocked().status());
  if (how == Retirement::kWithdraw) BG_RETURN_IF_ERROR(RemoveKey(options_.folder, kid));
  return Changed();
}

absl::StatusOr<KeyRing::Tended> KeyRing::Tend() {
  const std::lock_guard guard(mutex_);
  BG_RETURN_IF_ERROR(Refresh());
  const absl::Time now = clock_.Now();
  const auto is_due = [&](const KeyInfo& info) {
    return info.signs() && now >= info.created_at + options_.rotate_every;
  };
  const auto is_over = [&](const KeyInfo& info) {
    return !info.signs() && now > info.covers_until + kClockSlack;
  };
  const auto has_work = [&] {
    return std::ranges::any_of(
        keys_, [&](const StoredKey& key) { return is_due(key.info) || is_over(key.info); });
  };
  Tended out;
  if (!has_work()) return out;
  BG_ASSIGN_OR_RETURN(const auto lock, FolderLock::Take(options_.folder));
  BG_RETURN_IF_ERROR(Load());  // another process may have been faster
  if (!has_work()) return out;
  if (const StoredKey* const signer = Signer(); signer != nullptr && is_due(signer->info)) {
    BG_ASSIGN_OR_RETURN(out.made.emplace_back(), RotateLocked());
  }
  for (const StoredKey& key : keys_) {
    if (!is_over(key.info)) continue;
    BG_RETURN_IF_ERROR(RemoveKey(options_.folder, key.info.kid));
    out.deleted.push_back(key.info.kid);
  }
  BG_RETURN_IF_ERROR(Changed());
  return out;
}

absl::Status KeyRing::Cover(absl::Time expires) {
  BG_ASSIGN_OR_RETURN(const auto lock, FolderLock::Take(options_.folder));
  BG_RETURN_IF_ERROR(Load());
  const StoredKey* const signer = Signer();
  if (signer == nullptr) return absl::FailedPreconditionError("no token key signs");
  expires = CutFor(signer->info, expires);
  if (expires <= signer->info.covers_until) return absl::OkStatus();
  KeyInfo info = signer->info;
  info.covers_until = Seconds(expires + kCoverStep);
  BG_RETURN_IF_ERROR(WriteInfo(options_.folder, info));
  return Changed();
}

absl::StatusOr<SigningKey> KeyRing::KeyFor(absl::Time expires) {
  const std::lock_guard guard(mutex_);
  BG_RETURN_IF_ERROR(Refresh());
  const StoredKey* signer = Signer();
  if (signer == nullptr || CutFor(signer->info, expires) > signer->info.covers_until) {
    BG_RETURN_IF_ERROR(Cover(expires));
    signer = Signer();
  }
  if (signer == nullptr) return absl::FailedPreconditionError("no token key signs");
  return SigningKey{signer->info, signer->secret, CutFor(signer->info, expires)};
}

absl::StatusOr<std::vector<KeyInfo>> KeyRing::Keys() {
  const std::lock_guard guard(mutex_);
  BG_RETURN_IF_ERROR(Refresh());
  std::vector<KeyInfo> out;
  for (const StoredKey& key : keys_) out.push_back(key.info);
  return out;
}

absl::StatusOr<std::vector<jose::Jwk>> KeyRing::Published() {
  const std::lock_guard guard(mutex_);
  BG_RETURN_IF_ERROR(Refresh());
  return PublishedOf(keys_, clock_.Now());
}

std::vector<jose::Jwk> PublishedOf(const std::vector<StoredKey>& keys, absl::Time now) {
  std::vector<jose::Jwk> out;
  for (const StoredKey& key : keys) {
    if (!key.info.signs() && now > key.info.covers_until + kClockSlack) continue;
    out.push_back({key.key,
                   {.kid = key.info.kid,
                    .use = "sig",
                    .alg = std::string(jose::Name(key.info.alg)),
                    .x5c = key.info.chain}});
  }
  return out;
}

}  // namespace bootgate::gatekeeper::token
