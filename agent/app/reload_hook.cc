#include "agent/app/reload_hook.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/descriptor.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::app {
namespace {

constexpr char kPath[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// A group of its own, so that it can be ended as a whole; no signal of ours is blocked in it.
class Attributes {
 public:
  Attributes() {
    posix_spawnattr_init(&value_);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&value_, &none);
    posix_spawnattr_setpgroup(&value_, 0);
    posix_spawnattr_setflags(&value_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files_, STDERR_FILENO, STDOUT_FILENO);
  }
  ~Attributes() {
    posix_spawnattr_destroy(&value_);
    posix_spawn_file_actions_destroy(&files_);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const posix_spawnattr_t* value() const { return &value_; }
  const posix_spawn_file_actions_t* files() const { return &files_; }

 private:
  posix_spawnattr_t value_ = {};
  posix_spawn_file_actions_t files_ = {};
};

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

absl::StatusOr<pid_t> Start(const std::vector<std::string>& command, absl::string_view what) {
  std::vector<std::string> words = command;
  std::vector<std::string> environment = {kPath, absl::StrCat("BOOTGATE_CREDENTIAL=", what)};
  const Attributes attributes;
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, words[0].c_str(), attributes.files(), attributes.value(),
                                 Pointers(words).data(), Pointers(environment).data());
  if (error == 0) return pid;
  return absl::FailedPreconditionError(
      absl::StrCat("cannot start ", Printable(words[0]), ": ", strerror(error)));
}

// How it ended; killed when it had not ended in time.
absl::Status Await(pid_t pid, const std::string& name, absl::Duration longest) {
  // glibc 2.36 declares pidfd_open for C alone.
  const Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  pollfd ended = {process.get(), POLLIN, 0};
  const int events =
      process.get() < 0 ? 1 : poll(&ended, 1, static_cast<int>(absl::ToInt64Milliseconds(longest)));
  if (events == 0) kill(-pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (events == 0) {
    return absl::DeadlineExceededError(absl::StrCat(
        Printable(name), " ran longer than ", absl::FormatDuration(longest), " and was ended"));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      WIFEXITED(status) ? absl::StrCat(Printable(name), " ended with ", WEXITSTATUS(status))
                        : absl::StrCat(Printable(name), " was ended by signal ", WTERMSIG(status)));
}

}  // namespace

absl::Status RunHook(const std::vector<std::string>& command, absl::string_view what,
                     absl::Duration longest) {
  if (command.empty()) return absl::OkStatus();
  BG_ASSIGN_OR_RETURN(const pid_t pid, Start(command, what));
  return Await(pid, command[0], longest);
}

}  // namespace bootgate::agent::app
