#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/exit_code.h"
#include "tests/bench/bench.h"

namespace bootgate::bench {
namespace {

constexpr Command kCommands[] = {
    {"quote", "CASEDIR ITER", 2, RunQuote},
    {"makecred", "EK.tpm2b ITER", 2, RunMakeCredential},
    {"eventlog", "LOG PCRS.json ITER", 3, RunEventLog},
    {"events", "LOG ITER", 2, RunEvents},
    {"ima", "LIST.bin ALLOW.sha256 PCR10 ITER", 4, RunIma},
    {"incr", "LIST.bin ALLOW.sha256 FROM PCR10_FROM PCR10 ITER", 6, RunIncrement},
    {"imajudge", "LIST.bin SET PCR10 ITER", 4, RunImaJudge},
    {"imaset", "SET LIST.bin ITER", 3, RunImaSet},
    {"issue", "ITER", 1, RunIssue},
    {"policy", "POLICY CLAIMS.json ITER", 3, RunPolicy},
    {"policy-live", "POLICY LOG LIST.bin ITER", 4, RunPolicyLive},
    {"attest", "CASEDIR IMADIR ITER", 3, RunAttest},
    {"attest-with", "POLICY CASEDIR IMADIR ITER", 4, RunAttestWith},
    {"steady", "CASEDIR IMADIR FROM PCR10_FROM ITER", 5, RunSteady},
    {"admit", "HOSTS THREADS ROUNDS", 3, RunAdmit},
    {"start", "ecc|rsa|rsa3072|rsa-ak ITER", 2, RunStart},
    {"token", "ITER", 1, RunToken},
    {"crl", "ENTRIES ITER", 2, RunCrl},
    {"ocsp", "ITER", 1, RunOcsp},
    {"fresh", "ENTRIES ROUNDS", 2, RunFresh},
    {"floor", "LOG LIST.bin ITER", 3, RunFloor},
    {"imafloor", "LIST.bin ALLOW.sha256 PCR10 ITER", 4, RunImaFloor},
};

std::string Usage() {
  std::string out = "usage:\n";
  for (const Command& command : kCommands) {
    absl::StrAppend(&out, "  bootgate-bench ", command.name, " ", command.arguments, "\n");
  }
  return out;
}

const Command* Find(absl::string_view name) {
  for (const Command& command : kCommands) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

int Main(const Arguments& words) {
  const Command* const command = words.empty() ? nullptr : Find(words[0]);
  if (command == nullptr || words.size() != command->count + 1) {
    std::fputs(Usage().c_str(), stderr);
    return static_cast<int>(ExitCode::kUsage);
  }
  const absl::Status status = command->run(Arguments(words.begin() + 1, words.end()));
  if (status.ok()) return static_cast<int>(ExitCode::kSuccess);
  std::fprintf(stderr, "bootgate-bench %s: %s\n", words[0].c_str(), status.ToString().c_str());
  return static_cast<int>(ExitCode::kInternal);
}

}  // namespace
}  // namespace bootgate::bench

int main(int argc, char** argv) {
  return bootgate::bench::Main(bootgate::bench::Arguments(argv + 1, argv + argc));
}
