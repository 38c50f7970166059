#include <algorithm>
#include <bit>
#include <iterator>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/eventlog/explain/explain.h"
#include "common/eventlog/several_logs.h"
#include "common/registers/selection.h"
#include "gatekeeper/cli/eventlog_verbs.h"
#include "gatekeeper/cli/user_log_words.h"
#include "gatekeeper/diagnosis/explain.h"
#include "gatekeeper/diagnosis/user_records.h"

namespace bootgate::gatekeeper::cli {
namespace {

using diagnosis::BankDiagnosis;
using diagnosis::Diagnosis;
using nlohmann::ordered_json;

// All that was given, and which of the logs is the one of this boot.
struct Case {
  std::vector<LogFile> logs;  // of all files, in order
  std::vector<registers::RegisterBank> quoted;
  std::optional<LogFile> similar;
  std::optional<UserLogFile> user;
  size_t chosen = 0;
  bool fits = false;  // the chosen log leads to all registers that it has events for

  const LogFile& log() const { return logs[chosen]; }
  const cel::Log* user_log() const { return user ? &user->log : nullptr; }
};

// How well a log fits in all banks together; the greatest is the log of this boot.
using Rank = std::tuple<bool, int, int>;  // explains, registers that match, minus those that do not

Rank RankOf(const eventlog::Log& log, const Case& all) {
  int matched = 0, differing = 0;
  for (const registers::RegisterBank& bank : all.quoted) {
    uint32_t by_user_log = 0;
    const eventlog::LogFit fit = eventlog::FitOf(
        log, all.user ? diagnosis::BeforeUserSpace(log, all.user->log, bank, &by_user_log) : bank);
    matched += std::popcount(fit.matched);
    differing += std::popcount(fit.differing);
  }
  return {matched > 0 && differing == 0, matched, -differing};
}

// Of logs that fit equally well the last counts: it is of a later start.
void ChooseLog(Case* all) {
  Rank best = RankOf(all->logs.front().log, *all);
  for (size_t i = 1; i < all->logs.size(); ++i) {
    const Rank rank = RankOf(all->logs[i].log, *all);
    if (rank < best) continue;
    best = rank;
    all->chosen = i;
  }
  all->fits = std::get<0>(best);
}

std::string SayLog(const LogFile& file) {
  return file.of == 1 ? file.name
                      : absl::StrCat("log ", file.number, " of ", file.of, " in ", file.name);
}

ordered_json IndexesOf(uint32_t mask) {
  ordered_json out = ordered_json::array();
  for (uint32_t i = 0; i < registers::kCount; ++i) {
    if (((mask >> i) & 1u) != 0) out.push_back(i);
  }
  return out;
}

ordered_json ToJson(const eventlog::Unexplained& row) {
  return {{"register", row.register_index}, {"cause", std::string(Name(row.why.cause))},
          {"events", row.why.events},       {"text", row.why.text},
          {"quoted", row.quoted.hex()},     {"replayed", row.replayed.hex()}};
}

ordered_json ToJson(const Case& all, const Diagnosis& diagnosis) {
  ordered_json banks = ordered_json::object();
  for (const BankDiagnosis& bank : diagnosis.banks) {
    ordered_json rows = ordered_json::array();
    for (const eventlog::Unexplained& row : bank.unexplained) rows.push_back(ToJson(row));
    banks[std::string(crypto::Name(bank.bank))] = {{"in_log", bank.in_log},
                                                   {"matched", IndexesOf(bank.matched)},
                                                   {"not_in_boot_log", IndexesOf(bank.not_in_log)},
                                                   {"unexplained", rows}};
    if (all.user) {
      banks[std::string(crypto::Name(bank.bank))]["by_user_log"] = IndexesOf(bank.by_user_log);
    }
  }
  ordered_json json = {{"matches", diagnosis.AllMatch()}};
  if (all.logs.size() > 1) {
    json["log"] = {{"file", all.log().name},
                   {"number", all.log().number},
                   {"of", all.log().of},
                   {"explains", all.fits}};
  }
  json["banks"] = banks;
  return json;
}

std::string SayRecords(const Case& all, const BankDiagnosis& bank, uint32_t index) {
  if (!all.user) return "";
  const size_t count = diagnosis::RecordsOf(all.user->log, bank.bank, index).size();
  if (count == 0) return "";
  return absl::StrCat(" and ", count, count == 1 ? " record" : " records",
                      " of the user-space log");
}

void PrintBank(const Case& all, const BankDiagnosis& bank, std::ostream& out) {
  out << "bank " << crypto::Name(bank.bank) << ": ";
  if (!bank.in_log) out << "the log has no digests of it; ";
  out << "follow from the log: " << registers::FormatMask(bank.matched);
  if (bank.by_user_log != 0) {
    out << ", of these with the user-space log: " << registers::FormatMask(bank.by_user_log);
  }
  if (bank.not_in_log != 0) {
    out << "; not in the boot log: " << registers::FormatMask(bank.not_in_log) << " (IMA's list)";
  }
  out << "\n";
  for (const eventlog::Unexplained& row : bank.unexplained) {
    out << "  " << eventlog::SayRegister(all.log().log, row.register_index)
        << " does not follow from its " << row.events << (row.events == 1 ? " event" : " events")
        << SayRecords(all, bank, row.register_index) << "\n"
        << "    quoted    " << row.quoted.hex() << "\n"
        << "    replayed  " << row.replayed.hex() << "\n"
        << "    why       " << Name(row.why.cause) << ": " << row.why.text << "\n";
  }
}

void PrintTable(const Case& all, const Diagnosis& diagnosis, std::ostream& out) {
  if (all.logs.size() > 1) {
    out << (all.fits ? ""
                     : absl::StrCat("none of the ", all.logs.size(),
                                    " logs leads to the registers; closest is "))
        << SayLog(all.log()) << (all.fits ? " explains the registers" : "") << "\n";
  }
  for (const BankDiagnosis& bank : diagnosis.banks) PrintBank(all, bank, out);
  out << (diagnosis.AllMatch() ? "all registers that the log tells of have the values it leads to\n"
                               : "the log and the registers do not agree\n");
}

absl::Status CheckStandardInput(const EventlogExplainOptions& options) {
  size_t uses = 0;
  for (const std::string& file : options.files) uses += file == kStandardInput;
  uses += options.registers_file == kStandardInput;
  uses += options.similar_file == kStandardInput;
  uses += options.user_log == kStandardInput;
  if (uses <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError("only one file can be standard input");
}

// The exit code where something cannot be used; nullopt: all was read.
std::optional<ExitCode> ReadUserLog(const EventlogExplainOptions& options, const EventlogIo& io,
                                    Case* all) {
  if (!options.user_log) return std::nullopt;
  absl::StatusOr<UserLogFile> user = ReadUserLogFile(*options.user_log, io.in);
  if (!user.ok()) return FailUserLog(io.err, user.status());
  all->user = *std::move(user);
  SayUserDefects(all->user->log, io.err);
  for (const LogFile& log : all->logs) {
    if (const absl::Status status = CheckJoinable(log); !status.ok()) {
      return FailInput(io.err, status);
    }
  }
  return std::nullopt;
}

std::optional<ExitCode> ReadCase(const EventlogExplainOptions& options, const EventlogIo& io,
                                 Case* all) {
  for (const std::string& file : options.files) {
    absl::StatusOr<std::vector<LogFile>> logs = ReadLogsOfFile(file, io.in);
    if (!logs.ok()) return FailInput(io.err, logs.status());
    if (SayIfNoLog(logs->front(), io.err)) return ExitCode::kRejected;
    std::ranges::move(*logs, std::back_inserter(all->logs));
  }
  if (all->logs.empty()) {
    return FailInput(io.err, absl::InvalidArgumentError("give at least one boot log"));
  }
  auto quoted = ReadRegistersFile(options.registers_file, io.in);
  if (!quoted.ok()) return FailInput(io.err, quoted.status());
  all->quoted = *std::move(quoted);
  if (options.similar_file) {
    absl::StatusOr<LogFile> similar = ReadLogFile(*options.similar_file, io.in);
    if (!similar.ok()) return FailInput(io.err, similar.status());
    if (SayIfNoLog(*similar, io.err)) return ExitCode::kRejected;
    all->similar = *std::move(similar);
  }
  return ReadUserLog(options, io, all);
}

}  // namespace

ExitCode EventlogExplain(const EventlogExplainOptions& options, const EventlogIo& io) {
  if (const absl::Status status = CheckStandardInput(options); !status.ok()) {
    return FailInput(io.err, status);
  }
  Case all;
  if (const auto failed = ReadCase(options, io, &all)) return *failed;
  ChooseLog(&all);
  const Diagnosis diagnosis = diagnosis::Explain(
      all.log().log, all.quoted, all.similar ? &all.similar->log : nullptr, all.user_log());
  if (io.format == OutputFormat::kJson) {
    io.out << ToJson(all, diagnosis).dump(2) << "\n";
  } else {
    PrintTable(all, diagnosis, io.out);
  }
  return diagnosis.AllMatch() ? ExitCode::kSuccess : ExitCode::kDenied;
}

}  // namespace bootgate::gatekeeper::cli
