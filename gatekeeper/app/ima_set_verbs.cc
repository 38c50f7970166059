#include "gatekeeper/app/ima_set_verbs.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <vector>

#include "common/base/clock.h"
#include "gatekeeper/cli/ima_sets.h"

namespace bootgate::gatekeeper::app {
namespace {

void AddVerifyKeys(CLI::App* verb, std::vector<std::string>* files) {
  verb->add_option("--verify-key", *files,
                   "PEM file with public keys or certificates: what is read must be signed by one "
                   "of them; may be given several times");
}

void AddOut(CLI::App* verb, std::string* file) {
  verb->add_option("--out", *file, "set file to write")->required();
}

// Runs `run` with the options once the command line is read.
template <typename Options>
void OnChosen(CLI::App* verb, ChosenVerb chosen, const std::shared_ptr<Options>& options,
              ExitCode (*run)(const Options&, const cli::ImaSetOutput&)) {
  verb->add_option("-o,--output", chosen.output, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  verb->callback([chosen, options, run] {
    chosen.verb = [chosen, options, run] {
      const auto format =
          chosen.output == "json" ? cli::OutputFormat::kJson : cli::OutputFormat::kTable;
      return run(*options, {format, std::cout, std::cerr, SystemClock()});
    };
  });
}

void AddBuild(CLI::App& ima, ChosenVerb chosen) {
  CLI::App* const verb = ima.add_subcommand("build", "make a set from files or packages");
  const auto options = std::make_shared<cli::ImaBuildOptions>();
  AddOut(verb, &options->out_file);
  verb->add_option("--dir", options->folders, "folder that stands for /: every file below it");
  verb->add_option("--deb", options->debs, ".deb files");
  verb->add_option("--rpm", options->rpms, ".rpm files");
  verb->add_option("--packages", options->package_folders,
                   "repository folders: every .deb and .rpm below");
  verb->add_option("--sha256sums", options->sums, "files with lines of sha256sum");
  verb->add_option("--list,--from-list", options->lists,
                   "binary IMA lists of hosts that are known to be good");
  verb->add_flag("--executables", options->executables_only,
                 "only files that someone may execute; libraries often may not be");
  verb->add_option("--name", options->name, "name of the set");
  verb->add_option("--created", options->created,
                   "text to write as the time of making; without one, the same input makes the "
                   "same id");
  verb->add_option("--grace", options->grace,
                   "close older versions of a package this long after --at; else they stay good");
  verb->add_option("--at", options->at, "when the update begins")->capture_default_str();
  OnChosen(verb, chosen, options, cli::ImaBuild);
}

void AddImport(CLI::App& ima, ChosenVerb chosen) {
  CLI::App* const verb = ima.add_subcommand("import", "make a set from a Keylime runtime policy");
  const auto options = std::make_shared<cli::ImaImportOptions>();
  verb->add_option("FILE", options->file, "the policy, signed (DSSE) or not")->required();
  AddOut(verb, &options->out_file);
  verb->add_option("--name", options->name, "name of the set");
  verb->add_option("--bare-digests", options->bare_32,
                   "algorithm of 32-byte digests that name none: sha256, sm3-256")
      ->capture_default_str();
  AddVerifyKeys(verb, &options->verify_keys);
  OnChosen(verb, chosen, options, cli::ImaImport);
}

void AddMerge(CLI::App& ima, ChosenVerb chosen) {
  CLI::App* const verb = ima.add_subcommand(
      "merge", "both sets in one; what a newer package replaces stays good for the grace");
  const auto options = std::make_shared<cli::ImaMergeOptions>();
  verb->add_option("OLDER", options->older)->required();
  verb->add_option("NEWER", options->newer)->required();
  AddOut(verb, &options->out_file);
  verb->add_option("--grace", options->grace, "how long old and new are both good")
      ->capture_default_str();
  verb->add_option("--at", options->at, "when the update begins")->capture_default_str();
  AddVerifyKeys(verb, &options->verify_keys);
  OnChosen(verb, chosen, options, cli::ImaMerge);
}

void AddDiff(CLI::App& ima, ChosenVerb chosen) {
  CLI::App* const verb = ima.add_subcommand("diff", "what two sets say differently");
  const auto options = std::make_shared<cli::ImaDiffOptions>();
  verb->add_option("BEFORE", options->before)->required();
  verb->add_option("AFTER", options->after)->required();
  AddVerifyKeys(verb, &options->verify_keys);
  OnChosen(verb, chosen, options, cli::ImaDiff);
}

void AddExpire(CLI::App& ima, ChosenVerb chosen) {
  CLI::App* const verb =
      ima.add_subcommand("expire", "close what a newer set lacks, drop what has long been closed");
  const auto options = std::make_shared<cli::ImaExpireOptions>();
  verb->add_option("SET", options->set)->required();
  AddOut(verb, &options->out_file);
  verb->add_option("--against", options->against, "the newer set: what it lacks is closed");
  verb->add_option("--at", options->at, "when it closes")->capture_default_str();
  verb->add_option("--drop-before", options->drop_before, "drop what closed before this time");
  AddVerifyKeys(verb, &options->verify_keys);
  OnChosen(verb, chosen, options, cli::ImaExpire);
}

void AddShow(CLI::App& ima, ChosenVerb chosen) {
  CLI::App* const verb = ima.add_subcommand("show", "what a set holds");
  const auto options = std::make_shared<cli::ImaShowOptions>();
  verb->add_option("SET", options->set)->required();
  verb->add_option("--path", options->path, "list the digests of this path too");
  AddVerifyKeys(verb, &options->verify_keys);
  OnChosen(verb, chosen, options, cli::ImaShow);
}

}  // namespace

void AddImaSetVerbs(CLI::App& reference, ChosenVerb chosen) {
  CLI::App* const ima =
      reference.add_subcommand("ima", "sets of good files, with windows and packages");
  ima->require_subcommand(1);
  AddBuild(*ima, chosen);
  AddImport(*ima, chosen);
  AddMerge(*ima, chosen);
  AddDiff(*ima, chosen);
  AddExpire(*ima, chosen);
  AddShow(*ima, chosen);
}

}  // namespace bootgate::gatekeeper::app
