#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/pem_key.h"
#include "gatekeeper/cli/ima_list_findings.h"
#include "gatekeeper/cli/ima_list_input.h"
#include "gatekeeper/cli/ima_list_judge.h"
#include "gatekeeper/cli/ima_list_registers.h"
#include "gatekeeper/cli/ima_list_verbs.h"
#include "gatekeeper/cli/ima_set_files.h"
#include "gatekeeper/cli/verdict_output.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

// What the verb was given, read.
struct Given {
  std::vector<ReadSet> sets;
  std::optional<crypto::Digest> pcr10;
  absl::Time at;
  reference::ImaRules rules;
};

// What came of it.
struct Result {
  ImaListJudged judged;
  size_t unquoted = 0;  // entries past the match, which were not looked at
  bool met = false;
  bool broken = false;  // ends too early, where nobody vouches for an end before
  crypto::Digest replayed;
  std::vector<Finding> findings;
  Coverage coverage;

  bool good() const {
    return std::ranges::none_of(
        findings, [](const Finding& finding) { return finding.severity == Severity::kFail; });
  }
};

absl::StatusOr<crypto::Digest> ParseRegister(absl::string_view text) {
  const absl::StatusOr<Bytes> bytes = FromHex(absl::StripPrefix(text, "0x"));
  if (bytes.ok()) {
    for (const crypto::HashAlg alg : ImaListRegisters::kBanks) {
      if (bytes->size() == crypto::DigestSize(alg)) return crypto::Digest::From(alg, *bytes);
    }
  }
  return absl::InvalidArgumentError(
      "--pcr10: give the register's value in hexadecimal, of 20, 32, 48 or 64 bytes");
}

absl::StatusOr<std::vector<crypto::PemKey>> ReadFileKeys(const std::string& file) {
  BG_ASSIGN_OR_RETURN(const std::string pem, ReadTextFile(file, crypto::kMaxPemBytes));
  absl::StatusOr<std::vector<crypto::PemKey>> keys = crypto::KeysFromPem(pem);
  if (keys.ok()) return keys;
  return absl::InvalidArgumentError(
      absl::StrCat("--keys ", Printable(file), ": ", keys.status().message()));
}

absl::Status AddAlgorithms(const std::vector<std::string>& names, reference::ImaRules& rules) {
  for (const std::string& name : names) {
    const auto alg = reference::DigestAlgFromName(name);
    if (!alg.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--algorithm: '", Printable(name, 64), "' is none that we know"));
    }
    rules.algorithms.insert(*alg);
  }
  return absl::OkStatus();
}

absl::StatusOr<reference::SignatureRule> ReadSignatureRule(absl::string_view word) {
  if (word == "ignore") return reference::SignatureRule::kIgnore;
  if (word == "accept") return reference::SignatureRule::kAccept;
  if (word == "require") return reference::SignatureRule::kRequire;
  return absl::InvalidArgumentError(
      absl::StrCat("--signatures '", Printable(word, 64), "': write ignore, accept or require"));
}

absl::StatusOr<reference::ImaRules> ReadRules(const ImaListVerifyOptions& options) {
  reference::ImaRules rules;
  BG_RETURN_IF_ERROR(AddAlgorithms(options.algorithms, rules));
  BG_ASSIGN_OR_RETURN(rules.signatures, ReadSignatureRule(options.signatures));
  for (const std::string& file : options.keys) {
    BG_ASSIGN_OR_RETURN(const std::vector<crypto::PemKey> keys, ReadFileKeys(file));
    rules.keys.insert(rules.keys.end(), keys.begin(), keys.end());
  }
  return rules;
}

absl::StatusOr<Given> ReadGiven(const ImaListVerifyOptions& options, const Clock& clock) {
  Given given;
  BG_ASSIGN_OR_RETURN(given.at, ReadTime("--at", options.at, clock.Now()));
  BG_ASSIGN_OR_RETURN(given.rules, ReadRules(options));
  if (!options.pcr10.empty()) {
    BG_ASSIGN_OR_RETURN(given.pcr10, ParseRegister(options.pcr10));
  }
  BG_ASSIGN_OR_RETURN(const reference::TrustedKeys trusted, ReadTrustedKeys(options.verify_keys));
  for (const std::string& file : options.references) {
    BG_ASSIGN_OR_RETURN(ReadSet set, ReadImaSet(file, trusted));
    given.sets.push_back(std::move(set));
  }
  if (given.sets.empty()) return absl::InvalidArgumentError("--reference: give at least one set");
  return given;
}

absl::StatusOr<std::unique_ptr<ImaListJudge>> MakeJudge(const Given& given) {
  ImaJudging judging{.sets = {}, .rules = given.rules, .at = given.at};
  for (const ReadSet& read : given.sets) judging.sets.push_back(read.set);
  return ImaListJudge::Make(std::move(judging));
}

// Defects before the quoted end count; past it they are in bytes that nobody vouches for.
void AddDefects(const ImaReading& reading, Result& result) {
  const size_t vouched = result.judged.entries;
  for (const ima::Defect& defect : reading.defects) {
    Finding finding = FindingOf(defect);
    const bool past = result.met && defect.entry.value_or(reading.entries) >= vouched;
    if (past) finding.severity = Severity::kWarning;
    result.findings.push_back(std::move(finding));
  }
  result.broken = !result.met && reading.BreaksOff();
}

