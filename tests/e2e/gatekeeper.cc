#include "tests/e2e/gatekeeper.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/base/files.h"
#include "common/testing/corpus.h"
#include "tests/e2e/eventually.h"

namespace bootgate::e2e {
namespace {

constexpr size_t kMaxFile = size_t{1} << 20;
constexpr char kAnyPort[] = "127.0.0.1:0";
constexpr char kAnyAgentsPort[] = "agents = \"127.0.0.1:0";

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::abort();
}

std::string ReadOrDie(const std::string& path) {
  absl::StatusOr<std::string> text = ReadTextFile(path, kMaxFile);
  if (!text.ok()) Die(text.status().ToString());
  return *std::move(text);
}

void WriteOrDie(const std::string& path, const std::string& text) {
  const absl::Status written = WriteFileAtomically(path, AsBytes(text), 0600);
  if (!written.ok()) Die(written.ToString());
}

}  // namespace

Gatekeeper::Gatekeeper(const std::vector<std::string>& roots, const std::string& more) {
  Do({"init", "--cluster-id", "e2e", "--trust-domain", "e2e.example", "--listen", kAnyPort});
  std::vector<std::string> quoted;
  for (const std::string& root : roots) quoted.push_back("\"" + root + "\"");
  const std::string named = "roots = [" + absl::StrJoin(quoted, ", ") + "]";
  WriteOrDie(config_path(),
             absl::StrReplaceAll(ReadOrDie(config_path()), {{"roots = []", named}}) + more);
}

Ran Gatekeeper::Verb(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), Program("bootgate-gatekeeper"));
  arguments.insert(arguments.end(), {"--dir", folder()});
  return RunProgram(arguments);
}

std::string Gatekeeper::Do(std::vector<std::string> arguments) const {
  const Ran ran = Verb(arguments);
  if (ran.exit_code != 0) {
    Die(absl::StrCat(absl::StrJoin(arguments, " "), " ended with ", ran.exit_code, ": ", ran.out,
                     ran.err));
  }
  return ran.out;
}

void Gatekeeper::Spawn(const std::vector<std::string>& environment) {
  if (const absl::Status removed = RemoveFile(port_file()); !removed.ok()) Die(removed.ToString());
  running_ = std::make_unique<Running>(
      std::vector<std::string>{Program("bootgate-gatekeeper"), "run", "--dir", folder(),
                               "--port-file", port_file(), "--http-port-file", Beside("http-port")},
      environment, Beside("gatekeeper.log"));
}

void Gatekeeper::AwaitServing() {
  const auto serving = [this] { return FileExists(port_file()) || running_->HasEnded(); };
  if (!Eventually(serving) || !FileExists(port_file()))
    Die("the gatekeeper did not start: " + ReadOrDie(Beside("gatekeeper.log")));
  if (port_.empty()) KeepPort();
}

void Gatekeeper::KeepPort() {
  const std::string text = ReadOrDie(port_file());
  const absl::string_view port = absl::StripSuffix(text, "\n");
  port_ = std::string(port.data(), port.size());
  WriteOrDie(config_path(),
             absl::StrReplaceAll(ReadOrDie(config_path()),
                                 {{kAnyAgentsPort, absl::StrCat("agents = \"", address())}}));
}

void Gatekeeper::Start(const std::vector<std::string>& environment) {
  Spawn(environment);
  AwaitServing();
}

std::string Gatekeeper::Url() const {
  const std::string text = ReadOrDie(Beside("http-port"));
  const absl::string_view port = absl::StripSuffix(text, "\n");
  return absl::StrCat("http://127.0.0.1:", port);
}

int Gatekeeper::End(int signal) { return running_->End(signal); }

std::string Gatekeeper::JoinFile(const std::string& name, int uses) const {
  const std::string file = Beside(name + ".join");
  Do({"join-token", "create", "--out", file, "--address", address(), "--approve", "--uses",
      absl::StrCat(uses)});
  return file;
}

agent::Endpoint Gatekeeper::Endpoint() const {
  agent::Endpoint endpoint;
  endpoint.address = address();
  endpoint.ca_pem = ReadOrDie(folder() + "/ca/root.pem");
  return endpoint;
}

void JudgeBySecureBootAndReference(const Gatekeeper& gatekeeper) {
  const std::string reference = gatekeeper.Beside("reference.json");
  const Ran learned =
      RunProgram({Program("bootgate-gatekeeper"), "reference", "learn", "--evidence",
                  testing::CorpusPath("boots/good"), "--out", reference});
  if (learned.exit_code != 0) Die("reference learn: " + learned.err);
  gatekeeper.Do({"reference", "import", reference});
  gatekeeper.Do({"policy", "activate", testing::SourcePath("deploy/policies/secure-boot.policy")});
}

}  // namespace bootgate::e2e
