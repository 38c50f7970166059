#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "common/crypto/pem_key.h"
#include "gatekeeper/cli/ima_list_findings.h"
#include "gatekeeper/cli/ima_list_input.h"
#include "gatekeeper/cli/ima_list_registers.h"
#include "gatekeeper/cli/ima_list_verbs.h"
#include "gatekeeper/cli/ima_set_files.h"
#include "gatekeeper/cli/ima_set_judge.h"
#include "gatekeeper/cli/verdict_output.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

// What the verb was given, read.
struct Given {
  std::vector<ReadSet> sets;
  std::vector<crypto::PemKey> keys;
  std::optional<crypto::Digest> pcr10;
  absl::Time at;
  std::set<reference::DigestAlg> algorithms;
};

// What came of it.
struct Result {
  ImaJudged judged;
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

absl::StatusOr<std::set<reference::DigestAlg>> ReadAlgorithms(
    const std::vector<std::string>& names) {
  std::set<reference::DigestAlg> algorithms = reference::StrongAlgorithms();
  for (const std::string& name : names) {
    const auto alg = reference::DigestAlgFromName(name);
    if (!alg.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--algorithm: '", Printable(name, 64), "' is none that we know"));
    }
    algorithms.insert(*alg);
  }
  return algorithms;
}

absl::StatusOr<Given> ReadGiven(const ImaListVerifyOptions& options, const Clock& clock) {
  Given given;
  BG_ASSIGN_OR_RETURN(given.at, ReadTime("--at", options.at, clock.Now()));
  BG_ASSIGN_OR_RETURN(given.algorithms, ReadAlgorithms(options.algorithms));
  if (!options.pcr10.empty()) {
    BG_ASSIGN_OR_RETURN(given.pcr10, ParseRegister(options.pcr10));
  }
  BG_ASSIGN_OR_RETURN(const reference::TrustedKeys trusted, ReadTrustedKeys(options.verify_keys));
  for (const std::string& file : options.references) {
    BG_ASSIGN_OR_RETURN(ReadSet set, ReadImaSet(file, trusted));
    given.sets.push_back(std::move(set));
  }
  for (const std::string& file : options.keys) {
    BG_ASSIGN_OR_RETURN(const std::vector<crypto::PemKey> keys, ReadFileKeys(file));
    given.keys.insert(given.keys.end(), keys.begin(), keys.end());
  }
  if (given.sets.empty()) return absl::InvalidArgumentError("--reference: give at least one set");
  return given;
}

absl::StatusOr<std::unique_ptr<ImaSetJudge>> MakeJudge(const Given& given) {
  std::vector<std::shared_ptr<const reference::ImaSet>> sets;
  for (const ReadSet& read : given.sets) sets.push_back(read.set);
  return ImaSetJudge::Make(std::move(sets), given.keys, given.at, given.algorithms);
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
  const ImaJudged& judged = result.judged;
  const auto not_checked = [&](std::string what, std::string why) {
    result.coverage.not_checked.push_back({std::move(what), std::move(why)});
  };
  result.coverage.checked.push_back(absl::StrCat(judged.entries, " entries, ", judged.listed,
                                                 " of them listed, ", judged.signed_files,
                                                 " good by their signature alone"));
  if (!given.pcr10) {
    not_checked("the list itself", "no PCR 10 was given (--pcr10): anybody could have written it");
  } else if (result.met) {
    result.coverage.checked.push_back("the list against PCR 10");
  }
  if (result.unquoted > 0) {
    not_checked(absl::StrCat(result.unquoted, " entries past the given PCR 10"),
                "it does not vouch for them");
  }
  if (judged.aggregate) not_checked("boot_aggregate", "it needs the quoted PCR 0-9");
  if (judged.other_registers > 0) {
    not_checked(
        absl::StrCat("that ", judged.other_registers, " entries of other registers are true"),
        "PCR 10 does not vouch for them; they were judged as they are listed");
  }
  if (judged.excluded > 0) {
    not_checked(absl::StrCat(judged.excluded, " files of excluded paths"), "a set excludes them");
  }
  if (judged.records > 0) {
    not_checked(absl::StrCat(judged.records, " records of the kernel"), "no set lists them");
  }
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
  const ImaJudged& judged = result.judged;
  return {{"good", result.good() && !result.broken},
          {"at", absl::FormatTime(absl::RFC3339_sec, given.at, absl::UTCTimeZone())},
          {"sets", sets},
          {"pcr10", !given.pcr10 ? "not given"
                    : result.met ? "met"
                                 : "not met"},
          {"entries", judged.entries + result.unquoted},
          {"judged", judged.entries},
          {"unquoted", result.unquoted},
          {"listed", judged.listed},
          {"signed", judged.signed_files},
          {"excluded", judged.excluded},
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
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<ImaSetJudge> judge, MakeJudge(given));
  std::optional<ImaMatchSearch> search;
  if (given.pcr10) search.emplace(*given.pcr10);
  Result result;
  BG_ASSIGN_OR_RETURN(ImaReading reading,
                      ReadImaList(options.file, in, [&](const ima::Entry& entry) {
                        if (search && search->met()) {
                          ++result.unquoted;
                          return;
                        }
                        judge->Judge(entry);
                        if (search) search->Extend(entry);
                      }));
  result.judged = judge->judged();
  result.findings = judge->Finish();
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
