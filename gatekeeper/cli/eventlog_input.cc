#include "gatekeeper/cli/eventlog_input.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::cli {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxRegistersBytes = size_t{1} << 20;
constexpr int kMaxDepth = 8;
constexpr size_t kStep = size_t{64} << 10;  // bytes read at once

constexpr char kWhereLogsAre[] =
    "on a Linux host the log is /sys/kernel/security/tpm0/binary_bios_measurements, readable by "
    "root";
constexpr char kWhereUserLogsAre[] =
    "systemd writes it to /run/log/systemd/tpm2-measure.log where the kernel was started by "
    "systemd-stub";

absl::Status TooLarge(const std::string& file, size_t max_bytes) {
  return absl::InvalidArgumentError(absl::StrCat(SayName(file), " is larger than ", max_bytes >> 20,
                                                 " MiB, the most that is read"));
}

absl::StatusOr<Bytes> ReadStream(std::istream& in, size_t max_bytes) {
  Bytes out;
  while (in.good()) {
    const size_t have = out.size();
    out.resize(have + kStep);
    in.read(reinterpret_cast<char*>(out.data() + have), static_cast<std::streamsize>(kStep));
    out.resize(have + static_cast<size_t>(in.gcount()));
    if (out.size() > max_bytes) return TooLarge(kStandardInput, max_bytes);
  }
  if (in.bad()) return absl::UnavailableError("standard input cannot be read");
  return out;
}

absl::Status BadRegisters(absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(where.empty() ? "" : absl::StrCat(where, ": "), what,
                   "; register values look like {\"sha256\": {\"0\": \"<hexadecimal>\"}}"));
}

// Nesting of hostile JSON is bounded before anything is built from it.
Json ParseBounded(absl::string_view text) {
  bool too_deep = false;
  const Json::parser_callback_t guard = [&too_deep](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kMaxDepth;
    return !too_deep;
  };
  Json json = Json::parse(text.begin(), text.end(), guard, /*allow_exceptions=*/false);
  return too_deep ? Json(Json::value_t::discarded) : json;
}

// What `eventlog predict` writes of one register.
bool IsPrediction(const Json& value) {
  return value.is_object() && value.value("after", Json()).is_string() &&
         value.value("changed", Json()).is_boolean();
}

absl::Status AddRegister(const std::string& key, const Json& told, registers::RegisterBank* bank) {
  if (IsPrediction(told) && !told.at("changed").get<bool>()) return absl::OkStatus();
  const Json& value = IsPrediction(told) ? told.at("after") : told;
  const std::string where = absl::StrCat(crypto::Name(bank->alg()), " ", Printable(key, 32));
  uint32_t index = 0;
  if (!absl::SimpleAtoi(key, &index) || index >= registers::kCount) {
    return BadRegisters(where, "registers are numbered from 0 to 23");
  }
  if (!value.is_string()) return BadRegisters(where, "the value is no text");
  const std::string text = value.get<std::string>();
  const absl::StatusOr<Bytes> bytes = FromHex(absl::StripPrefix(text, "0x"));
  if (!bytes.ok()) return BadRegisters(where, "the value is not hexadecimal");
  const absl::StatusOr<crypto::Digest> digest = crypto::Digest::From(bank->alg(), *bytes);
  if (!digest.ok()) {
    return BadRegisters(where, absl::StrCat("the value has ", bytes->size(), " bytes, not ",
                                            crypto::DigestSize(bank->alg())));
  }
  if (bank->Has(index)) return BadRegisters(where, "the register is given twice");
  bank->Set(index, *digest);
  return absl::OkStatus();
}

absl::StatusOr<registers::RegisterBank> ParseBank(const std::string& name, const Json& values) {
  const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromName(name);
  if (!alg.has_value()) return BadRegisters(Printable(name, 32), "no such bank");
  if (!values.is_object()) return BadRegisters(Printable(name, 32), "no object of registers");
  registers::RegisterBank bank(*alg);
  for (const auto& [key, value] : values.items()) {
    BG_RETURN_IF_ERROR(AddRegister(key, value, &bank));
  }
  return bank;
}

}  // namespace

std::string SayName(const std::string& file) {
  return file == kStandardInput ? "standard input" : Printable(file);
}

absl::StatusOr<Bytes> ReadInput(const std::string& file, std::istream& in, size_t max_bytes) {
  if (file == kStandardInput) return ReadStream(in, max_bytes);
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    return absl::InvalidArgumentError(
        absl::StrCat(SayName(file), " is a folder; give the file in it"));
  }
  absl::StatusOr<Bytes> bytes = ReadFile(file, max_bytes);
  if (absl::IsResourceExhausted(bytes.status())) return TooLarge(file, max_bytes);
  return bytes;
}

