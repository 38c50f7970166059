#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/cel/replay.h"
#include "common/eventlog/quirks.h"
#include "common/eventlog/replay.h"
#include "gatekeeper/claims/finding.h"
#include "gatekeeper/cli/eventlog_verbs.h"
#include "gatekeeper/cli/user_log_words.h"

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

Finding FindingOf(const cel::Defect& defect) {
  Finding finding;
  finding.code = defect.reason;
  finding.severity = defect.reason == Reason::kCelTruncated ? Severity::kWarning : Severity::kFail;
  finding.event = defect.record;
  finding.text = Printable(absl::StrCat("user-space log: ", defect.text), kMaxText);
  return finding;
}

// Records about PCRs without a digest of the bank: one finding says so for all of them.
Finding WithoutDigests(const std::vector<cel::Defect>& defects, crypto::HashAlg bank) {
  Finding finding;
  finding.code = Reason::kCelDigests;
  finding.severity = Severity::kFail;
  finding.event = defects.front().record;
  finding.text = absl::StrCat("user-space log: ", defects.size(),
                              defects.size() == 1 ? " record has" : " records have", " no ",
                              crypto::Name(bank), " digest: they extend nothing in this bank");
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

// What both logs lead to.
struct Replayed {
  std::vector<registers::RegisterBank> banks;
  size_t events = 0;
  const cel::Log* user_log = nullptr;
  std::vector<Finding> findings;
};

// Continues the banks through the user-space log.
void Continue(const cel::Log& user_log, Replayed* all) {
  all->user_log = &user_log;
  for (const cel::Defect& defect : user_log.defects()) all->findings.push_back(FindingOf(defect));
  for (registers::RegisterBank& bank : all->banks) {
    cel::Replay replay = cel::ReplayBank(user_log, bank);
    bank = replay.bank;
    if (!replay.defects.empty()) {
      all->findings.push_back(WithoutDigests(replay.defects, bank.alg()));
    }
  }
  for (const cel::Defect& wrong : WrongRecords(user_log)) {
    all->findings.push_back(FindingOf(wrong));
    all->findings.back().register_index = user_log.records()[*wrong.record].pcr;
  }
}

struct NvRow {
  crypto::HashAlg alg;
  uint32_t index;
  cel::NvRegister nv;
  crypto::Digest initialised;  // the value where systemd's own first write came before
};

std::vector<NvRow> NvRows(const cel::Log& user_log) {
  std::set<crypto::HashAlg> algs;
  for (const cel::Record& record : user_log.records()) {
    if (!record.nv_index) continue;
    for (const crypto::Digest& digest : record.digests) algs.insert(digest.alg());
  }
  std::vector<NvRow> rows;
  for (const crypto::HashAlg alg : algs) {
    const auto initialised = cel::ReplayNv(user_log, alg, cel::NvStart::kInitialised);
    for (const auto& [index, nv] : cel::ReplayNv(user_log, alg, cel::NvStart::kUnwritten)) {
      rows.push_back({alg, index, nv, initialised.at(index).value});
    }
  }
  return rows;
}

ordered_json NvJson(const cel::Log& user_log) {
  ordered_json json = ordered_json::object();
  for (const NvRow& row : NvRows(user_log)) {
    json[std::string(crypto::Name(row.alg))][NvIndexName(row.index)] = {
        {"name", Printable(row.nv.untrusted_name, kMaxText)},
        {"records", row.nv.extends},
        {"value", row.nv.value.hex()},
        {"value_if_initialised", row.initialised.hex()}};
  }
  return json;
}

ordered_json ToJson(const Replayed& all) {
  ordered_json banks = ordered_json::object();
  for (const registers::RegisterBank& values : all.banks) {
    ordered_json& bank = banks[std::string(crypto::Name(values.alg()))];
    bank = ordered_json::object();
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      if (const auto value = values.Get(i)) bank[absl::StrCat(i)] = value->hex();
    }
  }
  ordered_json list = ordered_json::array();
  for (const Finding& finding : all.findings) list.push_back(ToJson(finding));
  ordered_json json = {{"banks", banks}};
  if (all.user_log != nullptr) json["nv"] = NvJson(*all.user_log);
  json["events"] = all.events;
  if (all.user_log != nullptr) json["records"] = all.user_log->records().size();
  json["findings"] = list;
  return json;
}

