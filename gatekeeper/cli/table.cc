#include "gatekeeper/cli/table.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper::cli {
namespace {

constexpr size_t kLeastWidth = 16;  // of a last column that is cut
constexpr char kCut[] = "…";

std::atomic<size_t> terminal_width{0};

// Columns that the text takes on a terminal: code points, since Printable leaves only UTF-8.
size_t Width(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// At most `width` columns of it.
std::string Cut(std::string text, size_t width) {
  if (Width(text) <= width) return text;
  size_t bytes = 0;
  for (size_t columns = 0; bytes < text.size(); ++bytes) {
    const bool begins = (static_cast<unsigned char>(text[bytes]) & 0xc0) != 0x80;
    if (begins && ++columns == width) break;
  }
  return absl::StrCat(text.substr(0, bytes), kCut);
}

// What is left for the last column; nullopt: as much as it likes.
std::optional<size_t> LastColumn(const std::vector<size_t>& widths) {
  const size_t terminal = terminal_width;
  if (terminal == 0 || widths.empty()) return std::nullopt;
  size_t before = 0;
  for (size_t i = 0; i + 1 < widths.size(); ++i) before += widths[i] + 2;
  return std::max(kLeastWidth, terminal > before ? terminal - before : 0);
}

void AppendRow(const std::vector<std::string>& row, const std::vector<size_t>& widths,
               std::string* out) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    absl::StrAppend(&line, row[i]);
    if (i + 1 < row.size()) line.append(widths[i] - Width(row[i]) + 2, ' ');
  }
  absl::StrAppend(out, line, "\n");
}

}  // namespace

void SetTableWidth(size_t columns) { terminal_width = columns; }

std::string FormatTable(const std::vector<std::string>& heading,
                        const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::string& cell : heading) widths.push_back(Width(cell));
  std::vector<std::vector<std::string>> printable;
  for (const std::vector<std::string>& row : rows) {
    std::vector<std::string>& cells = printable.emplace_back();
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      cells.push_back(Printable(row[i]));
      widths[i] = std::max(widths[i], Width(cells.back()));
    }
  }
  if (const std::optional<size_t> last = LastColumn(widths)) {
    for (std::vector<std::string>& cells : printable) {
      if (cells.size() == widths.size()) cells.back() = Cut(std::move(cells.back()), *last);
    }
  }
  std::string out;
  AppendRow(heading, widths, &out);
  for (const std::vector<std::string>& row : printable) AppendRow(row, widths, &out);
  return out;
}

std::string OrDash(std::string text) { return text.empty() ? "-" : text; }

std::string FormatPairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
  constexpr size_t kMaxValue = 4096;  // bytes
  size_t width = 0;
  for (const auto& [key, value] : pairs) width = std::max(width, Width(key));
  std::string out;
  for (const auto& [key, value] : pairs) {
    absl::StrAppend(&out, key, ":", std::string(width - Width(key) + 1, ' '),
                    Printable(value, kMaxValue), "\n");
  }
  return out;
}

}  // namespace bootgate::gatekeeper::cli
