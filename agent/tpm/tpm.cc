#include "agent/tpm/tpm.h"

#include <array>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "agent/tpm/internal/executor.h"
#include "agent/tpm/internal/open.h"
#include "agent/tpm/internal/operations.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/tpm2/policy_digest.h"

namespace bootgate::agent::tpm {

// The context lives and dies on the owner thread.
class Tpm::Core {
 public:
  Core(const Options& options, internal::TctiOpener opener) {
    owner_.Run([&] {
      context_ = std::make_unique<internal::Context>(options, std::move(opener));
      return true;
    });
  }
  ~Core() {
    owner_.Run([&] {
      LetGo();
      context_.reset();
      return true;
    });
  }

  // `work` takes the open context and returns a Status or StatusOr. It has all of the TPM's
  // sessions: those of an Unseal, past or to come, go first.
  template <typename Work>
  auto Run(Work work) -> decltype(work(std::declval<internal::Context&>())) {
    return owner_.Run([&]() -> decltype(work(*context_)) {
      LetGo();
      BG_RETURN_IF_ERROR(context_->EnsureOpen());
      return work(*context_);
    });
  }

  // The same with what opens something sealed to `ek`: made ready before, or now. The secret does
  // not wait until the TPM has let go of what opened it.
  template <typename Work>
  absl::StatusOr<SecretBytes> RunWithOpener(const PinnedEk& ek, Work work) {
    return owner_.Run([&]() -> absl::StatusOr<SecretBytes> {
      used_ = std::exchange(ready_, std::nullopt);
      const bool fits = used_.has_value() && SameBytes(used_->ek_name, ek.name());
      if (!fits || context_->is_spoilt()) used_.reset();
      BG_RETURN_IF_ERROR(context_->EnsureOpen());
      if (!used_.has_value()) {
        BG_ASSIGN_OR_RETURN(used_, internal::MakeOpener(*context_, ek));
      }
      absl::StatusOr<SecretBytes> secret = work(*context_, *used_);
      owner_.Post([this] { used_.reset(); });
      return secret;
    });
  }
  void GetReadyToUnseal(const PinnedEk& ek) {
    owner_.Post([this, ek] {
      LetGo();
      if (!context_->EnsureOpen().ok()) return;
      absl::StatusOr<internal::Opener> opener = internal::MakeOpener(*context_, ek);
      if (opener.ok()) ready_.emplace(*std::move(opener));
    });
  }
  void DropReady() {
    owner_.Post([this] { ready_.reset(); });
  }

  Usage ReadUsage() {
    return owner_.Run([&] { return context_->usage(); });
  }

 private:
  void LetGo() {
    ready_.reset();
    used_.reset();
  }

