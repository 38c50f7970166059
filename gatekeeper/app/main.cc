// bootgate-gatekeeper: the server, its operator's verbs and the offline tools, in one binary.
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/clock.h"
#include "common/base/exit_code.h"
#include "common/base/hex.h"
#include "common/base/log.h"
#include "common/base/nearest.h"
#include "common/base/reason.h"
#include "gatekeeper/app/api_verbs.h"
#include "gatekeeper/app/ca_verbs.h"
#include "gatekeeper/app/command_line.h"
#include "gatekeeper/app/completion.h"
#include "gatekeeper/app/config.h"
#include "gatekeeper/app/ek_verbs.h"
#include "gatekeeper/app/ima_list_verbs.h"
#include "gatekeeper/app/ima_set_verbs.h"
#include "gatekeeper/app/init.h"
#include "gatekeeper/app/join_token_verbs.h"
#include "gatekeeper/app/policy_verbs.h"
#include "gatekeeper/app/revocation_verbs.h"
#include "gatekeeper/app/run.h"
#include "gatekeeper/app/seal_verbs.h"
#include "gatekeeper/app/token_verbs.h"
#include "gatekeeper/app/webhook_verbs.h"
#include "gatekeeper/cli/archive_verify.h"
#include "gatekeeper/cli/documents.h"
#include "gatekeeper/cli/eventlog_verbs.h"
#include "gatekeeper/cli/evidence_verify.h"
#include "gatekeeper/cli/ima_push.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/cli/reason_docs.h"
#include "gatekeeper/cli/reasons.h"
#include "gatekeeper/cli/reference_learn.h"
#include "gatekeeper/cli/table.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "pki/authority.h"

