#include "gatekeeper/cli/inventory_file.h"

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/cli/labels.h"
#include "gatekeeper/enroll/ek_trust.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::json;

constexpr size_t kMaxComplaints = 20;
constexpr char kEkColumn[] = "ek";

// Collects rows and what is wrong with others.
class Collector {
 public:
  explicit Collector(absl::string_view file) : file_(file) {}

  void Complain(size_t line, absl::string_view what) {
    ++complaints_;
    if (texts_.size() < kMaxComplaints)
      texts_.push_back(absl::StrCat(file_, ":", line, ": ", what));
  }

  void Add(size_t line, absl::string_view ek, Labels labels) {
    store::InventoryRow row;
    row.ek = CanonicalEk(ek);
    if (row.ek.empty()) {
      return Complain(line, absl::StrCat("'", Printable(ek, 80),
                                         "' is no EK: a host id (h-...) or 64 hex digits"));
    }
    if (labels.size() > kMaxLabels) return Complain(line, "too many labels");
    for (const auto& [name, value] : labels) {
      if (name.empty() || name.size() > kMaxLabelBytes || value.size() > kMaxLabelBytes) {
        return Complain(
            line, absl::StrCat("a label without name, or longer than ", kMaxLabelBytes, " bytes"));
      }
    }
    const auto [first, fresh] = lines_.emplace(row.ek, line);
    if (!fresh)
      return Complain(line, absl::StrCat(row.ek, " stands in line ", first->second, ", too"));
    row.labels = std::move(labels);
    rows_.push_back(std::move(row));
  }

  bool IsFull() const { return rows_.size() >= kMaxInventoryRows; }

  absl::StatusOr<std::vector<store::InventoryRow>> Finish() && {
    if (complaints_ == 0) return std::move(rows_);
    if (complaints_ > texts_.size()) {
      texts_.push_back(absl::StrCat("and ", complaints_ - texts_.size(), " more"));
    }
    return absl::InvalidArgumentError(absl::StrJoin(texts_, "\n       "));
  }

 private:
  const std::string file_;
  std::vector<store::InventoryRow> rows_;
  std::map<std::string, size_t> lines_;
  std::vector<std::string> texts_;
  size_t complaints_ = 0;
};

struct Record {
  size_t line = 0;  // its first
  std::vector<std::string> cells;
};

// RFC 4180: cells between commas, quoted ones may hold commas, line ends and doubled quotes.
class CsvReader {
 public:
  explicit CsvReader(absl::string_view text) : text_(text) {
    absl::ConsumePrefix(&text_, "\xef\xbb\xbf");  // what spreadsheets write first
  }

  // nullopt at the end. An empty line or one that begins with '#' is passed over.
  std::optional<Record> Next() {
    for (;;) {
      if (at_ >= text_.size()) return std::nullopt;
      const size_t end = std::min(text_.find('\n', at_), text_.size());
      const absl::string_view line = absl::StripAsciiWhitespace(text_.substr(at_, end - at_));
      if (!line.empty() && line.front() != '#') return ReadRecord();
      at_ = end + 1;
      ++line_;
    }
  }

 private:
  Record ReadRecord() {
    Record record;
    record.line = line_;
    for (bool more = true; more;) {
      record.cells.push_back(ReadCell());
      more = at_ < text_.size() && text_[at_] == ',';
      if (at_ < text_.size()) ++at_;  // the comma, or the line's end
    }
    ++line_;
    return record;
  }

  std::string ReadCell() {
    std::string cell;
    bool quoted = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (quoted && c == '"') {
        quoted = at_ + 1 < text_.size() && text_[at_ + 1] == '"';
        if (!quoted) continue;
        ++at_;
      } else if (!quoted && c == '"' && cell.empty()) {
        quoted = true;
        continue;
      } else if (!quoted && (c == ',' || c == '\n')) {
        break;
      }
      if (c == '\n') ++line_;
      cell.push_back(c);
    }
    return std::string(absl::StripAsciiWhitespace(cell));
  }

  absl::string_view text_;
  size_t at_ = 0, line_ = 1;
};

// Without a heading: one EK a line, a comment behind it.
std::string OnlyCell(const Record& record) {
  return std::string(
      absl::StripAsciiWhitespace(record.cells.front().substr(0, record.cells.front().find('#'))));
}

std::optional<size_t> EkColumn(const std::vector<std::string>& heading) {
  for (size_t i = 0; i < heading.size(); ++i) {
    if (absl::AsciiStrToLower(heading[i]) == kEkColumn) return i;
  }
  return std::nullopt;
}

