#include "gatekeeper/app/policy_verbs.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "gatekeeper/cli/documents.h"

namespace bootgate::gatekeeper::app {
namespace {

void AddCheck(CLI::App* policy, CommandLine& line) {
  CLI::App* const check = policy->add_subcommand("check", "errors and warnings of a policy file");
  const auto file = std::make_shared<std::string>();
  check->add_option("FILE", *file)->required();
  AddOutput(check, line);
  check->callback([&line, file] {
    line.verb = [&line, file] {
      return cli::PolicyCheck(*file, line.format(), std::cout, std::cerr);
    };
  });
}

}  // namespace

void AddPolicyVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const policy =
      root.add_subcommand("policy", "policies in the Azure Attestation policy language");
  policy->require_subcommand(1);
  AddCheck(policy, line);
  AddDocumentVerb(policy, "activate", "judge hosts by this policy from now on", line,
                  cli::PolicyActivate);
  AddStoreVerb(policy, "list", "policies, and for whom they are active", line, cli::PolicyList);
}

}  // namespace bootgate::gatekeeper::app
