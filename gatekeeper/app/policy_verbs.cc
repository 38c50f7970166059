#include "gatekeeper/app/policy_verbs.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "gatekeeper/app/rollout_verbs.h"
#include "gatekeeper/cli/documents.h"
#include "gatekeeper/cli/policy_check.h"
#include "gatekeeper/cli/policy_eval.h"
#include "gatekeeper/cli/policy_explain.h"
#include "gatekeeper/cli/policy_jmespath.h"
#include "gatekeeper/cli/policy_test_verb.h"

namespace bootgate::gatekeeper::app {
namespace {

void AddCheck(CLI::App* policy, CommandLine& line) {
  CLI::App* const app = policy->add_subcommand(
      "check", "errors and warnings of policy files, and what a careful reader would ask");
  const auto options = std::make_shared<cli::PolicyCheckOptions>();
  app->add_option("FILE", options->files)->required();
  app->add_flag("--strict", options->strict, "a warning or a finding counts like an error");
  app->footer("exit code: 0; 2 a policy cannot be read, or is not spotless with --strict");
  AddOutput(app, line);
  app->callback([&line, options] {
    line.verb = [&line, options] {
      options->format = line.format();
      return cli::PolicyCheck(*options, std::cout, std::cerr);
    };
  });
}

void AddEval(CLI::App* policy, CommandLine& line) {
  CLI::App* const app = policy->add_subcommand("eval", "what a policy says to claims in a file");
  const auto options = std::make_shared<cli::PolicyEvalOptions>();
  app->add_option("FILE", options->policy_file)->required();
  app->add_option("--claims", options->claims_file, "JSON with the claims that come in")
      ->required();
  app->add_flag("--trace", options->trace, "rule by rule, and on which claims");
  app->footer("exit code: 0 permit; 6 deny or evaluation error; 2 cannot be read");
  AddOutput(app, line);
  app->callback([&line, options] {
    line.verb = [&line, options] {
      options->format = line.format();
      return cli::PolicyEval(*options, std::cout, std::cerr);
    };
  });
}

// `policy explain VERDICT`, or `policy explain FILE --evidence DIR`.
void AddExplain(CLI::App* policy, CommandLine& line) {
  CLI::App* const app = policy->add_subcommand(
      "explain", "rule by rule, what fired on which claims and from which boot events");
  const auto options = std::make_shared<cli::EvidenceVerifyOptions>();
  const auto subject = std::make_shared<std::string>();
  app->add_option("SUBJECT", *subject, "a verdict's id; with --evidence a policy file")->required();
  CLI::Option* const evidence =
      app->add_option("--evidence", options->folder, "folder with the evidence to judge");
  app->add_option("--reference", options->reference_file, "reference to compare with")
      ->needs(evidence);
  app->add_option("--set", options->set_files, "a reference set that the reference names")
      ->needs(evidence);
  app->footer(
      "exit code: of a verdict 0; 9 when it does not keep all claims that the policy reads;\n"
      "of evidence as `evidence verify`");
  AddWhere(app, line);
  AddOutput(app, line);
  app->callback([&line, options, subject] {
    line.verb = [&line, options, subject] {
      if (options->folder.empty()) {
        return WithStore(line, [&](const Config&, const cli::Operator& op) {
          return cli::PolicyExplainVerdict(op, *subject);
        });
      }
      options->policy_file = *subject;
      return cli::PolicyExplainEvidence(*options, line.format(), std::cout, std::cerr);
    };
  });
}

void AddTest(CLI::App* policy, CommandLine& line) {
  CLI::App* const app =
      policy->add_subcommand("test", "run the test cases (NAME.in.json) in folders");
  const auto options = std::make_shared<cli::PolicyTestOptions>();
  app->add_option("DIR", options->folders)->required();
  app->add_flag("--update", options->update, "write the outcomes as the expected ones");
  app->footer("exit code: 0 all as expected; 6 some are not; 2 a case cannot be read");
  AddOutput(app, line);
  app->callback([&line, options] {
    line.verb = [&line, options] {
      options->format = line.format();
      return cli::PolicyTest(*options, std::cout, std::cerr);
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
  AddEval(policy, line);
  AddTest(policy, line);
  AddExplain(policy, line);
  AddJmesPath(policy, line);
  AddRolloutVerbs(policy, line);
}

}  // namespace bootgate::gatekeeper::app