  std::unique_ptr<internal::Context> context_;  // owner thread only
  std::optional<internal::Opener> ready_;       // the same: for the next Unseal
  std::optional<internal::Opener> used_;        // the same: by the last one
  internal::Executor owner_;
};

absl::StatusOr<std::unique_ptr<Tpm>> internal::OpenTpm(const Options& options, TctiOpener opener) {
  auto core = std::make_unique<Tpm::Core>(options, std::move(opener));
  BG_RETURN_IF_ERROR(core->Run([](Context&) { return absl::OkStatus(); }));
  return std::make_unique<Tpm>(std::move(core));
}

absl::string_view Name(AkKind kind) {
  switch (kind) {
    case AkKind::kEcc:
      return "ecc";
    case AkKind::kRsa:
      return "rsa";
    case AkKind::kGoogleEcc:
      return "google-ecc";
    case AkKind::kGoogleRsa:
      return "google-rsa";
    case AkKind::kAzure:
      return "azure";
  }
  __builtin_unreachable();
}

absl::StatusOr<std::unique_ptr<Tpm>> Tpm::Open(const Options& options) {
  return internal::OpenTpm(options, internal::TctiByName(options.tcti));
}

Tpm::Tpm(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Tpm::~Tpm() = default;

absl::StatusOr<std::vector<EkCertificate>> Tpm::EkCertificates() {
  return core_->Run([](auto& context) { return internal::EkCertificates(context); });
}

absl::StatusOr<std::vector<Bytes>> Tpm::EkChain() {
  return core_->Run([](auto& context) { return internal::EkChain(context); });
}

absl::StatusOr<tpm2::Public> Tpm::EkPublic(tpm2::EkTemplate which) {
  return core_->Run([&](auto& context) -> absl::StatusOr<tpm2::Public> {
    BG_ASSIGN_OR_RETURN(internal::LoadedKey key,
                        internal::CreatePrimary(context, tpm2::EkTemplateBytes(which)));
    return std::move(key.public_area);
  });
}

absl::StatusOr<tpm2::Public> Tpm::AkPublic(AkKind kind) {
  return core_->Run([&](auto& context) { return internal::AkPublic(context, kind); });
}

absl::StatusOr<std::optional<CloudAk>> Tpm::FindCloudAk(AkKind preferred) {
  return core_->Run([&](auto& context) { return internal::FindCloudAk(context, preferred); });
}

absl::Status Tpm::CheckPinned(const PinnedEk& ek) {
  return core_->Run([&](auto& context) { return internal::CheckPinned(context, ek); });
}

absl::StatusOr<SecretBytes> Tpm::ActivateCredential(const PinnedEk& ek, AkKind ak,
                                                    const tpm2::CredentialBlob& blob) {
  return core_->Run(
      [&](auto& context) { return internal::ActivateCredential(context, ek, ak, blob); });
}

absl::StatusOr<Properties> Tpm::ReadProperties() {
  return core_->Run([](auto& context) { return internal::ReadProperties(context); });
}

absl::StatusOr<tpm2::ClockInfo> Tpm::ReadClock() {
  return core_->Run([](auto& context) { return internal::ReadClock(context); });
}

absl::StatusOr<LoadedHandles> Tpm::CountHandles() {
  return core_->Run([](auto& context) { return internal::CountHandles(context); });
}

absl::StatusOr<Health> Tpm::ReadHealth() {
  return core_->Run([](auto& context) { return internal::ReadHealth(context); });
}

Usage Tpm::ReadUsage() { return core_->ReadUsage(); }

absl::string_view TssVersion() { return BOOTGATE_TSS_VERSION; }

bool TssPredatesAdvisories(absl::string_view version) {
  constexpr std::array<int, 3> kMended = {4, 2, 0};
  std::array<int, 3> parts = {};
  size_t next = 0;
  for (const absl::string_view part : absl::StrSplit(version, absl::ByAnyChar(".-~+"))) {
    if (next == parts.size() || !absl::SimpleAtoi(part, &parts[next])) break;
    ++next;
  }
  return parts < kMended;
}

absl::StatusOr<registers::Selection> Tpm::AllocatedBanks() {
  return core_->Run([](auto& context) { return internal::AllocatedBanks(context); });
}

absl::StatusOr<std::vector<registers::RegisterBank>> Tpm::ReadRegisters(
    const registers::Selection& selection) {
  return core_->Run([&](auto& context) { return internal::ReadRegisters(context, selection); });
}

absl::Status Tpm::Extend(uint32_t index, const std::vector<crypto::Digest>& digests) {
  return core_->Run([&](auto& context) { return internal::Extend(context, index, digests); });
}

absl::Status Tpm::Cap(uint32_t index) {
  return core_->Run([&](auto& context) { return internal::Cap(context, index); });
}

absl::StatusOr<tpm2::RawQuote> Tpm::Quote(AkKind ak, const registers::Selection& selection,
                                          ByteView qualifying_data) {
  return core_->Run(
      [&](auto& context) { return internal::Quote(context, ak, selection, qualifying_data); });
}

absl::StatusOr<CertifiedIdentityKey> Tpm::CertifyIdentityKey(AkKind ak, ByteView auth_policy,
                                                             ByteView qualifying_data) {
  return core_->Run([&](auto& context) {
    return internal::CertifyIdentityKey(context, ak, auth_policy, qualifying_data);
  });
}

absl::StatusOr<tpm2::Signature> Tpm::SignWithIdentityKey(ByteView auth_policy,
                                                         const registers::Selection& selection,
                                                         const crypto::Digest& digest) {
  return core_->Run([&](auto& context) {
    return internal::SignWithIdentityKey(context, auth_policy, selection, digest);
  });
}

absl::StatusOr<SecretBytes> Tpm::Unseal(const PinnedEk& ek, const tpm2::ImportBlob& blob,
                                        const registers::Selection& selection) {
  return core_->RunWithOpener(ek, [&](auto& context, internal::Opener& opener) {
    return internal::Unseal(context, ek, opener, blob, selection);
  });
}

absl::StatusOr<SecretBytes> Tpm::UnsealApproved(const PinnedEk& ek, const tpm2::ImportBlob& blob,
                                                const registers::Selection& selection,
                                                const ApprovedState& approval) {
  return core_->RunWithOpener(ek, [&](auto& context, internal::Opener& opener) {
    return internal::UnsealApproved(context, ek, opener, blob, selection, approval);
  });
}

void Tpm::GetReadyToUnseal(const PinnedEk& ek) { core_->GetReadyToUnseal(ek); }

void Tpm::DropReady() { core_->DropReady(); }

absl::StatusOr<Bytes> Tpm::GetRandom(size_t size) {
  return core_->Run([&](auto& context) { return internal::GetRandom(context, size); });
}

absl::StatusOr<Bytes> PcrPolicy(const registers::Selection& selection,
                                const std::vector<registers::RegisterBank>& banks) {
  const auto digest = tpm2::PcrDigest(crypto::HashAlg::kSha256, selection, banks);
  if (!digest.has_value()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kTpm,
                  "a selected register has no value");
  }
  tpm2::PolicyDigest policy(crypto::HashAlg::kSha256);
  policy.Pcr(selection, *digest);
  return ToBytes(policy.value().view());
}

}  // namespace bootgate::agent::tpm
