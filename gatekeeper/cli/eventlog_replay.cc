#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/eventlog/quirks.h"
#include "common/eventlog/replay.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/cli/eventlog_verbs.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxText = 512;  // bytes of one finding

// What stops the reading: events after it are not in the replay.
bool BreaksOff(Reason reason) {
  return reason == Reason::kLogTruncated || reason == Reason::kLogLimit ||
         reason == Reason::kLogSpecId;
}

Finding FindingOf(const eventlog::Defect& defect) {
  Finding finding;
  finding.code = defect.reason;
  finding.severity = BreaksOff(defect.reason) ? Severity::kFail : Severity::kWarning;
  finding.event = defect.event;
  finding.register_index = defect.register_index;
  finding.text = Printable(defect.text, kMaxText);
  return finding;
}

Finding FindingOf(const eventlog::UsedQuirk& used) {
  Finding finding;
  finding.code = Reason::kLogQuirk;
  finding.severity = Severity::kInfo;
  finding.event = used.first_event;
  finding.text = absl::StrCat(used.quirk->id, ": ", used.quirk->departs);
  return finding;
}

// A log's defects, those of the replay of its banks, and the quirks it needs; none twice.
std::vector<Finding> FindingsOf(const eventlog::Log& log,
                                const std::vector<eventlog::Replay>& replays) {
  std::vector<Finding> findings;
  std::set<std::pair<Reason, size_t>> seen;
  const auto add = [&](const eventlog::Defect& defect) {
    if (seen.insert({defect.reason, defect.offset}).second) findings.push_back(FindingOf(defect));
  };
  for (const eventlog::Defect& defect : log.defects()) add(defect);
  for (const eventlog::Replay& replay : replays) {
    for (const eventlog::Defect& defect : replay.defects) add(defect);
  }
  for (const eventlog::UsedQuirk& used : eventlog::UsedQuirks(log)) {
    findings.push_back(FindingOf(used));
  }
  return findings;
}

ordered_json ToJson(const Finding& finding) {
  ordered_json json = {{"code", std::string(Code(finding.code))},
                       {"severity", Name(finding.severity)}};
  if (finding.event) json["event"] = *finding.event;
  if (finding.register_index) json["register"] = *finding.register_index;
  json["text"] = finding.text;
  return json;
}

ordered_json ToJson(const eventlog::Log& log, const std::vector<eventlog::Replay>& replays,
                    const std::vector<Finding>& findings) {
  ordered_json banks = ordered_json::object();
  for (const eventlog::Replay& replay : replays) {
    ordered_json& bank = banks[std::string(crypto::Name(replay.bank.alg()))];
    bank = ordered_json::object();
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      if (const auto value = replay.bank.Get(i)) bank[absl::StrCat(i)] = value->hex();
    }
  }
  ordered_json list = ordered_json::array();
  for (const Finding& finding : findings) list.push_back(ToJson(finding));
  return {{"banks", banks}, {"events", log.events().size()}, {"findings", list}};
}

void PrintTable(const eventlog::Log& log, const std::vector<eventlog::Replay>& replays,
                const std::vector<Finding>& findings, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const eventlog::Replay& replay : replays) {
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      const auto value = replay.bank.Get(i);
      if (value) {
        rows.push_back(
            {std::string(crypto::Name(replay.bank.alg())), absl::StrCat(i), value->hex()});
      }
    }
  }
  out << FormatTable({"BANK", "REGISTER", "VALUE"}, rows) << "\n"
      << log.events().size() << " events\n";
  for (const Finding& finding : findings) {
    out << Name(finding.severity) << ": " << Code(finding.code) << ": " << finding.text << "\n";
  }
}

}  // namespace

ExitCode EventlogReplay(const std::string& file, const EventlogIo& io) {
  const absl::StatusOr<LogFile> read = ReadLogFile(file, io.in);
  if (!read.ok()) return FailInput(io.err, read.status());
  const eventlog::Log& log = read->log;
  std::vector<eventlog::Replay> replays;
  for (const crypto::HashAlg alg : log.banks()) replays.push_back(eventlog::ReplayBank(log, alg));
  const std::vector<Finding> findings = FindingsOf(log, replays);
  if (io.format == OutputFormat::kJson) {
    io.out << ToJson(log, replays, findings).dump(2) << "\n";
  } else {
    PrintTable(log, replays, findings, io.out);
  }
  const bool no_log = SayIfNoLog(*read, io.err);
  const bool whole = std::ranges::none_of(
      log.defects(), [](const eventlog::Defect& defect) { return BreaksOff(defect.reason); });
  return whole && !no_log ? ExitCode::kSuccess : ExitCode::kRejected;
}

}  // namespace bootgate::gatekeeper::cli
