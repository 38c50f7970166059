#include "tests/e2e/program.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "tests/desk/process.h"
#include "tests/desk/scratch_folder.h"

namespace bootgate::e2e {
namespace {

constexpr size_t kMaxOutput = size_t{16} << 20;

int CodeOf(int result) { return WIFEXITED(result) ? WEXITSTATUS(result) : -WTERMSIG(result); }

int WaitFor(pid_t pid) {
  int result = 0;
  while (waitpid(pid, &result, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return CodeOf(result);
}

pid_t StartOrDie(const std::vector<std::string>& arguments, const std::string& log_path) {
  const absl::StatusOr<pid_t> pid =
      desk::Start(arguments, {}, log_path, desk::Lifetime::kWithParent);
  if (!pid.ok()) {
    std::fprintf(stderr, "%s\n", pid.status().ToString().c_str());
    std::abort();
  }
  return *pid;
}

}  // namespace

std::string Program(const std::string& name) { return absl::StrCat(BOOTGATE_BIN_DIR, "/", name); }

void PrintTo(const Ran& ran, std::ostream* os) {
  *os << "exit code " << ran.exit_code << "\n" << ran.out << ran.err;
}

Ran RunProgram(const std::vector<std::string>& arguments) {
  const desk::ScratchFolder scratch;
  const std::string out = scratch.path() + "/out", err = scratch.path() + "/err";
  std::vector<std::string> command = {"/bin/sh", "-c", "exec \"$@\" 2>\"$0\"", err};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Ran ran;
  ran.exit_code = WaitFor(StartOrDie(command, out));
  ran.out = ReadTextFile(out, kMaxOutput).value_or("");
  ran.err = ReadTextFile(err, kMaxOutput).value_or("");
  return ran;
}

Running::Running(const std::vector<std::string>& arguments,
                 const std::vector<std::string>& environment, const std::string& log_path) {
  std::vector<std::string> command = {"/usr/bin/env"};
  command.insert(command.end(), environment.begin(), environment.end());
  command.insert(command.end(), arguments.begin(), arguments.end());
  pid_ = StartOrDie(command, log_path);
}

Running::~Running() {
  if (!HasEnded()) End(SIGKILL);
}

bool Running::HasEnded() {
  int result = 0;
  if (pid_ != 0 && waitpid(pid_, &result, WNOHANG) == pid_) {
    exit_code_ = CodeOf(result);
    pid_ = 0;
  }
  return pid_ == 0;
}

void Running::Signal(int signal) const {
  if (pid_ != 0) kill(pid_, signal);
}

int Running::Wait() {
  if (pid_ != 0) exit_code_ = WaitFor(pid_);
  pid_ = 0;
  return exit_code_;
}

}  // namespace bootgate::e2e
