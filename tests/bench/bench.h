// bootgate-bench: one call measures one operation of the product's own libraries.
//
// Each subcommand lies in a file of its own and has a row in main.cc. Called once per round, pinned
// to one CPU, so that any other program can alternate with it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/policy/policy.h"

namespace bootgate::bench {

using Arguments = std::vector<std::string>;  // those after the subcommand's name

struct Command {
  absl::string_view name;
  absl::string_view arguments;  // as the usage text shows them
  size_t count;                 // how many
  absl::Status (*run)(const Arguments& arguments);
};

absl::Status RunQuote(const Arguments& arguments);
absl::Status RunMakeCredential(const Arguments& arguments);
absl::Status RunEventLog(const Arguments& arguments);
absl::Status RunEvents(const Arguments& arguments);
absl::Status RunIma(const Arguments& arguments);
absl::Status RunIncrement(const Arguments& arguments);
absl::Status RunImaJudge(const Arguments& arguments);
absl::Status RunImaSet(const Arguments& arguments);
absl::Status RunIssue(const Arguments& arguments);
absl::Status RunPolicy(const Arguments& arguments);
absl::Status RunPolicyLive(const Arguments& arguments);
absl::Status RunAttest(const Arguments& arguments);
absl::Status RunAttestWith(const Arguments& arguments);
absl::Status RunSteady(const Arguments& arguments);
absl::Status RunAdmit(const Arguments& arguments);
absl::Status RunStart(const Arguments& arguments);
absl::Status RunToken(const Arguments& arguments);
absl::Status RunCrl(const Arguments& arguments);
absl::Status RunOcsp(const Arguments& arguments);
absl::Status RunFresh(const Arguments& arguments);
absl::Status RunFloor(const Arguments& arguments);
absl::Status RunImaFloor(const Arguments& arguments);

// Carries out `one` as often as `iterations` says (a positive number) and prints the JSON line with
// `ns`, CPU time of this process per operation, and `rss_kb`, its largest resident size. The first
// verdict that is not OK ends it and is returned. One unmeasured round goes before.
absl::Status Repeat(absl::string_view name, absl::string_view iterations,
                    const std::function<absl::Status()>& one);

// Runs `one` with a folder of its own, which is gone afterwards.
absl::Status InTemporaryFolder(const std::function<absl::Status(const std::string& folder)>& one);

// A file given on the command line, at most 256 MiB.
absl::StatusOr<Bytes> Load(absl::string_view folder, absl::string_view file);
absl::StatusOr<Bytes> Load(absl::string_view path);
absl::StatusOr<gatekeeper::policy::Policy> LoadPolicy(absl::string_view path);

}  // namespace bootgate::bench
