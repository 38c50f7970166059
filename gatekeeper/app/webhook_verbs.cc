#include "gatekeeper/app/webhook_verbs.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "gatekeeper/cli/webhooks.h"

namespace bootgate::gatekeeper::app {
namespace {

cli::Webhooks WebhooksOf(const Config& config) { return {config.cluster_id, config.webhooks}; }

void AddTest(CLI::App* webhook, CommandLine& line) {
  const auto name = std::make_shared<std::string>();
  CLI::App* const app = AddStoreVerb(webhook, "test", "send one of them a test now", line,
                                     [name](const Config& config, const cli::Operator& op) {
                                       return cli::WebhookTest(op, WebhooksOf(config), *name);
                                     });
  app->add_option("NAME", *name, "as the configuration has it")->required();
  app->footer("exit code: 0 it was taken (HTTP 2xx); 5 it was not");
}

void AddDeadList(CLI::App* dead, CommandLine& line) {
  const auto endpoint = std::make_shared<std::string>();
  AddStoreVerb(dead, "list", "changes that were given up", line,
               [endpoint](const Config&, const cli::Operator& op) {
                 return cli::WebhookDeadList(op, *endpoint);
               })
      ->add_option("--webhook", *endpoint, "of this one alone");
}

std::shared_ptr<cli::DeadLetterChoice> AddChoice(CLI::App* app) {
  const auto choice = std::make_shared<cli::DeadLetterChoice>();
  app->add_option("NUMBER", choice->number, "as `webhook dead list` has it");
  app->add_flag("--all", choice->all, "all of them");
  app->add_option("--webhook", choice->endpoint, "with --all: of this one alone");
  return choice;
}

void AddDeadRetry(CLI::App* dead, CommandLine& line) {
  CLI::App* const app =
      dead->add_subcommand("retry", "tell it now; what is taken is no dead letter any more");
  const auto choice = AddChoice(app);
  AddWhere(app, line);
  AddOutput(app, line);
  app->footer("exit code: 0 all were taken; 5 the one was not; 11 some were not");
  app->callback([&line, choice] {
    line.verb = [&line, choice] {
      return WithStore(line, [choice](const Config& config, const cli::Operator& op) {
        return cli::WebhookDeadRetry(op, WebhooksOf(config), *choice);
      });
    };
  });
}

void AddDeadDrop(CLI::App* dead, CommandLine& line) {
  CLI::App* const app = dead->add_subcommand("drop", "never tell it");
  const auto choice = AddChoice(app);
  const auto reason = std::make_shared<std::string>();
  app->add_option("--reason", *reason, "why, for the audit trail")->required();
  AddWhere(app, line);
  AddOutput(app, line);
  app->callback([&line, choice, reason] {
    line.verb = [&line, choice, reason] {
      return WithStore(line, [choice, reason](const Config&, const cli::Operator& op) {
        return cli::WebhookDeadDrop(op, *choice, *reason);
      });
    };
  });
}

}  // namespace

void AddWebhookVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const webhook = root.add_subcommand(
      "webhook", "who is told of changes over HTTP, and what could not be told");
  webhook->require_subcommand(1);
  AddStoreVerb(webhook, "list", "all of them, and how they are doing", line,
               [](const Config& config, const cli::Operator& op) {
                 return cli::WebhookList(op, WebhooksOf(config));
               });
  AddTest(webhook, line);
  CLI::App* const dead = webhook->add_subcommand("dead", "changes that were given up");
  dead->require_subcommand(1);
  AddDeadList(dead, line);
  AddDeadRetry(dead, line);
  AddDeadDrop(dead, line);
}

}  // namespace bootgate::gatekeeper::app
