#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "gatekeeper/claims/bounded_findings.h"
#include "gatekeeper/cli/ima_list_findings.h"
#include "gatekeeper/cli/ima_list_input.h"
#include "gatekeeper/cli/ima_list_registers.h"
#include "gatekeeper/cli/ima_list_summary.h"
#include "gatekeeper/cli/ima_list_verbs.h"
#include "gatekeeper/cli/verdict_output.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxPath = 200;  // bytes of a path in a sentence

// All that a replay finds out, entry by entry.
class Replayer {
 public:
  void Add(const ima::Entry& entry) {
    summary_.Add(entry);
    registers_.Extend(entry);
    if (ima::ListedDigestHolds(entry) || !bound_.Take(Reason::kImaTemplateHash)) return;
    Finding& finding = findings_.emplace_back();
    finding.code = Reason::kImaTemplateHash;
    finding.event = entry.number;
    finding.text = absl::StrCat("entry ", entry.number, " (", Printable(entry.path, kMaxPath),
                                "): the listed hash is not that of its content");
    finding.actual = ToHex(entry.listed_digest);
  }

  std::vector<Finding> Finish(const std::vector<ima::Defect>& defects) {
    bound_.Close(Severity::kFail, &findings_);
    std::vector<Finding> all;
    for (const ima::Defect& defect : defects) all.push_back(FindingOf(defect));
    all.insert(all.end(), findings_.begin(), findings_.end());
    return all;
  }

  const ImaListSummary& summary() const { return summary_; }
  const ImaListRegisters& registers() const { return registers_; }

 private:
  ImaListSummary summary_;
  ImaListRegisters registers_;
  BoundedFindings bound_;
  std::vector<Finding> findings_;
};

ordered_json ToJson(const ImaListRegisters::Values& values) {
  ordered_json json = ordered_json::object();
  for (const auto& [index, banks] : values) json[absl::StrCat(index)] = banks;
  return json;
}

void PrintJson(const Replayer& replay, const std::vector<Finding>& findings, std::ostream& out) {
  const ImaListSummary& summary = replay.summary();
  const ordered_json json = {
      {"entries", summary.entries()},
      {"violations", summary.violations()},
      {"templates", summary.templates()},
      {"pcrs", ToJson(replay.registers().Of(ima::ExtendRule::kBankHash))},
      {"pcrs_padded", ToJson(replay.registers().Of(ima::ExtendRule::kPaddedSha1))},
      {"pcrs_padded_all", ToJson(replay.registers().Of(ima::ExtendRule::kPaddedAll))},
      {"findings", ordered_json::parse(FindingsJson(findings))}};
  out << json.dump(2) << "\n";
}

void AddRows(const ImaListRegisters::Values& values, const char* hashed,
             std::vector<std::vector<std::string>>& rows) {
  for (const auto& [index, banks] : values) {
    for (const auto& [bank, value] : banks) {
      rows.push_back({absl::StrCat(index), bank, hashed, value});
    }
  }
}

void PrintTable(const Replayer& replay, const std::vector<Finding>& findings, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  const ImaListRegisters& registers = replay.registers();
  AddRows(registers.Of(ima::ExtendRule::kBankHash), "by the bank's hash", rows);
  const ImaListRegisters::Values padded = registers.Of(ima::ExtendRule::kPaddedSha1);
  AddRows(padded, "SHA-1, padded", rows);
  const ImaListRegisters::Values padded_all = registers.Of(ima::ExtendRule::kPaddedAll);
  if (padded_all != padded) AddRows(padded_all, "SHA-1, padded, violations too", rows);
  out << FormatTable({"PCR", "BANK", "EXTENDED", "VALUE"}, rows) << "\n"
      << replay.summary().entries() << " entries, " << replay.summary().violations()
      << " violations\n";
  PrintFindings(findings, out);
}

}  // namespace

ExitCode ImaListReplay(const std::string& file, const ImaListIo& io) {
  Replayer replay;
  const absl::StatusOr<ImaReading> reading =
      ReadImaList(file, io.in, [&](const ima::Entry& entry) { replay.Add(entry); });
  if (!reading.ok()) return FailImaInput(io.err, reading.status());
  const std::vector<Finding> findings = replay.Finish(reading->defects);
  const bool no_list = SayIfNoImaList(*reading, io.err);
  if (io.format == OutputFormat::kJson) {
    PrintJson(replay, findings, io.out);
  } else if (!no_list) {
    PrintTable(replay, findings, io.out);
  }
  return no_list || reading->BreaksOff() ? ExitCode::kRejected : ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