namespace bootgate::gatekeeper::app {
namespace {

// `reference ima push SET`: into the folder that the configuration names.
void AddPush(CLI::App* ima, CommandLine& line) {
  CLI::App* const app = ima->add_subcommand("push", "give this gatekeeper a set");
  const auto options = std::make_shared<cli::ImaPushOptions>();
  app->add_option("SET", options->set)->required();
  app->add_option("--verify-key", options->verify_keys,
                  "PEM file with public keys or certificates: the set must be signed by one of "
                  "them; may be given several times");
  AddWhere(app, line);
  AddOutput(app, line);
  app->callback([&line, options] {
    line.verb = [&line, options] {
      return WithStore(line, [&](const Config& config, const cli::Operator& op) {
        options->folder = config.set_folder();
        return cli::ImaPush(op, *options);
      });
    };
  });
}

void AddInit(CLI::App& root, CommandLine& line) {
  CLI::App* const app =
      root.add_subcommand("init", "make a new gatekeeper: CA, store, configuration");
  const auto options = std::make_shared<InitOptions>();
  app->add_option("--dir", options->folder, "folder to make")->required();
  app->add_option("--cluster-id", options->cluster_id,
                  "name of the cluster; default: a random one");
  app->add_option("--trust-domain", options->trust_domain,
                  "SPIFFE trust domain of the certificates");
  app->add_option("--listen", options->listen, "address of the agents' port")
      ->capture_default_str();
  app->add_option("--http-listen", options->http_listen,
                  "address of the HTTP port; default: 127.0.0.1:9746, or a free port where "
                  "--listen has port 0");
  AddCaOptions(app, &options->ca);
  AddOutput(app, line);
  app->callback([&line, options] {
    line.verb = [&line, options] { return Init(*options, line.format(), std::cout, std::cerr); };
  });
}

void AddRun(CLI::App& root, CommandLine& line) {
  CLI::App* const app = root.add_subcommand("run", "serve agents until told to stop");
  const auto port_files = std::make_shared<PortFiles>();
  const auto verbose = std::make_shared<bool>(false);
  AddWhere(app, line);
  app->add_option("--port-file", port_files->agents,
                  "write the agents' port here once connections are taken");
  app->add_option("--http-port-file", port_files->http, "the same of the HTTP port");
  app->add_option("--operators-port-file", port_files->operators,
                  "the same of the operators' port");
  app->add_flag("-v,--verbose", *verbose, "log more");
  app->callback([&line, port_files, verbose] {
    line.verb = [&line, port_files, verbose] {
      if (*verbose) SetLogLevel(LogLevel::kDebug);
      const absl::StatusOr<Config> config = LoadConfig(line.config_path());
      if (!config.ok()) return NoConfig(line, config.status());
      return Run(*config, *port_files);
    };
  });
}

template <typename Text>
void AddQuoteChoice(CLI::App* app, Text* quote) {
  app->add_option("--quote", *quote, "which quote of the case: sha256, sha384, sha1, all, ecc")
      ->check(CLI::IsMember({"sha256", "sha384", "sha1", "all", "ecc"}));
}

void AddReferenceVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const reference = root.add_subcommand("reference", "what good boots look like");
  reference->require_subcommand(1);
  CLI::App* const learn =
      reference->add_subcommand("learn", "make a reference file from the evidence of a good boot");
  const auto options = std::make_shared<cli::ReferenceLearnOptions>();
  learn->add_option("--evidence", options->folder, "folder with the evidence")->required();
  learn->add_option("--out", options->out_file, "file to write")->required();
  learn->add_option("--name", options->name, "name of the reference");
  learn
      ->add_option("--unlisted", options->unlisted,
                   "how files that the reference does not list count")
      ->check(CLI::IsMember({"fail", "comparable", "warn"}))
      ->capture_default_str();
  AddQuoteChoice(learn, &options->quote);
  AddOutput(learn, line);
  learn->callback([&line, options] {
    line.verb = [&line, options] {
      options->output = line.output;
      return static_cast<ExitCode>(cli::RunReferenceLearn(*options, std::cout, std::cerr));
    };
  });
  AddDocumentVerb(reference, "import", "compare hosts with this reference from now on", line,
                  cli::ReferenceImport);
  AddStoreVerb(reference, "list", "references, and for whom they are active", line,
               cli::ReferenceList);
  AddImaSetVerbs(*reference, {line.output, line.verb});
  AddPush(reference->get_subcommand("ima"), line);
}

void AddEvidenceVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const evidence = root.add_subcommand("evidence", "captured evidence, offline");
  evidence->require_subcommand(1);
  CLI::App* const verify = evidence->add_subcommand(
      "verify", "judge a folder of evidence, or an incident's archive, as the gatekeeper would");
  const auto options = std::make_shared<cli::EvidenceVerifyOptions>();
  verify
      ->add_option("DIR|ARCHIVE", options->folder,
                   "folder with the evidence; or an incident's archive (incident export), which "
                   "brings its own policy, reference and question")
      ->required();
  verify->add_option("--policy", options->policy_file, "policy to judge by");
  verify->add_option("--reference", options->reference_file, "reference to compare with");
  verify->add_option("--set", options->set_files,
                     "a reference set that the reference names; may be given several times");
  verify->add_option("--ek-root", options->ek_root_files,
                     "PEM file with TPM vendors' CAs; may be given several times");
  const auto config_file = std::make_shared<std::string>();
  verify->add_option("--config", *config_file,
                     "a gatekeeper's configuration: its [actions] count; without it all findings "
                     "isolate");
  AddQuoteChoice(verify, &options->quote);
  AddOutput(verify, line);
  verify->callback([&line, options, config_file] {
    line.verb = [&line, options, config_file] {
      options->output = line.output;
      if (cli::IsIncidentArchive(options->folder)) {
        return cli::RunArchiveVerify({options->folder, options->set_files, line.format()},
                                     std::cout, std::cerr);
      }
      if (!config_file->empty()) {
        const absl::StatusOr<Config> config = LoadConfig(*config_file);
        if (!config.ok()) return cli::Fail(std::cerr, config.status());
        options->softening.actions = config->quarantine.actions;
      }
      return static_cast<ExitCode>(cli::RunEvidenceVerify(*options, std::cout, std::cerr));
    };
  });
}