void AddRecord(const Record& record, const std::vector<std::string>& heading, size_t ek_column,
               Collector& out) {
  if (record.cells.size() != heading.size()) {
    return out.Complain(record.line, absl::StrCat(record.cells.size(),
                                                  " cells where the heading has ", heading.size()));
  }
  Labels labels;
  for (size_t i = 0; i < heading.size(); ++i) {
    if (i != ek_column && !record.cells[i].empty()) labels[heading[i]] = record.cells[i];
  }
  out.Add(record.line, record.cells[ek_column], std::move(labels));
}

absl::StatusOr<std::vector<store::InventoryRow>> ParseCsv(absl::string_view text,
                                                          absl::string_view file) {
  Collector out(file);
  CsvReader in(text);
  std::optional<Record> record = in.Next();
  std::vector<std::string> heading;
  std::optional<size_t> ek_column;
  if (record.has_value() && CanonicalEk(OnlyCell(*record)).empty()) {
    heading = record->cells;
    ek_column = EkColumn(heading);
    if (!ek_column.has_value()) {
      out.Complain(record->line, "the heading names no column \"ek\"");
      return std::move(out).Finish();
    }
    record = in.Next();
  }
  for (; record.has_value(); record = in.Next()) {
    if (out.IsFull()) return absl::ResourceExhaustedError("more than 1,000,000 EKs");
    if (ek_column.has_value()) {
      AddRecord(*record, heading, *ek_column, out);
    } else if (record->cells.size() == 1) {
      out.Add(record->line, OnlyCell(*record), {});
    } else {
      out.Complain(record->line, "several cells, but no heading says what they are");
    }
  }
  return std::move(out).Finish();
}

// JSON has no lines once it is parsed: an entry is named by its number, or by the line of the
// error.
void AddEntry(size_t number, const json& entry, Collector& out) {
  if (!entry.is_object() || !entry.contains("ek") || !entry["ek"].is_string()) {
    return out.Complain(number, "an entry is an object with the text \"ek\"");
  }
  Labels labels;
  for (const auto& [name, value] : entry.items()) {
    if (name == "ek") continue;
    if (name != "labels" || !value.is_object()) {
      return out.Complain(number, absl::StrCat("unknown member '", Printable(name, 80), "'"));
    }
    for (const auto& [label, text] : value.items()) {
      if (!text.is_string()) return out.Complain(number, "a label's value is a text");
      labels[label] = text.get<std::string>();
    }
  }
  out.Add(number, entry["ek"].get<std::string>(), std::move(labels));
}

size_t LineOf(absl::string_view text, size_t byte) {
  size_t line = 1;
  for (size_t i = 0; i < std::min(byte, text.size()); ++i) line += text[i] == '\n' ? 1 : 0;
  return line;
}

absl::StatusOr<std::vector<store::InventoryRow>> ParseJson(absl::string_view text,
                                                           absl::string_view file) {
  json parsed;
  try {
    parsed = json::parse(text.begin(), text.end());
  } catch (const json::parse_error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ":", LineOf(text, error.byte), ": this is no JSON"));
  }
  if (!parsed.is_array()) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": a list of entries is wanted"));
  }
  if (parsed.size() > kMaxInventoryRows) {
    return absl::ResourceExhaustedError("more than 1,000,000 EKs");
  }
  Collector out(absl::StrCat(file, " entry"));
  size_t number = 0;
  for (const json& entry : parsed) AddEntry(++number, entry, out);
  return std::move(out).Finish();
}

}  // namespace

std::string CanonicalEk(absl::string_view text) {
  std::string canonical = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text));
  if (absl::string_view(canonical).substr(0, 2) != "h-") {
    canonical = absl::StrReplaceAll(canonical, {{":", ""}});
  }
  return enroll::IsInventoryKey(canonical) ? canonical : std::string();
}

absl::StatusOr<std::vector<store::InventoryRow>> ParseInventory(absl::string_view text,
                                                                absl::string_view file) {
  if (text.size() > kMaxInventoryBytes) return absl::ResourceExhaustedError("the file is too long");
  const absl::string_view begin = absl::StripLeadingAsciiWhitespace(text);
  const bool is_json = !begin.empty() && (begin.front() == '[' || begin.front() == '{');
  return is_json ? ParseJson(text, file) : ParseCsv(text, file);
}

}  // namespace bootgate::gatekeeper::cli
