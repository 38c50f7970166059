#include "gatekeeper/app/policy_verbs.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "gatekeeper/cli/documents.h"
#include "gatekeeper/cli/policy_jmespath.h"

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

void AddJmesPath(CLI::App* policy, CommandLine& line) {
  CLI::App* const verb =
      policy->add_subcommand("jmespath", "try a query on JSON from standard input");
  const auto options = std::make_shared<cli::PolicyJmesPathOptions>();
  verb->add_option("EXPR", options->query, "the query")->required();
  verb->add_option("--dialect", options->dialect,
                   "policy: as JmesPath() in a policy; standard: JMESPath without additions")
      ->check(CLI::IsMember({"policy", "standard"}))
      ->capture_default_str();
  AddOutput(verb, line);
  verb->footer(
      "exit code: 0; 2 the query cannot be read; 7 the input is no JSON, or the query fails on it");
  verb->callback([&line, options] {
    line.verb = [&line, options] {
      return cli::PolicyJmesPath(*options, line.format(), std::cin, std::cout, std::cerr);
    };
  });
}

}  // namespace

void AddPolicyVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const policy =
      root.add_subcommand("policy", "policies in the Azure Attestation policy language");
  policy->require_subcommand(1);
  AddCheck(policy, line);
  AddJmesPath(policy, line);
  AddDocumentVerb(policy, "activate", "judge hosts by this policy from now on", line,
                  cli::PolicyActivate);
  AddStoreVerb(policy, "list", "policies, and for whom they are active", line, cli::PolicyList);
}

}  // namespace bootgate::gatekeeper::app