// A verb on boot logs: `add` gives it its options, `verb` is run with them.
template <typename Options>
void AddEventlogVerb(CLI::App* eventlog, const std::string& name, const std::string& help,
                     CommandLine& line, void (*add)(CLI::App*, Options*),
                     ExitCode (*verb)(const Options&, const cli::EventlogIo&)) {
  CLI::App* const app = eventlog->add_subcommand(name, help);
  const auto options = std::make_shared<Options>();
  add(app, options.get());
  AddOutput(app, line);
  app->callback([&line, options, verb] {
    line.verb = [&line, options, verb] {
      return verb(*options, {line.format(), std::cin, std::cout, std::cerr});
    };
  });
}

constexpr char kLogHelp[] = "boot log; - for standard input";
constexpr char kUserLogHelp[] =
    "systemd's log of the same boot (tpm2-measure.log), whose records go on where the boot log "
    "ends; - for standard input";
constexpr char kLogNumberHelp[] = "of several logs in the file the one of this number, from 1";

void AddEventlogReaders(CLI::App* eventlog, CommandLine& line) {
  AddEventlogVerb<cli::EventlogShowOptions>(
      eventlog, "show", "the events, what they say, and the boot summed up", line,
      [](CLI::App* app, cli::EventlogShowOptions* options) {
        app->add_option("FILE", options->file, kLogHelp)->required();
        app->add_option("--register", options->register_index, "only events of this register");
        app->add_option("--log", options->log, kLogNumberHelp);
        app->add_option("--user-log", options->user_log, kUserLogHelp);
        app->footer("exit code: 0; 7 when a file is no such log or breaks off");
      },
      cli::EventlogShow);
  AddEventlogVerb<cli::EventlogReplayOptions>(
      eventlog, "replay", "the registers that the log leads to, and what is wrong with the log",
      line,
      [](CLI::App* app, cli::EventlogReplayOptions* options) {
        app->add_option("FILE", options->file,
                        "boot log; - for standard input; none: --user-log alone, from zeros");
        app->add_option("--log", options->log, kLogNumberHelp);
        app->add_option("--user-log", options->user_log, kUserLogHelp);
        app->footer(
            "exit code: 0, also with findings; 7 when the file is no boot log or could not be\n"
            "read to its end (LOG_TRUNCATED, LOG_LIMIT, LOG_SPEC_ID, or a user-space log has "
            "defects)");
      },
      cli::EventlogReplay);
}

void AddEventlogComparers(CLI::App* eventlog, CommandLine& line) {
  AddEventlogVerb<cli::EventlogExplainOptions>(
      eventlog, "explain", "why registers do not have the values that the log leads to", line,
      [](CLI::App* app, cli::EventlogExplainOptions* options) {
        app->add_option("FILE", options->files,
                        "boot log; - for standard input; of several, also in one file, that of the "
                        "registers' boot is found")
            ->required();
        app->add_option("--pcrs", options->registers_file,
                        "JSON with the registers: {\"sha256\": {\"0\": \"hex\"}}")
            ->required();
        app->add_option("--similar", options->similar_file,
                        "log of another boot, whose events may be the ones that are missing");
        app->add_option("--user-log", options->user_log, kUserLogHelp);
        app->footer("exit code: 0 all follow from the log; 6 some do not; 7 no boot log");
      },
      cli::EventlogExplain);
  AddEventlogVerb<cli::EventlogDiffOptions>(
      eventlog, "diff", "what differs between two boots, and what of it is the cause", line,
      [](CLI::App* app, cli::EventlogDiffOptions* options) {
        app->add_option("FIRST", options->first, kLogHelp)->required();
        app->add_option("SECOND", options->second, kLogHelp)->required();
        app->add_option("--bank", options->bank,
                        "bank to compare in; default: the strongest that both logs have");
        app->footer("exit code: 0 the same story; 6 they differ; 7 no boot log");
      },
      cli::EventlogDiff);
  AddEventlogVerb<cli::EventlogPredictOptions>(
      eventlog, "predict", "the registers once events have other digests", line,
      [](CLI::App* app, cli::EventlogPredictOptions* options) {
        app->add_option("FILE", options->file, kLogHelp)->required();
        app->add_option("--replace", options->replacements,
                        "EVENT=DIGEST or EVENT=BANK:DIGEST, hexadecimal; may be given several "
                        "times, once for each bank")
            ->required();
        app->footer("exit code: 0; 2 no such event or bank; 7 no boot log");
      },
      cli::EventlogPredict);
}

void AddEventlogVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const eventlog =
      root.add_subcommand("eventlog", "boot logs: read, replayed, compared, explained");
  eventlog->require_subcommand(1);
  AddEventlogReaders(eventlog, line);
  AddEventlogComparers(eventlog, line);
}

void AddReasonVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const reason = root.add_subcommand("reason", "what the reason codes mean");
  reason->require_subcommand(1);
  CLI::App* const list = reason->add_subcommand("list", "all codes");
  AddOutput(list, line);
  list->callback(
      [&line] { line.verb = [&line] { return cli::ReasonList(line.format(), std::cout); }; });
  CLI::App* const show = reason->add_subcommand("show", "one code: its meaning and the way out");
  CLI::App* const docs = reason->add_subcommand(
      "docs", "all codes as the pages of docs/incidents.md (scripts/reason_docs)");
  docs->callback([&line] {
    line.verb = [] {
      std::cout << cli::ReasonDocs();
      return ExitCode::kSuccess;
    };
  });
  const auto code = std::make_shared<std::string>();
  show->add_option("CODE", *code)->required();
  AddOutput(show, line);
  show->callback([&line, code] {
    line.verb = [&line, code] {
      return cli::ReasonShow(*code, line.format(), std::cout, std::cerr);
    };
  });
}

// The first word that should be a verb and is none, with the nearest that is; empty: all are.
std::string UnknownVerb(const CLI::App& root, int argc, char** argv) {
  const CLI::App* app = &root;
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    const CLI::App* named = nullptr;
    std::vector<std::string> names;
    for (const CLI::App* verb : app->get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(verb->get_name());
      if (verb->check_name(argv[i])) named = verb;
    }
    if (names.empty()) return "";
    if (named == nullptr) {
      const std::string near = NearestName(argv[i], names);
      return absl::StrCat("no verb '", Printable(argv[i]), "'",
                          near.empty() ? "" : "; did you mean " + near + "?");
    }
    app = named;
  }
  return "";
}

// Columns of the terminal that the output goes to; 0: it is none.
size_t TerminalWidth() {
  winsize size = {};
  return isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col
                                                                                    : 0;
}

int Main(int argc, char** argv) {
  cli::SetTableWidth(TerminalWidth());
  CommandLine line;
  CLI::App root(
      "Bootgate gatekeeper: a host touches customer data only after it has proved how it booted.");
  root.set_version_flag("--version", std::string("bootgate-gatekeeper " BOOTGATE_VERSION));
  root.require_subcommand(1);
  AddInit(root, line);
  AddRun(root, line);
  AddHostVerbs(root, line);
  AddQuarantineVerbs(root, line);
  AddIncidentVerbs(root, line);
  AddVerdictVerbs(root, line);
  AddWaiverVerbs(root, line);
  AddPolicyVerbs(root, line);
  AddReferenceVerbs(root, line);
  AddEvidenceVerbs(root, line);
  AddEventlogVerbs(root, line);
  AddImaListVerbs(root, {line.output, line.verb});
  AddJoinTokenVerbs(root, line);
  AddEkVerbs(root, line);
  AddTokenVerbs(root, line);
  AddRevocationVerbs(root, line);
  AddSecretVerbs(root, line);
  AddApprovalVerbs(root, line);
  AddCaVerbs(root, line);
  AddWebhookVerbs(root, line);
  AddAuditVerbs(root, line);
  AddReasonVerbs(root, line);
  AddCompletionVerbs(root, line);
  if (const std::string unknown = UnknownVerb(root, argc, argv); !unknown.empty()) {
    std::cerr << "error: " << unknown << "\n       bootgate-gatekeeper --help lists them\n";
    return static_cast<int>(ExitCode::kUsage);
  }
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version end here too, with 0.
    return root.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(line.instead ? line.instead() : line.verb());
}

}  // namespace
}  // namespace bootgate::gatekeeper::app

int main(int argc, char** argv) {
  try {
    return bootgate::gatekeeper::app::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return static_cast<int>(bootgate::ExitCode::kInternal);
  }
}
