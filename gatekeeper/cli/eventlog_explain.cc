#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/eventlog/explain/explain.h"
#include "common/registers/selection.h"
#include "gatekeeper/cli/eventlog_verbs.h"
#include "gatekeeper/diagnosis/explain.h"

namespace bootgate::gatekeeper::cli {
namespace {

using diagnosis::BankDiagnosis;
using diagnosis::Diagnosis;
using nlohmann::ordered_json;

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

ordered_json ToJson(const Diagnosis& diagnosis) {
  ordered_json banks = ordered_json::object();
  for (const BankDiagnosis& bank : diagnosis.banks) {
    ordered_json rows = ordered_json::array();
    for (const eventlog::Unexplained& row : bank.unexplained) rows.push_back(ToJson(row));
    banks[std::string(crypto::Name(bank.bank))] = {{"in_log", bank.in_log},
                                                   {"matched", IndexesOf(bank.matched)},
                                                   {"not_in_boot_log", IndexesOf(bank.not_in_log)},
                                                   {"unexplained", rows}};
  }
  return {{"matches", diagnosis.AllMatch()}, {"banks", banks}};
}

void PrintBank(const eventlog::Log& log, const BankDiagnosis& bank, std::ostream& out) {
  out << "bank " << crypto::Name(bank.bank) << ": ";
  if (!bank.in_log) out << "the log has no digests of it; ";
  out << "follow from the log: " << registers::FormatMask(bank.matched);
  if (bank.not_in_log != 0) {
    out << "; not in the boot log: " << registers::FormatMask(bank.not_in_log) << " (IMA's list)";
  }
  out << "\n";
  for (const eventlog::Unexplained& row : bank.unexplained) {
    out << "  " << eventlog::SayRegister(log, row.register_index) << " does not follow from its "
        << row.events << (row.events == 1 ? " event" : " events") << "\n"
        << "    quoted    " << row.quoted.hex() << "\n"
        << "    replayed  " << row.replayed.hex() << "\n"
        << "    why       " << Name(row.why.cause) << ": " << row.why.text << "\n";
  }
}

void PrintTable(const eventlog::Log& log, const Diagnosis& diagnosis, std::ostream& out) {
  for (const BankDiagnosis& bank : diagnosis.banks) PrintBank(log, bank, out);
  out << (diagnosis.AllMatch() ? "all registers that the log tells of have the values it leads to\n"
                               : "the log and the registers do not agree\n");
}

}  // namespace

ExitCode EventlogExplain(const EventlogExplainOptions& options, const EventlogIo& io) {
  if (options.file == "-" && (options.registers_file == "-" || options.similar_file == "-")) {
    return FailInput(io.err, absl::InvalidArgumentError("only one file can be standard input"));
  }
  const absl::StatusOr<LogFile> file = ReadLogFile(options.file, io.in);
  if (!file.ok()) return FailInput(io.err, file.status());
  const auto quoted = ReadRegistersFile(options.registers_file, io.in);
  if (!quoted.ok()) return FailInput(io.err, quoted.status());
  LogFile similar;
  if (options.similar_file) {
    absl::StatusOr<LogFile> read = ReadLogFile(*options.similar_file, io.in);
    if (!read.ok()) return FailInput(io.err, read.status());
    similar = *std::move(read);
    if (SayIfNoLog(similar, io.err)) return ExitCode::kRejected;
  }
  if (SayIfNoLog(*file, io.err)) return ExitCode::kRejected;
  const Diagnosis diagnosis =
      diagnosis::Explain(file->log, *quoted, options.similar_file ? &similar.log : nullptr);
  if (io.format == OutputFormat::kJson) {
    io.out << ToJson(diagnosis).dump(2) << "\n";
  } else {
    PrintTable(file->log, diagnosis, io.out);
  }
  return diagnosis.AllMatch() ? ExitCode::kSuccess : ExitCode::kDenied;
}

}  // namespace bootgate::gatekeeper::cli
