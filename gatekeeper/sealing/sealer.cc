#include "gatekeeper/sealing/sealer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/writer.h"
#include "common/crypto/random.h"
#include "common/evidence/sealed_payload.h"
#include "common/tpm2/approval.h"
#include "common/tpm2/policy_digest.h"
#include "gatekeeper/sealing/approving_key.h"
#include "gatekeeper/sealing/boot_state.h"

namespace bootgate::gatekeeper::sealing {
namespace {

constexpr crypto::HashAlg kHash = crypto::HashAlg::kSha256;
constexpr size_t kMaxRemembered = 100000;  // hosts

void AddField(bytes::Writer& out, ByteView field) {
  out.U32Be(static_cast<uint32_t>(field.size())).Raw(field);
}

}  // namespace

registers::Selection StateSelection(const Options& options) {
  registers::Selection selection = options.selection;
  if (!options.cap_register.has_value()) return selection;
  for (registers::BankSelection& bank : selection) {
    if (bank.mask != 0) bank.mask |= 1u << *options.cap_register;
  }
  return selection;
}

absl::StatusOr<Bytes> StateOf(const Options& options,
                              const std::vector<registers::RegisterBank>& banks) {
  const registers::Selection selection = StateSelection(options);
  std::vector<registers::RegisterBank> uncapped = banks;
  for (registers::RegisterBank& bank : uncapped) {
    if (options.cap_register.has_value()) {
      bank.Set(*options.cap_register, crypto::Digest(bank.alg()));
    }
  }
  const std::optional<crypto::Digest> values = tpm2::PcrDigest(kHash, selection, uncapped);
  if (!values.has_value()) {
    return Refuse(
        absl::StatusCode::kInternal, Reason::kInternal,
        absl::StrCat("not every register of ", registers::Format(selection), " has a value"));
  }
  return ToBytes(tpm2::PolicyDigest(kHash).Pcr(selection, *values).value().view());
}

Sealer::Sealer(Options options, store::Store& store, std::shared_ptr<const pki::KeyHolder> key,
               Bytes key_area, Bytes key_name)
    : options_(std::move(options)),
      state_selection_(StateSelection(options_)),
      store_(store),
      key_(std::move(key)),
      key_area_(std::move(key_area)),
      key_name_(std::move(key_name)),
      vault_(store, options_.folder) {}

absl::StatusOr<std::unique_ptr<Sealer>> Sealer::Open(Options options, store::Store& store) {
  BG_ASSIGN_OR_RETURN(std::shared_ptr<const pki::KeyHolder> key, ApprovingKey(options.folder));
  BG_ASSIGN_OR_RETURN(Bytes area, tpm2::ApprovingKeyArea(key->Public()));
  BG_ASSIGN_OR_RETURN(const tpm2::Public parsed, tpm2::Public::FromTpmt(area));
  return std::unique_ptr<Sealer>(
      new Sealer(std::move(options), store, std::move(key), std::move(area), parsed.Name()));
}

absl::Status Sealer::Refresh() {
  BG_ASSIGN_OR_RETURN(const int64_t change, store_.ChangeCounter());
  if (change == change_) return absl::OkStatus();
  const size_t before = read_.size();
  BG_ASSIGN_OR_RETURN(approvals_, ReadApprovals(store_, key_->Public(), read_));
  change_ = change;
  if (read_.size() == before) return absl::OkStatus();
  for (const RecordedApproval& record : approvals_) {
    if (record.approval.ok() || record.revoked) continue;
    Log(LogLevel::kError, "an approval is not taken",
        {{"approval", record.id}, {"text", std::string(record.approval.status().message())}});
  }
  return absl::OkStatus();
}

absl::StatusOr<Sealer::Standing> Sealer::StandingFor(const std::string& host_id, absl::Time now) {
  const std::lock_guard lock(mutex_);
  BG_RETURN_IF_ERROR(Refresh());
  Standing out;
  out.generation = GenerationOf(host_id, approvals_, now);
  for (auto record = approvals_.rbegin(); record != approvals_.rend(); ++record) {
    if (!record->Stands(now) || record->approval->selection != state_selection_) continue;
    const auto state = record->approval->states.find(host_id);
    if (state != record->approval->states.end()) out.states.push_back(state->second);
  }
  return out;
}

absl::StatusOr<Bytes> Sealer::Approve(const Bytes& state, const Bytes& ref) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = signed_.find({state, ref}); known != signed_.end()) return known->second;
  }
  BG_ASSIGN_OR_RETURN(
      Bytes signature,
      tpm2::SignApproval([&](const crypto::Digest& digest) { return key_->Sign(digest); }, state,
                         ref));
  const std::lock_guard lock(mutex_);
  if (signed_.size() >= kMaxRemembered) signed_.clear();
  signed_[{state, ref}] = signature;
  return signature;
}

