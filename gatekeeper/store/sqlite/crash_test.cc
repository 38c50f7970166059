// The store against the power switch: a child commits as fast as it can and is killed at any point.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/status_matchers.h"
#include "gatekeeper/store/audit_chain.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bootgate::gatekeeper::store {
namespace {

using ::bootgate::testing::IsOk;

constexpr int kRounds = 100;
constexpr int kWriters = 3;          // threads of the child
constexpr size_t kMostReports = 12;  // a round ends after so many, at the latest
constexpr int kOpenTimeoutMs = 60000;

std::string HostId(int round, int writer, int number) {
  return absl::StrCat("h-", round, "-", writer, "-", number);
}

// What a child tells: this commit is done.
struct Report {
  int writer = 0;
  int number = 0;
};

Commit OneCommit(const std::string& host_id) {
  Commit commit;
  commit.host.emplace();
  commit.host->id = host_id;
  VerdictRow verdict;
  verdict.id = absl::StrCat("v-", host_id);
  verdict.host_id = host_id;
  commit.verdict = verdict;
  commit.audit.resize(2);
  return commit;
}

// In the child, until it is killed. Never returns into the test program.
[[noreturn]] void CommitForEver(const std::string& path, int round, int pipe_end) {
  absl::StatusOr<std::unique_ptr<Store>> store = OpenSqlite({.path = path, .create = true});
  if (!store.ok()) _exit(2);
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (Report report = {.writer = writer, .number = 0};; ++report.number) {
        if (!(*store)->Apply(OneCommit(HostId(round, writer, report.number))).ok()) _exit(3);
        if (write(pipe_end, &report, sizeof(report)) != sizeof(report)) _exit(4);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  _exit(5);
}

// Starts a child, kills it after `reports_wanted` reports, and gives all that it reported.
std::vector<Report> KilledChild(const std::string& path, int round, size_t reports_wanted) {
  std::array<int, 2> ends = {};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) CommitForEver(path, round, ends[1]);
  close(ends[1]);
  std::vector<Report> reports;
  Report report;
  while (reports.size() < reports_wanted) {
    pollfd readable = {.fd = ends[0], .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, kOpenTimeoutMs) != 1) break;
    if (read(ends[0], &report, sizeof(report)) != sizeof(report)) break;
    reports.push_back(report);
  }
  EXPECT_EQ(reports.size(), reports_wanted);
  kill(child, SIGKILL);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
  // What was written to the pipe before the kill was reported as done too.
  while (read(ends[0], &report, sizeof(report)) == sizeof(report)) reports.push_back(report);
  close(ends[0]);
  return reports;
}

void ExpectWhole(Store& store, AuditHead* verified) {
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<AuditRow> rows,
                          store.ListAudit(verified->sequence, 1000000));
  for (const AuditRow& row : rows) {
    ASSERT_THAT(CheckFollows(*verified, row), IsOk());
    *verified = {.sequence = row.sequence, .chain = row.chain};
  }
  BG_ASSERT_OK_AND_ASSIGN(const AuditHead head, store.GetAuditHead());
  ASSERT_EQ(head.sequence, verified->sequence);
  // Two audit rows and a verdict with every host: no commit is there by half.
  std::vector<std::string> corrupt;
  BG_ASSERT_OK_AND_ASSIGN(const std::vector<host::HostRecord> hosts, store.ListHosts(&corrupt));
  ASSERT_TRUE(corrupt.empty());
  ASSERT_EQ(static_cast<int64_t>(2 * hosts.size()), head.sequence);
}

TEST(SqliteCrash, WhatWasReportedDoneIsThereAfterAHundredKills) {
  std::string pattern = ::testing::TempDir() + "/crash.XXXXXX";
  const std::string path = absl::StrCat(mkdtemp(pattern.data()), "/store.db");
  std::mt19937 random(20261122);
  std::uniform_int_distribution<size_t> reports_wanted(0, kMostReports);
  AuditHead verified = {.sequence = 0, .chain = ChainStart()};
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    const std::vector<Report> reports = KilledChild(path, round, reports_wanted(random));
    BG_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store,
                            OpenSqlite({.path = path, .create = true}));
    ASSERT_NO_FATAL_FAILURE(ExpectWhole(*store, &verified));
    for (const Report& report : reports) {
      const std::string id = HostId(round, report.writer, report.number);
      ASSERT_THAT(store->GetHost(id), IsOk());
      ASSERT_THAT(store->GetVerdict(absl::StrCat("v-", id)), IsOk());
    }
  }
  EXPECT_GT(verified.sequence, 2 * kRounds);
}

}  // namespace
}  // namespace bootgate::gatekeeper::store