absl::StatusOr<LogFile> ReadLogFile(const std::string& file, std::istream& in,
                                    std::optional<size_t> number) {
  BG_ASSIGN_OR_RETURN(Bytes bytes, ReadInput(file, in, eventlog::kMaxLogBytes));
  LogFile out;
  out.name = SayName(file);
  out.bytes = std::make_shared<const Bytes>(std::move(bytes));
  const std::vector<ByteView> logs = eventlog::SplitLogs(*out.bytes);
  out.number = number.value_or(1);
  out.of = std::max<size_t>(logs.size(), 1);
  if (out.number < 1 || out.number > out.of) {
    return absl::InvalidArgumentError(absl::StrCat(out.name, " holds ", out.of,
                                                   out.of == 1 ? " log" : " logs",
                                                   "; there is no log ", out.number, " in it"));
  }
  const bool piece = number.has_value() && !logs.empty();
  out.log = eventlog::Log::Parse(piece ? logs[out.number - 1] : ByteView(*out.bytes));
  return out;
}

absl::StatusOr<std::vector<LogFile>> ReadLogsOfFile(const std::string& file, std::istream& in) {
  BG_ASSIGN_OR_RETURN(Bytes read, ReadInput(file, in, eventlog::kMaxLogBytes));
  const auto bytes = std::make_shared<const Bytes>(std::move(read));
  std::vector<ByteView> pieces = eventlog::SplitLogs(*bytes);
  if (pieces.empty()) pieces.emplace_back();
  std::vector<LogFile> out;
  for (const ByteView piece : pieces) {
    out.push_back(
        {SayName(file), bytes, eventlog::Log::Parse(piece), out.size() + 1, pieces.size()});
  }
  return out;
}

void SayWhichLog(const LogFile& file, std::ostream& err) {
  if (file.of == 1) return;
  err << "note: this file holds " << file.of << " logs; log " << file.number << " of " << file.of
      << " shown (--log N chooses)\n";
}

absl::StatusOr<UserLogFile> ReadUserLogFile(const std::string& file, std::istream& in) {
  BG_ASSIGN_OR_RETURN(const Bytes bytes, ReadInput(file, in, cel::kMaxLogBytes));
  UserLogFile out{SayName(file), cel::Log::Parse(bytes)};
  if (!out.log.records().empty()) return out;
  if (bytes.empty()) {
    return absl::DataLossError(absl::StrCat(out.name, " is empty: no user-space log"));
  }
  return absl::DataLossError(absl::StrCat(out.name, " is no user-space log: ",
                                          out.log.defects().empty()
                                              ? "there is no record in it"
                                              : absl::string_view(out.log.defects().front().text)));
}

absl::Status CheckJoinable(const LogFile& boot_log) {
  if (boot_log.log.register_kind() == eventlog::RegisterKind::kPcr) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(boot_log.name,
                   " counts the measurement registers of a confidential machine, and a user-space "
                   "log counts PCRs: the two cannot be joined"));
}

bool SayIfNoLog(const LogFile& file, std::ostream& err) {
  const bool has_events = std::ranges::any_of(
      file.log.events(), [](const eventlog::Event& event) { return event.Extends(); });
  if (has_events) return false;
  err << "error: " << file.name
      << (file.bytes->empty() ? " is empty: the firmware gave no boot log"
                              : " is no boot log, or one without a single measurement")
      << "\n";
  if (!file.log.defects().empty()) err << "       " << file.log.defects().front().text << "\n";
  err << "       " << kWhereLogsAre << "\n";
  return true;
}

absl::StatusOr<std::vector<registers::RegisterBank>> ParseRegisters(absl::string_view text) {
  const Json json = ParseBounded(text);
  if (!json.is_object()) return BadRegisters("", "this is no JSON object");
  const Json& banks = json.contains("banks") ? json.at("banks") : json;
  if (!banks.is_object()) return BadRegisters("banks", "no object of banks");
  std::vector<registers::RegisterBank> out;
  for (const auto& [name, values] : banks.items()) {
    BG_ASSIGN_OR_RETURN(registers::RegisterBank bank, ParseBank(name, values));
    if (bank.mask() != 0) out.push_back(bank);
  }
  if (out.empty()) return BadRegisters("", "there is no register in it");
  return out;
}

absl::StatusOr<std::vector<registers::RegisterBank>> ReadRegistersFile(const std::string& file,
                                                                       std::istream& in) {
  BG_ASSIGN_OR_RETURN(const Bytes bytes, ReadInput(file, in, kMaxRegistersBytes));
  absl::StatusOr<std::vector<registers::RegisterBank>> banks = ParseRegisters(AsText(bytes));
  if (banks.ok()) return banks;
  return absl::InvalidArgumentError(absl::StrCat(SayName(file), ": ", banks.status().message()));
}

ExitCode FailInput(std::ostream& err, const absl::Status& status) {
  err << "error: " << Printable(status.message(), 1024) << "\n";
  if (absl::IsNotFound(status) || absl::IsPermissionDenied(status)) {
    err << "       " << kWhereLogsAre << "\n";
  }
  return ExitCodeFor(status);
}

ExitCode FailUserLog(std::ostream& err, const absl::Status& status) {
  err << "error: " << Printable(status.message(), 1024) << "\n";
  if (absl::IsInvalidArgument(status)) return ExitCodeFor(status);
  err << "       " << kWhereUserLogsAre << "\n";
  return absl::IsDataLoss(status) ? ExitCode::kRejected : ExitCodeFor(status);
}

}  // namespace bootgate::gatekeeper::cli