absl::Status Sealer::SealTo(const tpm2::Public& ek, const std::string& host_id,
                            const HostSecrets& secrets, evidence::BootSecrets* out) const {
  const SecretBytes key = crypto::RandomSecret(evidence::kSealedKeySize);
  BG_ASSIGN_OR_RETURN(out->payload,
                      evidence::CloseBootSecrets(key, host_id, out->generation, secrets.across));
  const Bytes policy =
      tpm2::AuthorizedPolicy(key_name_, evidence::PolicyRef(host_id, out->generation));
  BG_ASSIGN_OR_RETURN(out->blob, tpm2::SealForImport(ek, policy, key));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<evidence::BootSecrets>> Sealer::Seal(const AdmittedHost& host,
                                                                  const HostSecrets& secrets) {
  if (secrets.across.empty()) return std::optional<evidence::BootSecrets>();
  BG_ASSIGN_OR_RETURN(Standing standing, StandingFor(host.host_id, host.now));
  BG_ASSIGN_OR_RETURN(Bytes present, StateOf(options_, host.quoted.banks()));
  std::erase(standing.states, present);
  standing.states.insert(standing.states.begin(), std::move(present));
  standing.states.resize(std::min(standing.states.size(), evidence::kMaxApprovals));

  evidence::BootSecrets out;
  out.selection = state_selection_;
  out.approving_key = key_area_;
  out.generation = standing.generation;
  const Bytes ref = evidence::PolicyRef(host.host_id, out.generation);
  for (Bytes& state : standing.states) {
    BG_ASSIGN_OR_RETURN(Bytes signature, Approve(state, ref));
    out.approvals.push_back({std::move(state), std::move(signature)});
  }
  bytes::Writer content;
  AddField(content, ref);
  AddField(content, registers::Marshal(state_selection_));
  AddField(content, key_name_);
  AddField(content, secrets.across_id);
  out.content_id = ToBytes(crypto::Hash(kHash, content.view()).view());
  if (!SameBytes(out.content_id, host.held)) {
    BG_RETURN_IF_ERROR(SealTo(host.ek, host.host_id, secrets, &out));
  }
  return std::optional<evidence::BootSecrets>(std::move(out));
}

absl::Status Sealer::Remember(const AdmittedHost& host) {
  const BootState state{Restricted(host.quoted.banks(), options_.selection),
                        ToBytes(host.boot_log)};
  bytes::Writer all;
  AddField(all, state.boot_log);
  for (const registers::RegisterBank& bank : state.registers) {
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      if (const auto value = bank.Get(i)) all.Raw(value->view());
    }
  }
  const Bytes digest = ToBytes(crypto::Hash(kHash, all.view()).view());
  {
    const std::lock_guard lock(mutex_);
    const auto known = remembered_.find(host.host_id);
    if (known != remembered_.end() && known->second == digest) return absl::OkStatus();
  }
  BG_RETURN_IF_ERROR(RememberBootState(store_, host.host_id, state, host.now));
  const std::lock_guard lock(mutex_);
  if (remembered_.size() >= kMaxRemembered) remembered_.clear();
  remembered_[host.host_id] = digest;
  return absl::OkStatus();
}

}  // namespace bootgate::gatekeeper::sealing
