#include "gatekeeper/app/completion.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace bootgate::gatekeeper::app {
namespace {

constexpr char kProgram[] = "bootgate-gatekeeper";

struct Named {
  std::string name, help;
};

// What may follow a verb.
struct Place {
  std::string path;  // "/host/list"; "": the program itself
  std::vector<Named> verbs, options;
  struct Words {
    std::string option;
    std::vector<std::string> words;
  };
  std::vector<Words> words;  // of options that take one of a few
};

// "TEXT:{table,json}", as CLI11 tells of an option that takes one of a few words.
std::vector<std::string> WordsOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{'), close = type.find('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  return absl::StrSplit(type.substr(open + 1, close - open - 1), ',');
}

std::vector<std::string> NamesOf(const CLI::Option& option) {
  std::vector<std::string> out;
  for (const std::string& name : option.get_snames()) out.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.push_back("--" + name);
  return out;
}

// The tree is ours and some three verbs deep.
void Collect(const CLI::App& app, const std::string& path, std::vector<Place>* out) {
  Place place{.path = path};
  for (const CLI::App* const verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    place.verbs.push_back({verb->get_name(), verb->get_description()});
  }
  for (const CLI::Option* const option : app.get_options()) {
    for (const std::string& name : NamesOf(*option)) {
      place.options.push_back({name, option->get_description()});
      if (auto words = WordsOf(*option); !words.empty()) place.words.push_back({name, words});
    }
  }
  out->push_back(std::move(place));
  for (const CLI::App* const verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    Collect(*verb, absl::StrCat(path, "/", verb->get_name()), out);
  }
}

// Within '...' of all three shells, which know no escapes there but fish's.
std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "’"}, {"\\", "/"}, {"\n", " "}}), "'");
}

// The last part of a name in shell code.
std::string Identifier(const std::string& program) {
  return absl::StrReplaceAll(program, {{"-", "_"}, {".", "_"}});
}

std::string NamesIn(const std::vector<Named>& named) {
  return absl::StrJoin(named, " ",
                       [](std::string* out, const Named& one) { out->append(one.name); });
}

// "'/host'|'/host/list'": the paths that there are.
std::string Paths(const std::vector<Place>& places) {
  std::vector<std::string> out;
  for (const Place& place : places) {
    if (!place.path.empty()) out.push_back(Quoted(place.path));
  }
  return absl::StrJoin(out, "|");
}

std::string Bash(const std::vector<Place>& places, const std::string& program) {
  const std::string function = "_" + Identifier(program);
  std::string out = absl::StrCat("# bash completion of ", program, "\n", function, "() {\n",
                                 "  local cur=${COMP_WORDS[COMP_CWORD]} "
                                 "prev=${COMP_WORDS[COMP_CWORD-1]} path= verbs= options=\n"
                                 "  local i\n"
                                 "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                                 "    case \"$path/${COMP_WORDS[i]}\" in\n      ",
                                 Paths(places),
                                 ") path=$path/${COMP_WORDS[i]} ;;\n"
                                 "    esac\n"
                                 "  done\n"
                                 "  case \"$path $prev\" in\n");
  for (const Place& place : places) {
    for (const Place::Words& words : place.words) {
      absl::StrAppend(&out, "    ", Quoted(absl::StrCat(place.path, " ", words.option)),
                      ") COMPREPLY=($(compgen -W ", Quoted(absl::StrJoin(words.words, " ")),
                      " -- \"$cur\")); return ;;\n");
    }
  }
  absl::StrAppend(&out, "  esac\n  case \"$path\" in\n");
  for (const Place& place : places) {
    absl::StrAppend(&out, "    ", Quoted(place.path), ") verbs=", Quoted(NamesIn(place.verbs)),
                    " options=", Quoted(NamesIn(place.options)), " ;;\n");
  }
  absl::StrAppend(&out,
                  "  esac\n"
                  "  [[ $cur == -* ]] && verbs=$options\n"
                  "  COMPREPLY=($(compgen -W \"$verbs\" -- \"$cur\"))\n"
                  "}\n"
                  "complete -o default -F ",
                  function, " ", program, "\n");
  return out;
}

// ':' ends the name for _describe.
std::string ZshItem(const Named& named) {
  return Quoted(absl::StrCat(absl::StrReplaceAll(named.name, {{":", "\\:"}}), ":", named.help));
}

std::string ZshItems(const std::vector<Named>& named) {
  return absl::StrJoin(named, " ",
                       [](std::string* out, const Named& one) { out->append(ZshItem(one)); });
}

