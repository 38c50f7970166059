// One writer thread: work that arrives while a transaction is being made durable shares the next.
//
// Each piece of work runs in a savepoint of its own: when it fails, its changes alone are undone.
// Nobody is told "done" before the transaction is on the disk.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gatekeeper/store/sqlite/connection.h"

namespace bootgate::gatekeeper::store::sqlite {

class GroupCommit {
 public:
  // Changes the database; its error is handed to its caller and undoes its changes. It may run on
  // another thread, while its caller waits.
  using Work = std::function<absl::Status(Connection&)>;

  explicit GroupCommit(std::unique_ptr<Connection> connection);
  ~GroupCommit();  // after the last Do has returned

  // Any thread. kUnavailable STORE when the transaction could not be committed.
  absl::Status Do(const Work& work);

 private:
  struct Job {
    const Work& work;
    absl::Status status;
    bool done = false;
    std::condition_variable finished;
  };
  using Batch = std::vector<Job*>;

  void Loop();
  bool WaitForJobs(Batch* batch);  // false: time to stop
  void Commit(const Batch& batch);
  absl::Status RunBatch(const Batch& batch);
  absl::Status RunInSavepoint(Job* job);

  std::unique_ptr<Connection> connection_;  // the writer thread's
  std::mutex mutex_;
  std::condition_variable arrived_;
  Batch waiting_;          // guarded by mutex_
  bool stopping_ = false;  // guarded by mutex_
  std::thread writer_;     // last: starts when all else is there
};

}  // namespace bootgate::gatekeeper::store::sqlite
