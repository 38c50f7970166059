// Programs as a user starts them: run to their end, or running beside the test.
#pragma once

#include <sys/types.h>

#include <ostream>
#include <string>
#include <vector>

namespace bootgate::e2e {

// Full path of one of the programs that this build made.
std::string Program(const std::string& name);

struct Ran {
  int exit_code = -1;  // minus the signal's number when one ended it
  std::string out, err;
};

void PrintTo(const Ran& ran, std::ostream* os);

// Runs a program to its end. Ends the test program when it cannot be started.
Ran RunProgram(const std::vector<std::string>& arguments);

// A program that runs beside the test; killed with this object if it still runs, and by the kernel
// if the test dies. Started from the thread that lives longest: the main one.
class Running {
 public:
  // `environment`: NAME=VALUE, beside the test's own.
  Running(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
          const std::string& log_path);
  ~Running();
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  pid_t pid() const { return pid_; }
  bool HasEnded();
  void Signal(int signal) const;  // nothing when it has ended
  int Wait();                     // its exit code, or minus the signal's number
  int End(int signal) {
    Signal(signal);
    return Wait();
  }

 private:
  pid_t pid_ = 0;  // 0: has ended
  int exit_code_ = -1;
};

}  // namespace bootgate::e2e