std::string Zsh(const std::vector<Place>& places, const std::string& program) {
  const std::string function = "_" + Identifier(program);
  std::string out = absl::StrCat("#compdef ", program, "\n", function, "() {\n",
                                 "  local place= word prev=${words[CURRENT-1]}\n"
                                 "  local -a verbs options\n"
                                 "  for word in ${words[2,CURRENT-1]}; do\n"
                                 "    case \"$place/$word\" in\n      ",
                                 absl::StrReplaceAll(Paths(places), {{"|", " | "}}),
                                 ") place=$place/$word ;;\n"
                                 "    esac\n"
                                 "  done\n"
                                 "  case \"$place $prev\" in\n");
  for (const Place& place : places) {
    for (const Place::Words& words : place.words) {
      absl::StrAppend(&out, "    ", Quoted(absl::StrCat(place.path, " ", words.option)),
                      ") compadd -- ", absl::StrJoin(words.words, " "), "; return ;;\n");
    }
  }
  absl::StrAppend(&out, "  esac\n  case \"$place\" in\n");
  for (const Place& place : places) {
    absl::StrAppend(&out, "    ", Quoted(place.path), ") verbs=(", ZshItems(place.verbs),
                    ") options=(", ZshItems(place.options), ") ;;\n");
  }
  absl::StrAppend(&out,
                  "  esac\n"
                  "  if [[ ${words[CURRENT]} == -* ]]; then _describe option options\n"
                  "  elif (( $#verbs )); then _describe verb verbs\n"
                  "  else _files\n"
                  "  fi\n"
                  "}\n",
                  "if [[ $funcstack[1] == ", function, " ]]; then ", function, "; else compdef ",
                  function, " ", program, "; fi\n");
  return out;
}

std::string Fish(const std::vector<Place>& places, const std::string& program) {
  const std::string function = "__" + Identifier(program) + "_at";
  std::string out = absl::StrCat("# fish completion of ", program, "\nfunction ", function,
                                 "\n  set -l place ''\n"
                                 "  for word in (commandline -opc)[2..-1]\n"
                                 "    switch \"$place/$word\"\n      case ",
                                 absl::StrReplaceAll(Paths(places), {{"|", " "}}),
                                 "\n        set place \"$place/$word\"\n"
                                 "    end\n"
                                 "  end\n"
                                 "  test \"$place\" = \"$argv[1]\"\n"
                                 "end\n");
  for (const Place& place : places) {
    const std::string at =
        absl::StrCat("complete -c ", program, " -n \"", function, " ", Quoted(place.path), "\" ");
    for (const Named& verb : place.verbs) {
      absl::StrAppend(&out, at, "-f -a ", verb.name, " -d ", Quoted(verb.help), "\n");
    }
    for (const Named& option : place.options) {
      const bool is_long = option.name.rfind("--", 0) == 0;
      absl::StrAppend(&out, at, is_long ? "-l " : "-s ", option.name.substr(is_long ? 2 : 1));
      for (const Place::Words& words : place.words) {
        if (words.option == option.name) {
          absl::StrAppend(&out, " -x -a ", Quoted(absl::StrJoin(words.words, " ")));
        }
      }
      absl::StrAppend(&out, " -d ", Quoted(option.help), "\n");
    }
  }
  return out;
}

}  // namespace

std::string CompletionScript(const CLI::App& root, const std::string& program, Shell shell) {
  std::vector<Place> places;
  Collect(root, "", &places);
  switch (shell) {
    case Shell::kBash:
      return Bash(places, program);
    case Shell::kZsh:
      return Zsh(places, program);
    case Shell::kFish:
      return Fish(places, program);
  }
  __builtin_unreachable();
}

void AddCompletionVerbs(CLI::App& root, CommandLine& line) {
  CLI::App* const completion =
      root.add_subcommand("completion", "a script that lets your shell complete verbs and options");
  completion->require_subcommand(1);
  completion->footer(
      "examples:\n"
      "  bootgate-gatekeeper completion bash > /etc/bash_completion.d/bootgate-gatekeeper\n"
      "  source <(bootgate-gatekeeper completion zsh)\n"
      "  bootgate-gatekeeper completion fish > "
      "~/.config/fish/completions/bootgate-gatekeeper.fish");
  struct Row {
    const char* name;
    Shell shell;
  };
  for (const Row& row :
       {Row{"bash", Shell::kBash}, Row{"zsh", Shell::kZsh}, Row{"fish", Shell::kFish}}) {
    completion->add_subcommand(row.name, absl::StrCat("for ", row.name))
        ->callback([&root, &line, shell = row.shell] {
          line.verb = [&root, shell] {
            std::cout << CompletionScript(root, kProgram, shell);
            return ExitCode::kSuccess;
          };
        });
  }
}

}  // namespace bootgate::gatekeeper::app
