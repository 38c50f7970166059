#include "gatekeeper/store/sqlite/group_commit.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::store::sqlite {
namespace {

constexpr size_t kMaxBatch = 256;  // pieces of work in one transaction

// The writer thread serves everybody: one caller's exception (memory ran out) is that caller's
// error.
absl::Status RunGuarded(const GroupCommit::Work& work, Connection& connection) {
  try {
    return work(connection);
  } catch (const std::exception& error) {
    return Refuse(absl::StatusCode::kUnavailable, Reason::kStore, error.what());
  }
}

}  // namespace

GroupCommit::GroupCommit(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)), writer_([this] { Loop(); }) {}

GroupCommit::~GroupCommit() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    arrived_.notify_one();
  }
  writer_.join();
}

absl::Status GroupCommit::Do(const Work& work) {
  Job job{.work = work};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&job);
  arrived_.notify_one();
  job.finished.wait(lock, [&] { return job.done; });
  return std::move(job.status);
}

void GroupCommit::Loop() {
  Batch batch;
  while (WaitForJobs(&batch)) {
    Commit(batch);
    const std::lock_guard lock(mutex_);
    // Under the lock: a caller that sees `done` may go away with its Job.
    for (Job* const job : batch) {
      job->done = true;
      job->finished.notify_one();
    }
  }
}

bool GroupCommit::WaitForJobs(Batch* batch) {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
  const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kMaxBatch));
  batch->assign(waiting_.begin(), waiting_.begin() + count);
  waiting_.erase(waiting_.begin(), waiting_.begin() + count);
  return !batch->empty();
}

void GroupCommit::Commit(const Batch& batch) {
  absl::Status status = RunBatch(batch);
  if (status.ok()) return;
  if (connection_->InTransaction()) {
    const absl::Status undone = connection_->Run("ROLLBACK");
    if (!undone.ok()) status = undone;
  }
  // What failed by itself keeps its own error; what seemed done is not.
  for (Job* const job : batch) {
    if (job->status.ok()) job->status = status;
  }
}

absl::Status GroupCommit::RunBatch(const Batch& batch) {
  BG_RETURN_IF_ERROR(connection_->Run("BEGIN IMMEDIATE"));
  for (Job* const job : batch) BG_RETURN_IF_ERROR(RunInSavepoint(job));
  return connection_->Run("COMMIT");
}

// An error from here is the transaction's; the work's own is in the job.
absl::Status GroupCommit::RunInSavepoint(Job* job) {
  BG_RETURN_IF_ERROR(connection_->Run("SAVEPOINT piece"));
  job->status = RunGuarded(job->work, *connection_);
  // A full disk and the like make SQLite give up the whole transaction.
  if (!connection_->InTransaction()) {
    return Refuse(absl::StatusCode::kUnavailable, Reason::kStore,
                  "SQLite rolled the transaction back");
  }
  if (!job->status.ok()) BG_RETURN_IF_ERROR(connection_->Run("ROLLBACK TO piece"));
  return connection_->Run("RELEASE piece");
}

}  // namespace bootgate::gatekeeper::store::sqlite
