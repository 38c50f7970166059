#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "gatekeeper/cli/ima_list_input.h"
#include "gatekeeper/cli/ima_list_summary.h"
#include "gatekeeper/cli/ima_list_verbs.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxPath = 4 * 4096;  // bytes of an escaped path
constexpr size_t kMaxName = 256;       // bytes

// Widths of the columns: a list that is written as it is read cannot know the widest cell.
constexpr size_t kNumberWidth = 7, kRegisterWidth = 3, kTemplateWidth = 10, kMarkWidth = 9,
                 kDigestWidth = 71;

std::string DigestOf(const ima::Entry& entry) {
  if (entry.file_digest.empty()) return "-";
  return absl::StrCat(entry.digest_type, entry.digest_type.empty() ? "" : ":",
                      Printable(entry.digest_name, kMaxName), ":", ToHex(entry.file_digest));
}

const char* MarkOf(const ima::Entry& entry) {
  if (entry.violation) return "VIOLATION";
  if (entry.HoldsBuffer()) return "record";
  if (!entry.signature.empty()) return "signed";
  if (!entry.appended_signature.empty()) return "modsig";
  return entry.evm_signature.empty() ? "-" : "evm";
}

std::string Cell(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text + "  ";
}

std::string Row(std::string number, std::string index, std::string name, std::string mark,
                std::string digest, const std::string& path) {
  return absl::StrCat(Cell(std::move(number), kNumberWidth), Cell(std::move(index), kRegisterWidth),
                      Cell(std::move(name), kTemplateWidth), Cell(std::move(mark), kMarkWidth),
                      Cell(std::move(digest), kDigestWidth), path, "\n");
}

std::string RowOf(const ima::Entry& entry) {
  return Row(absl::StrCat(entry.number), absl::StrCat(entry.register_index),
             Printable(entry.template_name, kMaxName), MarkOf(entry), DigestOf(entry),
             Printable(entry.path, kMaxPath));
}

void AddBytes(ordered_json& json, const char* key, ByteView bytes) {
  if (!bytes.empty()) json[key] = ToHex(bytes);
}

void AddNumber(ordered_json& json, const char* key, std::optional<uint32_t> number) {
  if (number.has_value()) json[key] = *number;
}

std::string JsonOf(const ima::Entry& entry) {
  ordered_json json = {{"entry", entry.number},
                       {"pcr", entry.register_index},
                       {"template", Printable(entry.template_name, kMaxName)},
                       {"template_digest", ToHex(entry.listed_digest)},
                       {"digest", DigestOf(entry)},
                       {"path", Printable(entry.path, kMaxPath)},
                       {"signed", !entry.signature.empty() || !entry.appended_signature.empty()},
                       {"violation", entry.violation}};
  AddBytes(json, "signature", entry.signature);
  AddBytes(json, "appended_signature", entry.appended_signature);
  AddBytes(json, "evm_signature", entry.evm_signature);
  AddBytes(json, "buffer", entry.buffer);
  AddNumber(json, "owner", entry.owner);
  AddNumber(json, "group", entry.group);
  AddNumber(json, "mode", entry.mode);
  return json.dump();
}

bool IsWanted(const ima::Entry& entry, const ImaListShowOptions& options) {
  if (options.register_index && entry.register_index != *options.register_index) return false;
  if (options.filter.empty()) return true;
  return absl::StrContains(entry.path, options.filter) ||
         absl::StrContains(entry.template_name, options.filter) ||
         absl::StrContains(DigestOf(entry), options.filter);
}

}  // namespace

ExitCode ImaListShow(const ImaListShowOptions& options, const ImaListIo& io) {
  const bool as_json = io.format == OutputFormat::kJson;
  ImaListSummary summary;
  size_t shown = 0;
  const absl::StatusOr<ImaReading> reading =
      ReadImaList(options.file, io.in, [&](const ima::Entry& entry) {
        summary.Add(entry);
        if (!IsWanted(entry, options)) return;
        if (as_json) {
          io.out << (shown > 0 ? ",\n " : "[\n ") << JsonOf(entry);
        } else {
          if (shown == 0) io.out << Row("ENTRY", "PCR", "TEMPLATE", "MARK", "DIGEST", "PATH");
          io.out << RowOf(entry);
        }
        ++shown;
      });
  if (!reading.ok()) return FailImaInput(io.err, reading.status());
  if (as_json) io.out << (shown > 0 ? "\n]\n" : "[]\n");
  if (SayIfNoImaList(*reading, io.err)) return ExitCode::kRejected;
  SayDefects(*reading, io.err);
  if (!as_json) {
    io.out << (shown > 0 ? "\n" : "no such entry\n\n")
           << "as the list tells it (only a quoted PCR proves it):\n"
           << FormatPairs(summary.Lines());
  }
  return reading->BreaksOff() ? ExitCode::kRejected : ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
