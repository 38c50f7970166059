#include "agent/identity/boot_secrets.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/identity/json_fields.h"
#include "agent/identity/state_file.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::identity {
namespace {

using evidence::BootSecrets;
using evidence::StateApproval;

constexpr char kFile[] = "boot-secrets.json";
constexpr char kVersion[] = "1";
constexpr size_t kMaxBlobPart = 1024;            // bytes of one part of the import blob
constexpr size_t kMaxPayload = size_t{1} << 18;  // bytes

std::string PathIn(const std::string& folder) { return absl::StrCat(folder, "/", kFile); }

// "policy:signature,policy:signature", all in hexadecimal.
std::string Written(const std::vector<StateApproval>& approvals) {
  return absl::StrJoin(approvals, ",", [](std::string* out, const StateApproval& approval) {
    absl::StrAppend(out, ToHex(approval.policy), ":", ToHex(approval.signature));
  });
}

absl::StatusOr<std::vector<StateApproval>> ReadApprovals(const std::string& text) {
  constexpr size_t kMost = evidence::kMaxApprovals * (4 * evidence::kMaxApprovalPart + 2);
  if (text.size() > kMost) return Corrupt("field approvals is too long");
  std::vector<StateApproval> out;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> halves = absl::StrSplit(part, ':');
    const absl::StatusOr<Bytes> policy = FromHex(halves.first);
    const absl::StatusOr<Bytes> signature = FromHex(halves.second);
    if (!policy.ok() || !signature.ok() || out.size() == evidence::kMaxApprovals) {
      return Corrupt("field approvals");
    }
    out.push_back({*policy, *signature});
  }
  return out;
}

absl::StatusOr<BootSecrets> FromFields(const Fields& fields) {
  if (fields.at("version") != kVersion) return Corrupt("another version");
  BootSecrets out;
  BG_ASSIGN_OR_RETURN(out.content_id, HexField(fields, "content_id", evidence::kMaxContentId));
  BG_ASSIGN_OR_RETURN(out.blob.object_public, HexField(fields, "object_public", kMaxBlobPart));
  BG_ASSIGN_OR_RETURN(out.blob.duplicate, HexField(fields, "duplicate", kMaxBlobPart));
  BG_ASSIGN_OR_RETURN(out.blob.in_sym_seed, HexField(fields, "in_sym_seed", kMaxBlobPart));
  BG_ASSIGN_OR_RETURN(out.payload, HexField(fields, "payload", kMaxPayload));
  BG_ASSIGN_OR_RETURN(out.approving_key, HexField(fields, "approving_key", kMaxBlobPart));
  BG_ASSIGN_OR_RETURN(out.approvals, ReadApprovals(fields.at("approvals")));
  if (!absl::SimpleAtoi(fields.at("generation"), &out.generation)) {
    return Corrupt("field generation is no number");
  }
  const auto selection = registers::ParseSelection(fields.at("selection"));
  if (!selection.ok()) return Corrupt("field selection");
  out.selection = *selection;
  return out;
}

absl::Status Store(const std::string& folder, const BootSecrets& secrets) {
  return WriteStateFile(folder, kFile,
                        WriteFields({{"version", kVersion},
                                     {"content_id", ToHex(secrets.content_id)},
                                     {"object_public", ToHex(secrets.blob.object_public)},
                                     {"duplicate", ToHex(secrets.blob.duplicate)},
                                     {"in_sym_seed", ToHex(secrets.blob.in_sym_seed)},
                                     {"payload", ToHex(secrets.payload)},
                                     {"selection", registers::Format(secrets.selection)},
                                     {"approving_key", ToHex(secrets.approving_key)},
                                     {"generation", absl::StrCat(secrets.generation)},
                                     {"approvals", Written(secrets.approvals)}}));
}

bool SameStates(const std::vector<StateApproval>& a, const std::vector<StateApproval>& b) {
  return std::ranges::equal(a, b, [](const StateApproval& left, const StateApproval& right) {
    return SameBytes(left.policy, right.policy);
  });
}

absl::Status KeepApprovals(const std::string& folder, const std::string& host_id,
                           const BootSecrets& answered) {
  absl::StatusOr<BootSecrets> held = LoadBootSecrets(folder);
  if (!held.ok() || !SameBytes(held->content_id, answered.content_id)) {
    return absl::FailedPreconditionError("approvals of boot secrets that this host does not hold");
  }
  const std::vector<StateApproval> before = std::exchange(held->approvals, answered.approvals);
  BG_RETURN_IF_ERROR(evidence::CheckBootSecrets(*held, host_id));
  // Signatures are made anew for each answer: the same states need no new file.
  if (SameStates(before, held->approvals)) return absl::OkStatus();
  return Store(folder, *held);
}

}  // namespace

absl::Status KeepBootSecrets(const std::string& folder, const std::string& host_id,
                             const BootSecrets& answered) {
  if (answered.payload.empty()) return KeepApprovals(folder, host_id, answered);
  if (answered.payload.size() > kMaxPayload) {
    return absl::ResourceExhaustedError("boot secrets of more bytes than are kept");
  }
  BG_RETURN_IF_ERROR(evidence::CheckBootSecrets(answered, host_id));
  return Store(folder, answered);
}

absl::StatusOr<BootSecrets> LoadBootSecrets(const std::string& folder) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadStateFile(PathIn(folder)));
  BG_ASSIGN_OR_RETURN(
      const Fields fields,
      ReadFields(text, {"version", "content_id", "object_public", "duplicate", "in_sym_seed",
                        "payload", "selection", "approving_key", "generation", "approvals"}));
  return FromFields(fields);
}

Bytes HeldBootSecrets(const std::string& folder) {
  const absl::StatusOr<BootSecrets> held = LoadBootSecrets(folder);
  return held.ok() ? held->content_id : Bytes();
}

absl::Status RemoveBootSecrets(const std::string& folder) { return RemoveFile(PathIn(folder)); }

absl::StatusOr<evidence::Secrets> UnsealBootSecrets(tpm::Tpm& tpm, const JoinState& joined,
                                                    const BootSecrets& held) {
  BG_RETURN_IF_ERROR(evidence::CheckBootSecrets(held, joined.host_id));
  BG_ASSIGN_OR_RETURN(const std::vector<registers::RegisterBank> now,
                      tpm.ReadRegisters(held.selection));
  BG_ASSIGN_OR_RETURN(const Bytes state, tpm::PcrPolicy(held.selection, now));
  const auto approval = std::ranges::find_if(
      held.approvals, [&](const StateApproval& row) { return SameBytes(row.policy, state); });
  if (approval == held.approvals.end()) {
    return Refuse(
        absl::StatusCode::kFailedPrecondition, Reason::kTpmPolicy,
        absl::StrCat("none of ", held.approvals.size(), " approved states is the one that ",
                     registers::Format(held.selection), " show"));
  }
  BG_ASSIGN_OR_RETURN(
      const SecretBytes key,
      tpm.UnsealApproved(joined.pinned_ek(), held.blob, held.selection,
                         {.approving_key = held.approving_key,
                          .policy = approval->policy,
                          .policy_ref = evidence::PolicyRef(joined.host_id, held.generation),
                          .signature = approval->signature}));
  return evidence::OpenBootSecrets(key, joined.host_id, held.generation, held.payload);
}

}  // namespace bootgate::agent::identity
