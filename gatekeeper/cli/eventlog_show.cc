#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/eventlog/coverage.h"
#include "common/eventlog/decode/describe.h"
#include "common/eventlog/event_type.h"
#include "gatekeeper/appraisal/json/events_json.h"
#include "gatekeeper/cli/eventlog_summary.h"
#include "gatekeeper/cli/eventlog_verbs.h"
#include "gatekeeper/cli/user_log_words.h"

namespace bootgate::gatekeeper::cli {
namespace {

using eventlog::Event;
using eventlog::Log;

constexpr crypto::HashAlg kByStrength[] = {crypto::HashAlg::kSha256, crypto::HashAlg::kSha384,
                                           crypto::HashAlg::kSha512, crypto::HashAlg::kSm3_256,
                                           crypto::HashAlg::kSha1};

crypto::HashAlg StrongestBank(const Log& log) {
  for (const crypto::HashAlg alg : kByStrength) {
    if (log.HasBank(alg)) return alg;
  }
  return crypto::HashAlg::kSha256;
}

std::string CoverageMark(const Log& log, const Event& event, crypto::HashAlg bank) {
  if (!event.Extends()) return "-";
  switch (eventlog::CoverageOf(log, event, bank)) {
    case eventlog::Coverage::kCovered:
      return "yes";
    case eventlog::Coverage::kNotCovered:
      return "no";
    case eventlog::Coverage::kMismatch:
      return "WRONG";
  }
  __builtin_unreachable();
}

// What the event says; the remark on coverage has a column of its own.
std::string Words(const Log& log, const Event& event, crypto::HashAlg bank) {
  const std::string words = eventlog::Describe(log, event, bank);
  absl::string_view text = words;
  if (!absl::ConsumeSuffix(&text, " (not covered by the digest)")) {
    absl::ConsumeSuffix(&text, " (contradicted by the digest)");
  }
  return std::string(text);
}

void PrintEvents(const Log& log, crypto::HashAlg bank, std::optional<uint32_t> only,
                 std::ostream& out) {
  std::vector<std::vector<std::string>> rows;
  for (const Event& event : log.events()) {
    if (only && event.register_index != *only) continue;
    const bool none = event.register_index == 0xffffffff;
    rows.push_back({absl::StrCat(event.number), none ? "none" : absl::StrCat(event.register_index),
                    eventlog::TypeName(event.untrusted_type), CoverageMark(log, event, bank),
                    Words(log, event, bank)});
  }
  out << FormatTable({"EVENT", "REGISTER", "TYPE", "COVERED", "WHAT"}, rows);
}

void PrintTable(const Log& log, const cel::Log* user_log, std::optional<uint32_t> only,
                std::ostream& out) {
  const crypto::HashAlg bank = StrongestBank(log);
  PrintEvents(log, bank, only, out);
  if (user_log != nullptr) {
    out << "\nthen systemd, by its own log:\n"
        << FormatTable({"RECORD", "REGISTER", "TYPE", "COVERED", "WHAT"},
                       RecordRows(*user_log, only));
  }
  if (only) return;
  out << "\nas the log tells it (bank " << crypto::Name(bank) << "; only a quote proves it):\n"
      << FormatPairs(SummaryOf(log, bank));
}

// The `events` claim; with a filter, the objects of that register alone.
absl::StatusOr<std::string> EventsText(const Log& log, std::optional<uint32_t> only) {
  std::optional<std::string> text = appraisal::json::EventsJson(log);
  if (!text) {
    return absl::InvalidArgumentError(
        absl::StrCat("the events are more than ", appraisal::json::kMaxEventsJson >> 20,
                     " MiB of JSON; look at one register with --register"));
  }
  if (!only) return *std::move(text);
  const auto all = nlohmann::ordered_json::parse(*text, nullptr, /*allow_exceptions=*/false);
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  for (const auto& event : all.at("Events")) {
    if (event.at("PcrIndex") == *only) events.push_back(event);
  }
  return nlohmann::ordered_json{{"Events", events}}.dump();
}

nlohmann::ordered_json ToJson(const cel::Record& record, crypto::HashAlg bank) {
  nlohmann::ordered_json json = {{"RecordNumber", record.number}};
  if (record.pcr) json["PcrIndex"] = *record.pcr;
  if (record.nv_index) json["NvIndex"] = NvIndexName(*record.nv_index);
  if (!record.untrusted_nv_name.empty()) json["NvName"] = Printable(record.untrusted_nv_name);
  json["EventType"] = Printable(record.untrusted_type);
  if (record.untrusted_text) json["Text"] = Printable(*record.untrusted_text);
  json["Covered"] = RecordMark(record, bank) == "yes";
  nlohmann::ordered_json digests = nlohmann::ordered_json::object();
  for (const crypto::Digest& digest : record.digests) {
    digests[std::string(crypto::Name(digest.alg()))] = digest.hex();
  }
  json["Digests"] = digests;
  return json;
}

// The same document with the user-space log's records in it.
std::string WithRecords(const std::string& events, const cel::Log& user_log,
                        std::optional<uint32_t> only) {
  auto json = nlohmann::ordered_json::parse(events, nullptr, /*allow_exceptions=*/false);
  const crypto::HashAlg bank = StrongestBankOf(user_log);
  nlohmann::ordered_json& records = json["UserRecords"] = nlohmann::ordered_json::array();
  for (const cel::Record& record : user_log.records()) {
    if (!only || record.pcr == *only) records.push_back(ToJson(record, bank));
  }
  return json.dump();
}

void SayDefects(const Log& log, std::ostream& err) {
  for (const eventlog::Defect& defect : log.defects()) {
    err << "warning: " << Code(defect.reason) << ": " << defect.text << "\n";
  }
}

bool BreaksOff(const Log& log) {
  return std::ranges::any_of(log.defects(), [](const eventlog::Defect& defect) {
    return defect.reason == Reason::kLogTruncated || defect.reason == Reason::kLogLimit ||
           defect.reason == Reason::kLogSpecId;
  });
}

}  // namespace

ExitCode EventlogShow(const EventlogShowOptions& options, const EventlogIo& io) {
  if (options.file == kStandardInput && options.user_log == kStandardInput) {
    return FailInput(io.err, absl::InvalidArgumentError("only one file can be standard input"));
  }
  const absl::StatusOr<LogFile> file = ReadLogFile(options.file, io.in, options.log);
  if (!file.ok()) return FailInput(io.err, file.status());
  UserLogFile user;
  if (options.user_log) {
    absl::StatusOr<UserLogFile> read = ReadUserLogFile(*options.user_log, io.in);
    if (!read.ok()) return FailUserLog(io.err, read.status());
    user = *std::move(read);
  }
  if (SayIfNoLog(*file, io.err)) return ExitCode::kRejected;
  SayWhichLog(*file, io.err);
  SayDefects(file->log, io.err);
  SayUserDefects(user.log, io.err);
  if (io.format == OutputFormat::kJson) {
    const absl::StatusOr<std::string> text = EventsText(file->log, options.register_index);
    if (!text.ok()) return FailInput(io.err, text.status());
    io.out << (options.user_log ? WithRecords(*text, user.log, options.register_index) : *text)
           << "\n";
  } else {
    PrintTable(file->log, options.user_log ? &user.log : nullptr, options.register_index, io.out);
  }
  return BreaksOff(file->log) || HasDefects(user.log) ? ExitCode::kRejected : ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
