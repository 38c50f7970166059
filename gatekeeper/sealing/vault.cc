#include "gatekeeper/sealing/vault.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
#include "common/crypto/random.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/rollout/selector.h"

namespace bootgate::gatekeeper::sealing {
namespace {

constexpr size_t kSeedSize = 32;  // bytes, of what hosts' own values are derived from

audit::Detail DetailOf(const SecretFacts& facts, const std::string& key_id) {
  return audit::Detail()
      .Text("selector", facts.selector)
      .Flag("per_host", facts.per_host)
      .Flag("across_boots", facts.across_boots)
      .Text("key", key_id);
}

store::AssignmentRow StepOf(const SecretFacts& facts, store::Step step, const Actor& actor) {
  store::AssignmentRow row;
  row.kind = kSecretKind;
  row.selector = SlotOf(facts);
  row.author = actor.name;
  row.at = actor.at;
  row.step = step;
  return row;
}

absl::Status CheckBounds(const HostSecrets& secrets) {
  size_t bytes = 0;
  for (const auto& [name, value] : secrets.all) bytes += value.size();
  if (secrets.all.size() <= kMaxSecretsOfHost && bytes <= kMaxSecretBytesOfHost) {
    return absl::OkStatus();
  }
  return Refuse(absl::StatusCode::kResourceExhausted, Reason::kInternal,
                absl::StrCat(secrets.all.size(), " secrets of ", bytes,
                             " bytes fit this host's labels; at most ", kMaxSecretsOfHost, " of ",
                             kMaxSecretBytesOfHost, " are possible. Narrow a selector"));
}

}  // namespace

absl::StatusOr<Vault::Known> Vault::Open(const store::AssignmentRow& row) {
  BG_ASSIGN_OR_RETURN(const store::DocumentRow document,
                      store_.GetDocument(kSecretKind, row.document_id));
  BG_ASSIGN_OR_RETURN(const Secret secret, SecretFromText(document.text));
  if (SlotOf(secret.facts) != row.selector) {
    return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt,
                  absl::StrCat("a stored secret is assigned as ", Printable(row.selector)));
  }
  if (std::ranges::find(keys_, secret.key_id, &SecretKey::id) == keys_.end()) {
    BG_ASSIGN_OR_RETURN(keys_, ReadSecretKeys(folder_));  // another process has made a new one
  }
  Known known;
  BG_ASSIGN_OR_RETURN(known.opened, OpenSecret(secret, keys_));
  known.standing = {secret.facts, secret.key_id, row.document_id, row.author, row.at};
  return known;
}

// One that cannot be read hurts the hosts that should have it, and nobody else.
Vault::Known Vault::OpenOrSayWhy(const store::AssignmentRow& row) {
  absl::StatusOr<Known> opened = Open(row);
  if (opened.ok()) return *std::move(opened);
  const std::pair<std::string, std::string> slot =
      absl::StrSplit(row.selector, absl::MaxSplits('@', 1));
  Known known;
  known.standing = {{.name = slot.first, .selector = slot.second},
                    "",
                    row.document_id,
                    row.author,
                    row.at,
                    opened.status()};
  return known;
}

absl::Status Vault::Refresh() {
  BG_ASSIGN_OR_RETURN(const int64_t change, store_.ChangeCounter());
  if (change == change_) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> rows,
                      store_.ListAssignments(kSecretKind));
  std::map<std::string, Known> known;
  for (const store::AssignmentRow& row : rows) {
    if (row.document_id.empty()) continue;
    const auto before = known_.find(row.selector);
    const bool same = before != known_.end() && before->second.standing.broken.ok() &&
                      before->second.standing.document_id == row.document_id;
    known.emplace(row.selector, same ? std::move(before->second) : OpenOrSayWhy(row));
  }
  known_ = std::move(known);
  change_ = change;
  return absl::OkStatus();
}

absl::StatusOr<HostSecrets> Vault::For(const std::string& host_id,
                                       const std::map<std::string, std::string>& labels) {
  const std::lock_guard lock(mutex_);
  BG_RETURN_IF_ERROR(Refresh());
  std::map<std::string, const Known*> chosen;  // by name
  for (const auto& [slot, known] : known_) {
    const SecretFacts& facts = known.standing.facts;
    if (!rollout::Fits(facts.selector, labels)) continue;
    const Known*& best = chosen[facts.name];
    if (best == nullptr || rollout::IsMoreSpecific(facts.selector, best->standing.facts.selector)) {
      best = &known;
    }
  }
  HostSecrets out;
  std::string across;
  for (const auto& [name, known] : chosen) {
    const SecretFacts& facts = known->standing.facts;
    BG_RETURN_IF_ERROR(known->standing.broken);
    SecretBytes value = ValueFor(facts, known->opened, host_id);
    if (facts.across_boots) {
      absl::StrAppend(&across, name, " ", known->standing.document_id, "\n");
      out.across.emplace(name, value.Clone());
    }
    out.all.emplace(name, std::move(value));
  }
  BG_RETURN_IF_ERROR(CheckBounds(out));
  if (!across.empty()) {
    out.across_id = ToBytes(crypto::Hash(crypto::HashAlg::kSha256, AsBytes(across)).view());
  }
  return out;
}

