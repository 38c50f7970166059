#include "gatekeeper/app/rollout_verbs.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <optional>

#include "gatekeeper/cli/policy_activate.h"
#include "gatekeeper/cli/policy_diff.h"
#include "gatekeeper/cli/policy_list.h"
#include "gatekeeper/cli/policy_plan.h"
#include "gatekeeper/cli/policy_signers.h"
#include "gatekeeper/cli/policy_upload.h"

namespace bootgate::gatekeeper::app {
namespace {

constexpr char kForHelp[] =
    "only hosts with these labels, as label=value[,label=value]; else the default for all";
constexpr char kPolicyHelp[] = "NAME, NAME@VERSION, or a file (with a / or a .), which is pushed";

// The registers that hosts are asked for.
uint32_t QuotedMask(const Config& config) {
  const absl::StatusOr<registers::Selection> selection =
      registers::ParseSelection(config.quote.selection);
  uint32_t mask = 0;
  if (!selection.ok()) return mask;
  for (const registers::BankSelection& bank : *selection) mask |= bank.mask;
  return mask;
}

void AddForce(CLI::App* app, cli::Force& force, const std::string& help) {
  app->add_flag("--force", force.given, help);
  app->add_option("--reason", force.reason, "why; kept in the history and the audit trail");
}

// Runs `run` with the options, the configuration and the store once the command line is read.
template <typename Options, typename Run>
void OnStore(CLI::App* app, CommandLine& line, const std::shared_ptr<Options>& options, Run run) {
  AddWhere(app, line);
  AddOutput(app, line);
  app->callback([&line, options, run] {
    line.verb = [&line, options, run] {
      return WithStore(line, [&](const Config& config, const cli::Operator& op) {
        return run(config, op, *options);
      });
    };
  });
}

void AddPush(CLI::App* policy, CommandLine& line) {
  CLI::App* const app = policy->add_subcommand(
      "push", "store the next version of a policy; it applies to nobody yet");
  const auto options = std::make_shared<cli::PolicyPushOptions>();
  app->add_option("FILE", options->file, "policy text, or a signed policy (compact JWS)")
      ->required();
  app->add_option("--name", options->name, "name of the policy; default: the file's");
  AddForce(app, options->force, "also a text that is an older version of this name");
  OnStore(app, line, options,
          [](const Config&, const cli::Operator& op, const cli::PolicyPushOptions& given) {
            return cli::PolicyPush(op, given);
          });
}

ExitCode RunActivate(const Config& config, const cli::Operator& op,
                     cli::PolicyActivateOptions& options) {
  options.quoted_mask = QuotedMask(config);
  return cli::PolicyActivate(op, options);
}

void AddActivate(CLI::App* policy, CommandLine& line) {
  CLI::App* const app = policy->add_subcommand(
      "activate", "judge hosts by this policy from now on: first only reported, then enforced");
  const auto options = std::make_shared<cli::PolicyActivateOptions>();
  app->add_option("POLICY", options->policy, kPolicyHelp)->required();
  app->add_option("--for", options->selector, kForHelp);
  app->add_option_function<std::string>(
         "--mode",
         [options](const std::string& mode) {
           options->mode = mode == "report" ? cli::PolicyMode::kReport : cli::PolicyMode::kEnforce;
         },
         "report (beside what is enforced, without effect) or enforce; default: enforce")
      ->check(CLI::IsMember({"report", "enforce"}));
  app->add_option("--accept-changes", options->accept_changes,
                  "enforce although up to so many hosts turn from ADMIT to DENY")
      ->check(CLI::NonNegativeNumber);
  AddForce(app, options->force, "also an older version, and whatever number of hosts is denied");
  app->footer(
      "exit code: 0; 9 with POLICY_ROLLBACK for a version older than one that was enforced, with\n"
      "POLICY_WOULD_DENY when more hosts than accepted turn to DENY; nothing is changed then");
  OnStore(app, line, options, RunActivate);
}

void AddAssign(CLI::App* policy, CommandLine& line) {
  CLI::App* const app = policy->add_subcommand(
      "assign", "name a policy for hosts without effect: the same as activate --mode report");
  const auto options = std::make_shared<cli::PolicyActivateOptions>();
  options->mode = cli::PolicyMode::kReport;
  app->add_option("POLICY", options->policy, kPolicyHelp)->required();
  app->add_option("--for", options->selector, kForHelp);
  OnStore(app, line, options, RunActivate);
}

void AddRollback(CLI::App* policy, CommandLine& line) {
  CLI::App* const app = policy->add_subcommand("rollback", "back to what was enforced before");
  const auto options = std::make_shared<cli::PolicyRollbackOptions>();
  app->add_option("--for", options->selector, kForHelp);
  app->add_option("--reason", options->reason, "why; kept in the history and the audit trail")
      ->required();
  OnStore(app, line, options,
          [](const Config& config, const cli::Operator& op, cli::PolicyRollbackOptions& given) {
            given.quoted_mask = QuotedMask(config);
            return cli::PolicyRollback(op, given);
          });
}

void AddWithdraw(CLI::App* policy, CommandLine& line) {
  CLI::App* const app = policy->add_subcommand("withdraw", "report on a policy no more");
  const auto selector = std::make_shared<std::string>();
  app->add_option("--for", *selector, kForHelp);
  OnStore(app, line, selector,
          [](const Config&, const cli::Operator& op, const std::string& given) {
            return cli::PolicyWithdraw(op, given);
          });
}

void AddDiff(CLI::App* policy, CommandLine& line) {
  CLI::App* const app = policy->add_subcommand(
      "diff", "who would change outcome under what is reported on, by the hosts' last verdicts");
  const auto selector = std::make_shared<std::optional<std::string>>();
  app->add_option("--for", *selector, "only of this selector; default: of all");
  OnStore(app, line, selector,
          [](const Config&, const cli::Operator& op, const std::optional<std::string>& given) {
            return cli::PolicyDiff(op, given);
          });
}

struct PlanOptions {
  cli::PlanAgainstOptions against;
  cli::PlanFleetOptions fleet;
  bool over_fleet = false;
};

ExitCode RunPlan(const CommandLine& line, PlanOptions& options) {
  if (!options.over_fleet) {
    options.against.format = line.format();
    return cli::PlanAgainst(options.against, std::cout, std::cerr);
  }
  options.fleet.policy_file = options.against.policy_file;
  return WithStore(line, [&](const Config& config, const cli::Operator& op) {
    options.fleet.quoted_mask = QuotedMask(config);
    return cli::PlanFleet(op, options.fleet);
  });
}

void AddPlan(CLI::App* policy, CommandLine& line) {
  CLI::App* const app = policy->add_subcommand(
      "plan", "who would change outcome under a policy, and why, before it is stored");
  const auto options = std::make_shared<PlanOptions>();
  app->add_option("FILE", options->against.policy_file, "policy text or signed policy")->required();
  CLI::Option* const against = app->add_option("--against", options->against.folders,
                                               "folders with evidence, as for evidence verify");
  CLI::Option* const fleet = app->add_flag("--fleet", options->over_fleet,
                                           "all hosts of the gatekeeper, by their last verdicts");
  against->excludes(fleet);
  app->add_option("--before", options->against.before_file,
                  "with --against: the policy to compare with")
      ->needs(against);
  app->add_option("--reference", options->against.verify.reference_file,
                  "with --against: reference to compare with")
      ->needs(against);
  app->add_option("--set", options->against.verify.set_files,
                  "with --against: a reference set that the reference names")
      ->needs(against);
  app->add_option("--quote", options->against.verify.quote,
                  "with --against: which quote: sha256, sha384, sha512, sha1, all, ecc")
      ->needs(against);
  app->add_option("--for", options->fleet.selector, kForHelp)->needs(fleet);
  AddWhere(app, line);
  AddOutput(app, line);
  app->footer(
      "exit code: 0; 6 when a host would be denied that is admitted now (with --against and\n"
      "without --before: when any would be denied)");
  app->callback([&line, options, against] {
    if (!options->over_fleet && against->count() == 0)
      throw CLI::RequiredError("--against or --fleet");
    line.verb = [&line, options] { return RunPlan(line, *options); };
  });
}

void AddSigner(CLI::App* policy, CommandLine& line) {
  CLI::App* const signer = policy->add_subcommand("signer", "who may sign policies");
  signer->require_subcommand(1);
  AddStoreVerb(signer, "add", "take policies only by this signer, and others so added", line,
               "FILE",
               "a root certificate in PEM for the first one, then a JWT by a configured signer",
               cli::PolicySignerAdd);
  AddStoreVerb(signer, "remove", "take policies by this signer no more", line, "FILE",
               "a JWT by a configured signer", cli::PolicySignerRemove);
  AddStoreVerb(signer, "list", "the configured signers", line, cli::PolicySignerList);
}

}  // namespace

void AddRolloutVerbs(CLI::App* policy, CommandLine& line) {
  AddPush(policy, line);
  AddStoreVerb(policy, "list", "all versions, for whom they are active, and the latest steps", line,
               cli::PolicyList);
  AddStoreVerb(policy, "show", "one version, with its text", line, "POLICY", "NAME or NAME@VERSION",
               cli::PolicyShow);
  AddAssign(policy, line);
  AddActivate(policy, line);
  AddRollback(policy, line);
  AddWithdraw(policy, line);
  AddDiff(policy, line);
  AddPlan(policy, line);
  AddSigner(policy, line);
}

}  // namespace bootgate::gatekeeper::app
