#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/eventlog/explain/explain.h"
#include "gatekeeper/cli/eventlog_verbs.h"
#include "gatekeeper/diagnosis/predict.h"

namespace bootgate::gatekeeper::cli {
namespace {

using diagnosis::Prediction;
using diagnosis::Predictions;
using nlohmann::ordered_json;

ordered_json ToJson(const Predictions& predictions) {
  ordered_json banks = ordered_json::object();
  for (const Prediction& row : predictions.registers) {
    ordered_json& bank = banks[std::string(crypto::Name(row.bank))];
    bank[absl::StrCat(row.register_index)] = {{"before", row.before.hex()},
                                              {"after", row.after.hex()},
                                              {"changed", row.before != row.after}};
  }
  ordered_json incomplete = ordered_json::array();
  for (const crypto::HashAlg bank : predictions.incomplete) {
    incomplete.push_back(std::string(crypto::Name(bank)));
  }
  return {{"banks", banks}, {"incomplete", incomplete}};
}

void PrintTable(const eventlog::Log& log, const Predictions& predictions, std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Prediction& row : predictions.registers) {
    if (row.before == row.after) continue;
    rows.push_back({std::string(crypto::Name(row.bank)),
                    eventlog::SayRegister(log, row.register_index), "before", row.before.hex()});
    rows.push_back({"", "", "after", row.after.hex()});
  }
  if (rows.empty()) {
    out << "no register changes\n";
  } else {
    out << FormatTable({"BANK", "REGISTER", "", "VALUE"}, rows) << "all other registers stay\n";
  }
  for (const crypto::HashAlg bank : predictions.incomplete) {
    out << "bank " << crypto::Name(bank)
        << " is not predicted in full: an event got no new digest of it\n";
  }
}

}  // namespace

ExitCode EventlogPredict(const EventlogPredictOptions& options, const EventlogIo& io) {
  std::vector<diagnosis::Replacement> replacements;
  for (const std::string& text : options.replacements) {
    absl::StatusOr<diagnosis::Replacement> replacement = diagnosis::ParseReplacement(text);
    if (!replacement.ok()) return FailInput(io.err, replacement.status());
    replacements.push_back(*std::move(replacement));
  }
  const absl::StatusOr<LogFile> file = ReadLogFile(options.file, io.in);
  if (!file.ok()) return FailInput(io.err, file.status());
  if (SayIfNoLog(*file, io.err)) return ExitCode::kRejected;
  const absl::StatusOr<Predictions> predictions = diagnosis::Predict(file->log, replacements);
  if (!predictions.ok()) return FailInput(io.err, predictions.status());
  if (io.format == OutputFormat::kJson) {
    io.out << ToJson(*predictions).dump(2) << "\n";
  } else {
    PrintTable(file->log, *predictions, io.out);
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
