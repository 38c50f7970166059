// Child processes of the desk: run to the end, or kept and ended by their number.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace bootgate::desk {

// Runs a program to its end, its output into `log_path`. kInternal unless it returns 0.
absl::Status RunToEnd(const std::vector<std::string>& arguments, const std::string& log_path);

enum class Lifetime {
  kWithParent,  // the kernel ends it when the thread that started it is gone
  kDetached,    // outlives us: ended by a later call of EndProcess
};

// Starts a program that inherits `descriptors` under their numbers.
absl::StatusOr<pid_t> Start(const std::vector<std::string>& arguments,
                            const std::vector<int>& descriptors, const std::string& log_path,
                            Lifetime lifetime);

// Ends process `pid` if its command line still contains `mark` (numbers are used again), and waits
// until it is gone. Gone already: fine.
absl::Status EndProcess(pid_t pid, const std::string& mark);

}  // namespace bootgate::desk
