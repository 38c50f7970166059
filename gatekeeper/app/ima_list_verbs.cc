#include "gatekeeper/app/ima_list_verbs.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "common/base/clock.h"
#include "gatekeeper/cli/ima_list_verbs.h"

namespace bootgate::gatekeeper::app {
namespace {

constexpr char kListHelp[] = "binary IMA list; - for standard input";

// Runs `run` with the options once the command line is read.
template <typename Options>
void OnChosen(CLI::App* verb, ChosenVerb chosen, const std::shared_ptr<Options>& options,
              ExitCode (*run)(const Options&, const cli::ImaListIo&)) {
  verb->add_option("-o,--output", chosen.output, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  verb->callback([chosen, options, run] {
    chosen.verb = [chosen, options, run] {
      const auto format =
          chosen.output == "json" ? cli::OutputFormat::kJson : cli::OutputFormat::kTable;
      return run(*options, {format, std::cin, std::cout, std::cerr, SystemClock()});
    };
  });
}

void AddShow(CLI::App& ima, ChosenVerb chosen) {
  CLI::App* const verb = ima.add_subcommand("show", "the entries, and the list summed up");
  const auto options = std::make_shared<cli::ImaListShowOptions>();
  verb->add_option("FILE", options->file, kListHelp)->required();
  verb->add_option("--pcr", options->register_index, "only entries of this register");
  verb->add_option("--filter", options->filter,
                   "only entries with this text in path, digest or template");
  verb->footer("exit code: 0; 7 when the file is no IMA list or breaks off");
  OnChosen(verb, chosen, options, cli::ImaListShow);
}

void AddReplay(CLI::App& ima, ChosenVerb chosen) {
  CLI::App* const verb = ima.add_subcommand(
      "replay", "the registers that the list leads to, and what is wrong with the list");
  const auto file = std::make_shared<std::string>();
  verb->add_option("FILE", *file, kListHelp)->required();
  verb->footer(
      "exit code: 0, also with findings; 7 when the file is no IMA list or could not be read\n"
      "to its end (IMA_TRUNCATED, IMA_LIMIT)");
  OnChosen(verb, chosen, file, cli::ImaListReplay);
}

void AddVerify(CLI::App& ima, ChosenVerb chosen) {
  CLI::App* const verb =
      ima.add_subcommand("verify", "judge every entry by reference sets and signature keys");
  const auto options = std::make_shared<cli::ImaListVerifyOptions>();
  verb->add_option("FILE", options->file, kListHelp)->required();
  verb->add_option("--reference", options->references,
                   "set file made by `reference ima`; may be given several times")
      ->required();
  verb->add_option("--pcr10", options->pcr10,
                   "quoted value of PCR 10 in any bank, hexadecimal: the list must lead to it, and "
                   "what follows is not used");
  verb->add_option("--keys", options->keys,
                   "PEM file with public keys or certificates: files that they signed are good; "
                   "may be given several times");
  verb->add_option("--signatures", options->signatures,
                   "files that a key has signed, one of --keys or one that a set brings along: "
                   "ignore their signatures; accept them in the place of a listing; require one of "
                   "every file, beside its listing")
      ->check(CLI::IsMember({"ignore", "accept", "require"}))
      ->capture_default_str();
  verb->add_option("--verify-key", options->verify_keys,
                   "PEM file with public keys or certificates: the sets must be signed by one of "
                   "them; may be given several times");
  verb->add_flag("--report-only", options->report_only,
                 "files that are unlisted or outdated are warnings, while a new set is tried out");
  verb->add_option("--algorithm", options->algorithms,
                   "digest algorithm that is allowed though it is weak, such as sha1; may be given "
                   "several times");
  verb->add_option("--at", options->at, "the time to judge for, RFC 3339")->capture_default_str();
  verb->footer(
      "exit code: 0 every entry is good; 6 some are not, or the list does not lead to PCR 10;\n"
      "7 the file is no IMA list or breaks off");
  OnChosen(verb, chosen, options, cli::ImaListVerify);
}

}  // namespace

void AddImaListVerbs(CLI::App& root, ChosenVerb chosen) {
  CLI::App* const ima = root.add_subcommand("ima", "IMA lists: read, replayed, judged");
  ima->require_subcommand(1);
  AddShow(*ima, chosen);
  AddReplay(*ima, chosen);
  AddVerify(*ima, chosen);
}

}  // namespace bootgate::gatekeeper::app