// For the time in which a new set is tried out. A known path with unknown content stays a failure.
void OnlyReport(Result& result) {
  size_t reported = 0;
  for (Finding& finding : result.findings) {
    if (finding.code != Reason::kImaUnlisted && finding.code != Reason::kImaOutdated) continue;
    finding.severity = Severity::kWarning;
    ++reported;
  }
  if (reported == 0) return;
  result.coverage.not_checked.push_back(
      {"what is unlisted or outdated", "it is only reported (--report-only)"});
}

void AddMismatch(const Given& given, const Result& so_far, std::vector<Finding>& findings) {
  Finding finding;
  finding.code = Reason::kImaPcrMismatch;
  finding.register_index = 10;
  finding.expected = given.pcr10->hex();
  finding.actual = so_far.replayed.hex();
  finding.text = "The list does not lead to the given PCR 10 after any entry.";
  findings.insert(findings.begin(), std::move(finding));
}

void AddCoverage(const Given& given, Result& result) {
  const ImaListJudged& judged = result.judged;
  std::vector<NotChecked>& not_checked = result.coverage.not_checked;
  result.coverage.checked.push_back(absl::StrCat(judged.entries, " entries, ", judged.counts.listed,
                                                 " of them listed, ", judged.counts.signed_files,
                                                 " good by their signature alone"));
  if (!given.pcr10) {
    not_checked.push_back(
        {"the list itself", "no PCR 10 was given (--pcr10): anybody could have written it"});
  } else if (result.met) {
    result.coverage.checked.push_back("the list against PCR 10");
  }
  if (result.unquoted > 0) {
    not_checked.push_back({absl::StrCat(result.unquoted, " entries past the given PCR 10"),
                           "it does not vouch for them"});
  }
  not_checked.insert(not_checked.end(), judged.coverage.not_checked.begin(),
                     judged.coverage.not_checked.end());
}

ordered_json ToJson(const Given& given, const Result& result) {
  ordered_json sets = ordered_json::array();
  for (const ReadSet& read : given.sets) {
    sets.push_back({{"id", read.set->id()},
                    {"name", Printable(read.set->name())},
                    {"signature", std::string(reference::NameOf(read.state))}});
  }
  ordered_json not_checked = ordered_json::array();
  for (const NotChecked& row : result.coverage.not_checked) {
    not_checked.push_back({{"what", row.what}, {"why", row.why}});
  }
  const ImaListJudged& judged = result.judged;
  return {{"good", result.good() && !result.broken},
          {"at", absl::FormatTime(absl::RFC3339_sec, given.at, absl::UTCTimeZone())},
          {"sets", sets},
          {"pcr10", !given.pcr10 ? "not given"
                    : result.met ? "met"
                                 : "not met"},
          {"entries", judged.entries + result.unquoted},
          {"judged", judged.entries},
          {"unquoted", result.unquoted},
          {"listed", judged.counts.listed},
          {"signed", judged.counts.signed_files},
          {"excluded", judged.counts.excluded},
          {"violations", judged.violations},
          {"findings", ordered_json::parse(FindingsJson(result.findings))},
          {"checked", result.coverage.checked},
          {"not_checked", not_checked}};
}

void PrintTable(const Result& result, std::ostream& out) {
  PrintFindings(result.findings, out);
  out << (result.good() && !result.broken ? "GOOD" : "NOT GOOD") << "\n";
  for (const std::string& line : result.coverage.checked) out << "  checked      " << line << "\n";
  for (const NotChecked& row : result.coverage.not_checked) {
    out << "  not checked  " << row.what << ": " << row.why << "\n";
  }
}

absl::StatusOr<std::pair<ImaReading, Result>> JudgeList(const ImaListVerifyOptions& options,
                                                        const Given& given, std::istream& in) {
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<ImaListJudge> judge, MakeJudge(given));
  std::optional<ImaMatchSearch> search;
  if (given.pcr10) search.emplace(*given.pcr10);
  Result result;
  const auto judge_quoted = [&](const ima::Entry& entry) {
    if (search && search->met()) {
      ++result.unquoted;
      return;
    }
    judge->Add(entry);
    if (search) search->Extend(entry);
  };
  BG_ASSIGN_OR_RETURN(ImaReading reading,
                      ReadImaList(options.file, in, judge_quoted, [&judge] { judge->Flush(); }));
  result.judged = judge->Finish();
  result.findings = std::move(result.judged.findings);
  result.met = search && search->met();
  if (search) result.replayed = search->value();
  AddDefects(reading, result);
  if (search && !result.met) AddMismatch(given, result, result.findings);
  AddCoverage(given, result);
  if (options.report_only) OnlyReport(result);
  return std::pair(std::move(reading), std::move(result));
}

}  // namespace

ExitCode ImaListVerify(const ImaListVerifyOptions& options, const ImaListIo& io) {
  const absl::StatusOr<Given> given = ReadGiven(options, io.clock);
  if (!given.ok()) {
    io.err << "error: " << Printable(given.status().message(), 1024) << "\n";
    return ExitCodeFor(given.status());
  }
  const auto judged = JudgeList(options, *given, io.in);
  if (!judged.ok()) return FailImaInput(io.err, judged.status());
  const auto& [reading, result] = *judged;
  if (SayIfNoImaList(reading, io.err)) return ExitCode::kRejected;
  if (io.format == OutputFormat::kJson) {
    io.out << ToJson(*given, result).dump(2) << "\n";
  } else {
    PrintTable(result, io.out);
  }
  if (result.broken) return ExitCode::kRejected;
  return result.good() ? ExitCode::kSuccess : ExitCode::kDenied;
}

}  // namespace bootgate::gatekeeper::cli
