#include "agent/sources/sources.h"

#include <sys/utsname.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/eventlog/log.h"
#include "common/ima/list.h"

namespace bootgate::agent::sources {
namespace {

constexpr size_t kMaxFactFile = 65536;  // bytes
constexpr size_t kMaxFact = 256;        // bytes, of one fact

absl::StatusOr<Bytes> ReadIfThere(const std::string& path, size_t max_bytes) {
  absl::StatusOr<Bytes> bytes = ReadFile(path, max_bytes);
  if (absl::IsNotFound(bytes.status())) return Bytes();
  return bytes;
}

std::string Fact(absl::string_view text) {
  return Printable(absl::StripAsciiWhitespace(text), kMaxFact);
}

// The value of PRETTY_NAME, without its quotes (os-release(5)).
std::string PrettyName(const std::string& os_release) {
  for (absl::string_view line : absl::StrSplit(os_release, '\n')) {
    if (!absl::ConsumePrefix(&line, "PRETTY_NAME=")) continue;
    line = absl::StripAsciiWhitespace(line);
    const char quote = line.empty() ? '\0' : line.front();
    if (line.size() >= 2 && (quote == '"' || quote == '\'') && line.back() == quote) {
      line = line.substr(1, line.size() - 2);
    }
    return Fact(line);
  }
  return "";
}

}  // namespace

absl::StatusOr<Bytes> ReadBootLog(const Paths& paths) {
  return ReadIfThere(paths.boot_log, eventlog::kMaxLogBytes);
}

absl::StatusOr<Bytes> ReadImaList(const Paths& paths) {
  return ReadIfThere(paths.ima_list, ima::kMaxListBytes);
}

std::string ReadKernelBootId(const Paths& paths) {
  const std::string text = ReadTextFile(paths.boot_id, kMaxFactFile).value_or("");
  const absl::string_view id = absl::StripAsciiWhitespace(text);
  return id.size() > evidence::kMaxKernelBootId ? "" : Fact(id);
}

evidence::HostFacts ReadFacts(const Paths& paths, absl::string_view agent_version) {
  evidence::HostFacts facts;
  utsname names = {};
  if (uname(&names) == 0) {
    facts.hostname = Fact(names.nodename);
    facts.kernel_release = Fact(names.release);
  }
  facts.os_release = PrettyName(ReadTextFile(paths.os_release, kMaxFactFile).value_or(""));
  facts.boot_id = Fact(ReadTextFile(paths.boot_id, kMaxFactFile).value_or(""));
  facts.agent_version = Fact(agent_version);
  return facts;
}

}  // namespace bootgate::agent::sources
