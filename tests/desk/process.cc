#include "tests/desk/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/descriptor.h"
#include "common/base/files.h"
#include "common/base/status_macros.h"

namespace bootgate::desk {
namespace {

constexpr int kPatienceMs = 5000;  // for a process to end on SIGTERM

absl::Status SystemError(absl::string_view doing) {
  return absl::InternalError(absl::StrCat(doing, ": ", strerror(errno)));
}

// In the child: only calls that are safe after fork.
[[noreturn]] void Become(char* const* argv, const std::vector<int>& descriptors, int log,
                         Lifetime lifetime, pid_t parent) {
  if (lifetime == Lifetime::kWithParent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
  } else {
    setsid();
  }
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  for (const int fd : descriptors) fcntl(fd, F_SETFD, 0);
  execvp(argv[0], argv);
  _exit(127);
}

}  // namespace

absl::StatusOr<pid_t> Start(const std::vector<std::string>& arguments,
                            const std::vector<int>& descriptors, const std::string& log_path,
                            Lifetime lifetime) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const Descriptor log(open(log_path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600));
  if (log.get() < 0) return SystemError(log_path);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return SystemError("fork");
  if (pid == 0) Become(argv.data(), descriptors, log.get(), lifetime, parent);
  return pid;
}

absl::Status RunToEnd(const std::vector<std::string>& arguments, const std::string& log_path) {
  BG_ASSIGN_OR_RETURN(const pid_t pid, Start(arguments, {}, log_path, Lifetime::kWithParent));
  int result = 0;
  while (waitpid(pid, &result, 0) < 0) {
    if (errno != EINTR) return SystemError("waitpid");
  }
  if (WIFEXITED(result) && WEXITSTATUS(result) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(arguments[0], " failed, see ", log_path));
}

absl::Status EndProcess(pid_t pid, const std::string& mark) {
  if (pid <= 0) return absl::OkStatus();
  // The descriptor names this very process, whatever becomes of its number.
  const Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (process.get() < 0) return absl::OkStatus();
  const auto command = ReadTextFile(absl::StrCat("/proc/", pid, "/cmdline"), 65536);
  if (!command.ok() || !absl::StrContains(*command, mark)) return absl::OkStatus();
  kill(pid, SIGTERM);
  pollfd wait = {.fd = process.get(), .events = POLLIN, .revents = 0};
  if (poll(&wait, 1, kPatienceMs) == 0) {
    kill(pid, SIGKILL);
    poll(&wait, 1, kPatienceMs);
  }
  waitpid(pid, nullptr, WNOHANG);  // if it was our child
  return absl::OkStatus();
}

}  // namespace bootgate::desk
