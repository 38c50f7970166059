#include "agent/workload/tpm_signer.h"

#include <mutex>
#include <utility>

#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/der.h"

namespace bootgate::agent::workload {
namespace {

constexpr uint8_t kSequence = 0x30;
constexpr char kNone[] = "this host holds no valid certificate for its key in the TPM";

// ECDSA-Sig-Value (RFC 3279, 2.2.3). Two integers of P-256 are below 128 bytes.
Bytes SignatureDer(const tpm2::Signature& signature) {
  Bytes numbers;
  crypto::AppendDerInteger(signature.r, numbers);
  crypto::AppendDerInteger(signature.s, numbers);
  Bytes out = {kSequence, static_cast<uint8_t>(numbers.size())};
  out.insert(out.end(), numbers.begin(), numbers.end());
  return out;
}

}  // namespace

struct TpmSigner::State {
  struct Current {
    identity::TpmKeyCredential credential;
    identity::TpmKeyFacts facts;
    std::unique_ptr<TlsKey> tls_key;
  };

  absl::StatusOr<Bytes> Sign(const crypto::Digest& digest);
  absl::StatusOr<Bytes> SignAndCount(const crypto::Digest& digest);

  mutable std::mutex mutex;
  std::shared_ptr<tpm::Tpm> tpm;  // guarded by mutex, as the rest
  std::optional<Current> current;
  Failures failures;
};

absl::StatusOr<Bytes> TpmSigner::State::Sign(const crypto::Digest& digest) {
  std::shared_ptr<tpm::Tpm> used;
  identity::TpmKeyCredential credential;
  std::optional<crypto::PublicKey> key;
  {
    const std::lock_guard lock(mutex);
    if (tpm == nullptr || !current.has_value()) return absl::NotFoundError(kNone);
    used = tpm;
    credential = current->credential;
    key = current->facts.key;
  }
  BG_ASSIGN_OR_RETURN(
      const tpm2::Signature made,
      used->SignWithIdentityKey(credential.auth_policy, credential.selection, digest));
  Bytes der = SignatureDer(made);
  if (!key->Verify(crypto::SignatureScheme::kEcdsa, digest, der).ok()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kTpmIntegrity,
                  "the key in the TPM is not the one of the certificate");
  }
  return der;
}

absl::StatusOr<Bytes> TpmSigner::State::SignAndCount(const crypto::Digest& digest) {
  absl::StatusOr<Bytes> made = Sign(digest);
  if (!made.ok()) {
    const std::lock_guard lock(mutex);
    ++failures.count;
    failures.last = made.status();
  }
  return made;
}

TpmSigner::TpmSigner() : state_(std::make_shared<State>()) {}
TpmSigner::~TpmSigner() = default;

void TpmSigner::UseTpm(std::shared_ptr<tpm::Tpm> tpm) {
  // What was used before may end in here, and waits for its thread: not under the lock.
  {
    const std::lock_guard lock(state_->mutex);
    std::swap(state_->tpm, tpm);
  }
}

absl::Status TpmSigner::SetCredential(std::optional<identity::TpmKeyCredential> credential) {
  std::optional<State::Current> next;
  absl::Status status;
  if (credential.has_value()) {
    absl::StatusOr<identity::TpmKeyFacts> facts = identity::FactsOf(*credential);
    absl::StatusOr<std::unique_ptr<TlsKey>> key = absl::UnknownError("not registered");
    if (!facts.ok()) {
      key = facts.status();
    } else {
      const std::weak_ptr<State> weak = state_;
      key = TlsKey::Register(facts->key,
                             [weak](const crypto::Digest& digest) -> absl::StatusOr<Bytes> {
                               const std::shared_ptr<State> state = weak.lock();
                               if (state == nullptr) return absl::NotFoundError(kNone);
                               return state->SignAndCount(digest);
                             });
    }
    status = key.status();
    if (status.ok())
      next = State::Current{*std::move(credential), *std::move(facts), *std::move(key)};
  }
  const std::lock_guard lock(state_->mutex);
  std::swap(state_->current, next);
  return status;
}

absl::StatusOr<TpmSigner::Shown> TpmSigner::Show(absl::Time now) const {
  const std::lock_guard lock(state_->mutex);
  const std::optional<State::Current>& current = state_->current;
  if (state_->tpm == nullptr || !current.has_value() || current->facts.not_after <= now)
    return absl::NotFoundError(kNone);
  return Shown{current->credential.chain_pem, current->facts, current->tls_key->grpc_name()};
}

absl::StatusOr<crypto::PkeyPtr> TpmSigner::OpenSslKey() const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->current.has_value()) return absl::NotFoundError(kNone);
  return state_->current->tls_key->Load();
}

absl::StatusOr<Bytes> TpmSigner::SignSha256(const crypto::Digest& digest) {
  return state_->SignAndCount(digest);
}

TpmSigner::Failures TpmSigner::failures() const {
  const std::lock_guard lock(state_->mutex);
  return state_->failures;
}

}  // namespace bootgate::agent::workload