absl::StatusOr<std::vector<StandingSecret>> Vault::List() {
  const std::lock_guard lock(mutex_);
  BG_RETURN_IF_ERROR(Refresh());
  std::vector<StandingSecret> out;
  for (const auto& [slot, known] : known_) out.push_back(known.standing);
  return out;
}

absl::Status Vault::Store(const Secret& secret, const Actor& actor, absl::string_view action) {
  store::DocumentRow document;
  document.kind = kSecretKind;
  document.text = ToText(secret);
  document.id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(document.text)).hex();
  document.name = secret.facts.name;
  document.author = actor.name;
  document.created_at = actor.at;
  const audit::Detail detail = DetailOf(secret.facts, secret.key_id);
  BG_RETURN_IF_ERROR(store_.PutDocument(
      document, audit::MakeRow(actor.at, actor.name, "secret.store", secret.facts.name, detail)));
  store::AssignmentRow row = StepOf(secret.facts, store::Step::kEnforce, actor);
  row.document_id = document.id;
  return store_.Assign(row,
                       audit::MakeRow(actor.at, actor.name, action, secret.facts.name, detail));
}

absl::Status Vault::Put(const SecretFacts& facts, const SecretBytes& value, const Actor& actor) {
  BG_RETURN_IF_ERROR(CheckSecretName(facts.name));
  BG_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(folder_));
  BG_ASSIGN_OR_RETURN(std::vector<SecretKey> keys, ReadSecretKeys(folder_));
  if (keys.empty()) {
    keys.push_back(NewSecretKey());
    BG_RETURN_IF_ERROR(WriteSecretKeys(folder_, keys, lock));
  }
  const SecretBytes seed = crypto::RandomSecret(kSeedSize);
  BG_ASSIGN_OR_RETURN(const Secret secret,
                      CloseSecret(facts, keys.front(), facts.per_host ? seed : value));
  return Store(secret, actor, "secret.put");
}

absl::Status Vault::Remove(const SecretFacts& facts, const Actor& actor) {
  BG_ASSIGN_OR_RETURN(const std::vector<store::AssignmentRow> rows,
                      store_.ListAssignments(kSecretKind));
  const std::string slot = SlotOf(facts);
  const auto standing = std::ranges::find_if(rows, [&](const store::AssignmentRow& row) {
    return row.selector == slot && !row.document_id.empty();
  });
  if (standing == rows.end()) {
    return absl::NotFoundError(
        absl::StrCat("there is no secret ", facts.name, " for ", rollout::ForWhom(facts.selector)));
  }
  return store_.Assign(StepOf(facts, store::Step::kEnd, actor),
                       audit::MakeRow(actor.at, actor.name, "secret.remove", facts.name,
                                      audit::Detail().Text("selector", facts.selector)));
}

absl::StatusOr<size_t> Vault::Rotate(const Actor& actor) {
  BG_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(folder_));
  const std::lock_guard guard(mutex_);
  change_ = -1;  // whatever was read before the lock was taken may be old
  BG_RETURN_IF_ERROR(Refresh());
  for (const auto& [slot, known] : known_) BG_RETURN_IF_ERROR(known.standing.broken);
  BG_ASSIGN_OR_RETURN(std::vector<SecretKey> keys, ReadSecretKeys(folder_));
  keys.insert(keys.begin(), NewSecretKey());
  // The new key is on disk before anything lies under it, the old ones go once nothing does.
  BG_RETURN_IF_ERROR(WriteSecretKeys(folder_, keys, lock));
  size_t count = 0;
  for (const auto& [slot, known] : known_) {
    BG_ASSIGN_OR_RETURN(const Secret secret,
                        CloseSecret(known.standing.facts, keys.front(), known.opened));
    BG_RETURN_IF_ERROR(Store(secret, actor, "secret.rotate"));
    ++count;
  }
  keys.resize(1);
  BG_RETURN_IF_ERROR(WriteSecretKeys(folder_, keys, lock));
  return count;
}

}  // namespace bootgate::gatekeeper::sealing
