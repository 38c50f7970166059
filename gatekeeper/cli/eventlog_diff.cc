#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/eventlog/explain/explain.h"
#include "gatekeeper/cli/eventlog_verbs.h"
#include "gatekeeper/diagnosis/diff.h"

namespace bootgate::gatekeeper::cli {
namespace {

using diagnosis::EventChange;
using diagnosis::LogDifference;
using diagnosis::RegisterDifference;
using nlohmann::ordered_json;

ordered_json ToJson(const EventChange& change) {
  ordered_json json = {{"kind", std::string(Name(change.kind))}};
  if (change.first) json["first"] = {{"event", *change.first}, {"says", change.was}};
  if (change.second) json["second"] = {{"event", *change.second}, {"says", change.is}};
  json["text"] = change.text;
  return json;
}

ordered_json ToJson(const RegisterDifference& row) {
  ordered_json changes = ordered_json::array();
  for (const EventChange& change : row.changes) changes.push_back(ToJson(change));
  ordered_json json = {{"register", row.register_index},
                       {"first", row.first.hex()},
                       {"second", row.second.hex()},
                       {"changes", changes}};
  if (!row.note.empty()) json["note"] = row.note;
  return json;
}

ordered_json ToJson(const LogDifference& difference) {
  ordered_json rows = ordered_json::array();
  for (const RegisterDifference& row : difference.registers) rows.push_back(ToJson(row));
  return {{"same", difference.SameStory()},
          {"bank", std::string(crypto::Name(difference.bank))},
          {"causes", difference.causes},
          {"registers", rows}};
}

std::string Number(const std::optional<uint32_t>& event) {
  return event ? absl::StrCat(*event) : "-";
}

void PrintTable(const eventlog::Log& log, const LogDifference& difference, std::ostream& out) {
  if (difference.SameStory()) {
    out << "the logs tell the same story (bank " << crypto::Name(difference.bank) << ")\n"
        << "what Linux measured later is in IMA's list, not here\n";
    return;
  }
  out << "the logs tell different stories (bank " << crypto::Name(difference.bank) << "):\n";
  for (const std::string& cause : difference.causes) out << "  " << cause << "\n";
  std::vector<std::vector<std::string>> rows;
  for (const RegisterDifference& row : difference.registers) {
    const std::string name = eventlog::SayRegister(log, row.register_index);
    if (!row.note.empty()) rows.push_back({name, "-", "-", row.note});
    for (const EventChange& change : row.changes) {
      rows.push_back({name, Number(change.first), Number(change.second), change.text});
    }
  }
  out << "\n" << FormatTable({"REGISTER", "FIRST", "SECOND", "WHAT"}, rows);
}

}  // namespace

ExitCode EventlogDiff(const EventlogDiffOptions& options, const EventlogIo& io) {
  if (options.first == "-" && options.second == "-") {
    return FailInput(io.err, absl::InvalidArgumentError("only one file can be standard input"));
  }
  std::optional<crypto::HashAlg> bank;
  if (options.bank) {
    bank = crypto::HashAlgFromName(*options.bank);
    if (!bank) {
      return FailInput(io.err, absl::InvalidArgumentError(absl::StrCat(
                                   "no bank ", Printable(*options.bank, 32),
                                   "; there are sha1, sha256, sha384, sha512, sm3_256")));
    }
  }
  const absl::StatusOr<LogFile> first = ReadLogFile(options.first, io.in);
  if (!first.ok()) return FailInput(io.err, first.status());
  const absl::StatusOr<LogFile> second = ReadLogFile(options.second, io.in);
  if (!second.ok()) return FailInput(io.err, second.status());
  if (SayIfNoLog(*first, io.err) || SayIfNoLog(*second, io.err)) return ExitCode::kRejected;
  const auto difference = diagnosis::CompareLogs(first->log, second->log, bank);
  if (!difference.ok()) return FailInput(io.err, difference.status());
  if (io.format == OutputFormat::kJson) {
    io.out << ToJson(*difference).dump(2) << "\n";
  } else {
    PrintTable(first->log, *difference, io.out);
  }
  return difference->SameStory() ? ExitCode::kSuccess : ExitCode::kDenied;
}

}  // namespace bootgate::gatekeeper::cli
