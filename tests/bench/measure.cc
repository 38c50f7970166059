#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/json_text.h"
#include "common/base/status_macros.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {
namespace {

constexpr size_t kMaxFileBytes = size_t{256} << 20;
constexpr int64_t kNanosPerSecond = 1'000'000'000;

int64_t CpuNanos() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * kNanosPerSecond + now.tv_nsec;
}

int64_t LargestRssKib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

}  // namespace

absl::Status Repeat(absl::string_view name, absl::string_view iterations,
                    const std::function<absl::Status()>& one) {
  int64_t count = 0;
  if (!absl::SimpleAtoi(iterations, &count) || count < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", iterations, "' is no number of iterations"));
  }
  BG_RETURN_IF_ERROR(one());
  const int64_t start = CpuNanos();
  for (int64_t i = 0; i < count; ++i) BG_RETURN_IF_ERROR(one());
  const int64_t spent = CpuNanos() - start;
  std::printf("{\"bench\": %s, \"iterations\": %lld, \"ns\": %lld, \"rss_kb\": %lld}\n",
              JsonString(name).c_str(), static_cast<long long>(count),
              static_cast<long long>(spent / count), static_cast<long long>(LargestRssKib()));
  return absl::OkStatus();
}

absl::Status InTemporaryFolder(const std::function<absl::Status(const std::string& folder)>& one) {
  std::string folder = std::filesystem::temp_directory_path() / "bootgate-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return absl::UnavailableError("no temporary folder");
  absl::Status status = one(folder);
  std::error_code ignored;  // what stays behind hurts nobody
  std::filesystem::remove_all(folder, ignored);
  return status;
}

absl::StatusOr<Bytes> Load(absl::string_view path) {
  return ReadFile(std::string(path), kMaxFileBytes);
}

absl::StatusOr<Bytes> Load(absl::string_view folder, absl::string_view file) {
  return Load(absl::StrCat(folder, "/", file));
}

}  // namespace bootgate::bench