void PrintTable(const Replayed& all, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const registers::RegisterBank& bank : all.banks) {
    for (uint32_t i = 0; i < registers::kCount; ++i) {
      if (const auto value = bank.Get(i)) {
        rows.push_back({std::string(crypto::Name(bank.alg())), absl::StrCat(i), value->hex()});
      }
    }
  }
  if (all.user_log != nullptr) {
    for (const NvRow& row : NvRows(*all.user_log)) {
      rows.push_back({std::string(crypto::Name(row.alg)),
                      absl::StrCat("NV ", NvIndexName(row.index), " ", row.nv.untrusted_name),
                      row.nv.value.hex()});
    }
  }
  out << FormatTable({"BANK", "REGISTER", "VALUE"}, rows) << "\n" << all.events << " events";
  if (all.user_log != nullptr) {
    out << " of the boot log, " << all.user_log->records().size() << " records of user space";
  }
  out << "\n";
  for (const Finding& finding : all.findings) {
    out << Name(finding.severity) << ": " << Code(finding.code) << ": " << finding.text << "\n";
  }
}

void Print(const Replayed& all, const EventlogIo& io) {
  if (io.format == OutputFormat::kJson) {
    io.out << ToJson(all).dump(2) << "\n";
  } else {
    PrintTable(all, io.out);
  }
}

Replayed ReplayOf(const eventlog::Log& log) {
  std::vector<eventlog::Replay> replays;
  Replayed out;
  for (const crypto::HashAlg alg : log.banks()) {
    replays.push_back(eventlog::ReplayBank(log, alg));
    out.banks.push_back(replays.back().bank);
  }
  out.events = log.events().size();
  out.findings = FindingsOf(log, replays);
  return out;
}

ExitCode ReplayUserLogAlone(const cel::Log& user_log, const EventlogIo& io) {
  Replayed all;
  for (const crypto::HashAlg alg : BanksOf(user_log)) all.banks.emplace_back(alg);
  Continue(user_log, &all);
  io.err << "note: without the boot log all PCRs begin at zeros; of those that firmware or "
            "systemd-stub\n      extended before, these are not the values\n";
  Print(all, io);
  return HasDefects(user_log) ? ExitCode::kRejected : ExitCode::kSuccess;
}

absl::Status CheckOptions(const EventlogReplayOptions& options) {
  if (options.file == kStandardInput && options.user_log == kStandardInput) {
    return absl::InvalidArgumentError("only one file can be standard input");
  }
  if (!options.file.empty()) return absl::OkStatus();
  if (!options.user_log) {
    return absl::InvalidArgumentError("give a boot log, or a user-space log with --user-log");
  }
  return options.log ? absl::InvalidArgumentError("--log chooses a boot log, and none was given")
                     : absl::OkStatus();
}

}  // namespace

ExitCode EventlogReplay(const EventlogReplayOptions& options, const EventlogIo& io) {
  if (const absl::Status status = CheckOptions(options); !status.ok()) {
    return FailInput(io.err, status);
  }
  UserLogFile user;
  if (options.user_log) {
    absl::StatusOr<UserLogFile> read = ReadUserLogFile(*options.user_log, io.in);
    if (!read.ok()) return FailUserLog(io.err, read.status());
    user = *std::move(read);
  }
  if (options.file.empty()) return ReplayUserLogAlone(user.log, io);
  const absl::StatusOr<LogFile> read = ReadLogFile(options.file, io.in, options.log);
  if (!read.ok()) return FailInput(io.err, read.status());
  Replayed all = ReplayOf(read->log);
  if (options.user_log) {
    if (const absl::Status status = CheckJoinable(*read); !status.ok()) {
      return FailInput(io.err, status);
    }
    Continue(user.log, &all);
  }
  SayWhichLog(*read, io.err);
  Print(all, io);
  const bool no_log = SayIfNoLog(*read, io.err);
  const bool whole = std::ranges::none_of(
      read->log.defects(), [](const eventlog::Defect& d) { return BreaksOff(d.reason); });
  return whole && !no_log && !HasDefects(user.log) ? ExitCode::kSuccess : ExitCode::kRejected;
}

}  // namespace bootgate::gatekeeper::cli
