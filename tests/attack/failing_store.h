// A store whose n-th operation fails, so that every operation of a flow can be made to, in turn.
#pragma once

#include <atomic>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "common/base/reason.h"
#include "gatekeeper/store/store.h"

namespace bootgate::attack {

enum class Failure {
  kError,       // the disk is full
  kException,   // memory ran out
  kLostAnswer,  // it was written, but nobody was told
};

class FailingStore final : public gatekeeper::store::Store {
 public:
  explicit FailingStore(std::unique_ptr<gatekeeper::store::Store> store)
      : store_(std::move(store)) {}

  // The next operation has number 1; 0: none fails. One failure, then all is well again.
  void FailNumber(int number, Failure failure) {
    failure_ = failure;
    countdown_ = number;
  }
  bool failed() const { return failed_.exchange(false); }

  absl::Status Apply(const gatekeeper::store::Commit& commit) override {
    return Do([&] { return store_->Apply(commit); });
  }
  absl::StatusOr<gatekeeper::host::HostRecord> GetHost(const std::string& id) override {
    return Do([&] { return store_->GetHost(id); });
  }
  absl::StatusOr<std::vector<gatekeeper::host::HostRecord>> ListHosts(
      std::vector<std::string>* corrupt) override {
    return Do([&] { return store_->ListHosts(corrupt); });
  }
  absl::StatusOr<std::map<gatekeeper::host::Trust, int64_t>> CountHosts() override {
    return Do([&] { return store_->CountHosts(); });
  }
  absl::StatusOr<gatekeeper::store::VerdictRow> GetVerdict(const std::string& id) override {
    return Do([&] { return store_->GetVerdict(id); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::IncidentRow>> ListIncidents(
      const std::string& host_id) override {
    return Do([&] { return store_->ListIncidents(host_id); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::CredentialRow>> ListCredentials(
      const std::string& host_id) override {
    return Do([&] { return store_->ListCredentials(host_id); });
  }
  absl::StatusOr<bool> IsRevoked(const std::string& serial) override {
    return Do([&] { return store_->IsRevoked(serial); });
  }
  absl::StatusOr<Bytes> GetBlob(const std::string& sha256_hex) override {
    return Do([&] { return store_->GetBlob(sha256_hex); });
  }
  absl::StatusOr<gatekeeper::store::CredentialRow> GetCredential(
      const std::string& serial) override {
    return Do([&] { return store_->GetCredential(serial); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::RevokedRow>> ListRevoked(int64_t after,
                                                                         absl::Time now) override {
    return Do([&] { return store_->ListRevoked(after, now); });
  }
  absl::StatusOr<int64_t> LastRevocation() override {
    return Do([&] { return store_->LastRevocation(); });
  }
  absl::StatusOr<gatekeeper::store::JoinToken> GetJoinToken(const std::string& id) override {
    return Do([&] { return store_->GetJoinToken(id); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::JoinToken>> ListJoinTokens() override {
    return Do([&] { return store_->ListJoinTokens(); });
  }
  absl::Status RevokeJoinToken(const std::string& id,
                               const gatekeeper::store::AuditRow& audit) override {
    return Do([&] { return store_->RevokeJoinToken(id, audit); });
  }
  absl::StatusOr<gatekeeper::store::InventoryChange> PutInventory(
      const std::vector<gatekeeper::store::InventoryRow>& rows,
      const gatekeeper::store::AuditRow& audit) override {
    return Do([&] { return store_->PutInventory(rows, audit); });
  }
  absl::StatusOr<gatekeeper::store::InventoryRow> GetInventory(const std::string& ek) override {
    return Do([&] { return store_->GetInventory(ek); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::InventoryRow>> ListInventory(
      const std::string& after, int limit) override {
    return Do([&] { return store_->ListInventory(after, limit); });
  }
  absl::StatusOr<int64_t> CountInventory() override {
    return Do([&] { return store_->CountInventory(); });
  }
  absl::Status RemoveInventory(const std::vector<std::string>& eks,
                               const gatekeeper::store::AuditRow& audit) override {
    return Do([&] { return store_->RemoveInventory(eks, audit); });
  }
  absl::Status PutJoinToken(const gatekeeper::store::JoinToken& token,
                            const gatekeeper::store::AuditRow& audit) override {
    return Do([&] { return store_->PutJoinToken(token, audit); });
  }
  absl::StatusOr<gatekeeper::store::JoinToken> RedeemJoinToken(const std::string& id,
                                                               ByteView secret_sha256,
                                                               absl::Time now) override {
    return Do([&] { return store_->RedeemJoinToken(id, secret_sha256, now); });
  }
  absl::StatusOr<gatekeeper::store::JoinToken> CheckJoinToken(const std::string& id,
                                                              ByteView secret_sha256,
                                                              absl::Time now) override {
    return Do([&] { return store_->CheckJoinToken(id, secret_sha256, now); });
  }
  absl::Status PutDocument(const gatekeeper::store::DocumentRow& document,
                           const gatekeeper::store::AuditRow& audit) override {
    return Do([&] { return store_->PutDocument(document, audit); });
  }
  absl::StatusOr<gatekeeper::store::DocumentRow> GetDocument(const std::string& kind,
                                                             const std::string& id) override {
    return Do([&] { return store_->GetDocument(kind, id); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::DocumentRow>> ListDocuments(
      const std::string& kind) override {
    return Do([&] { return store_->ListDocuments(kind); });
  }
  absl::Status PutVersion(const gatekeeper::store::DocumentRow& document,
                          const gatekeeper::store::VersionRow& version,
                          const gatekeeper::store::AuditRow& audit) override {
    return Do([&] { return store_->PutVersion(document, version, audit); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::VersionRow>> ListVersions(
      const std::string& kind, const std::string& name) override {
    return Do([&] { return store_->ListVersions(kind, name); });
  }
  absl::Status Assign(const gatekeeper::store::AssignmentRow& assignment,
                      const gatekeeper::store::AuditRow& audit,
                      std::optional<int64_t> after) override {
    return Do([&] { return store_->Assign(assignment, audit, after); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::AssignmentRow>> ListAssignments(
      const std::string& kind) override {
    return Do([&] { return store_->ListAssignments(kind); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::AssignmentRow>> ListSteps(
      const std::string& kind) override {
    return Do([&] { return store_->ListSteps(kind); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::EffectRow>> PendingEffects(int limit) override {
    return Do([&] { return store_->PendingEffects(limit); });
  }
  absl::Status MarkEffectDone(int64_t sequence) override {
    return Do([&] { return store_->MarkEffectDone(sequence); });
  }
  absl::StatusOr<std::vector<gatekeeper::host::HostRecord>> ListHostsAfter(
      const std::string& after, int limit, const std::vector<gatekeeper::host::Trust>& trusts,
      std::vector<std::string>* corrupt) override {
    return Do([&] { return store_->ListHostsAfter(after, limit, trusts, corrupt); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::VerdictRow>> ListVerdicts(
      const std::string& host_id, const std::string& behind, int limit) override {
    return Do([&] { return store_->ListVerdicts(host_id, behind, limit); });
  }
  absl::StatusOr<gatekeeper::store::IncidentRow> GetIncident(const std::string& id) override {
    return Do([&] { return store_->GetIncident(id); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::IncidentEventRow>> ListIncidentEvents(
      const std::string& incident_id) override {
    return Do([&] { return store_->ListIncidentEvents(incident_id); });
  }
  absl::StatusOr<gatekeeper::store::EvidenceParts> GetEvidence(
      const std::string& incident_or_host_id) override {
    return Do([&] { return store_->GetEvidence(incident_or_host_id); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::ChangeRow>> ListChanges(int64_t after,
                                                                        int limit) override {
    return Do([&] { return store_->ListChanges(after, limit); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::ChangeRow>> ListHostChanges(
      const std::string& host_id) override {
    return Do([&] { return store_->ListHostChanges(host_id); });
  }
  absl::StatusOr<int64_t> LastChange() override {
    return Do([&] { return store_->LastChange(); });
  }
  absl::StatusOr<int64_t> CountMoves(const std::string& after_state, absl::Time since) override {
    return Do([&] { return store_->CountMoves(after_state, since); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::ConsumerRow>> ListConsumers() override {
    return Do([&] { return store_->ListConsumers(); });
  }
  absl::Status PutConsumer(const gatekeeper::store::ConsumerRow& consumer,
                           const std::optional<gatekeeper::store::DeadLetterRow>& dead) override {
    return Do([&] { return store_->PutConsumer(consumer, dead); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::DeadLetterRow>> ListDeadLetters() override {
    return Do([&] { return store_->ListDeadLetters(); });
  }
  absl::Status RemoveDeadLetter(int64_t sequence) override {
    return Do([&] { return store_->RemoveDeadLetter(sequence); });
  }
  absl::StatusOr<gatekeeper::store::AnswerRow> GetAnswer(const std::string& actor,
                                                         const std::string& key) override {
    return Do([&] { return store_->GetAnswer(actor, key); });
  }
  absl::Status PutAnswer(const gatekeeper::store::AnswerRow& answer,
                         absl::Time forget_before) override {
    return Do([&] { return store_->PutAnswer(answer, forget_before); });
  }
  absl::StatusOr<gatekeeper::store::Swept> Sweep(const gatekeeper::store::Retention& retention,
                                                 const std::string& actor,
                                                 absl::Time now) override {
    return Do([&] { return store_->Sweep(retention, actor, now); });
  }
  absl::Status PutCheckpoint(const gatekeeper::store::CheckpointRow& checkpoint) override {
    return Do([&] { return store_->PutCheckpoint(checkpoint); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::CheckpointRow>> ListCheckpoints() override {
    return Do([&] { return store_->ListCheckpoints(); });
  }
  absl::Status PutAudit(const gatekeeper::store::AuditRow& audit) override {
    return Do([&] { return store_->PutAudit(audit); });
  }
  absl::StatusOr<std::vector<gatekeeper::store::AuditRow>> ListAudit(int64_t after_sequence,
                                                                     int limit) override {
    return Do([&] { return store_->ListAudit(after_sequence, limit); });
  }
  absl::StatusOr<gatekeeper::store::AuditHead> GetAuditHead() override {
    return Do([&] { return store_->GetAuditHead(); });
  }
  absl::StatusOr<int64_t> ChangeCounter() override {
    return Do([&] { return store_->ChangeCounter(); });
  }

 private:
  template <typename Work>
  auto Do(const Work& work) -> decltype(work()) {
    if (countdown_ == 0 || --countdown_ != 0) return work();
    failed_ = true;
    if (failure_ == Failure::kException) throw std::bad_alloc();
    if (failure_ == Failure::kLostAnswer) (void)work();
    return Refuse(absl::StatusCode::kUnavailable, Reason::kStore, "the disk is full");
  }

  const std::unique_ptr<gatekeeper::store::Store> store_;
  std::atomic<int> countdown_ = 0;
  std::atomic<Failure> failure_ = Failure::kError;
  mutable std::atomic<bool> failed_ = false;
};

}  // namespace bootgate::attack
