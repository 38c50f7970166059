// Tables for a terminal: columns as wide as their widest cell, two spaces apart.
// Ids are never cut: they stand in front, and people copy them.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace bootgate::gatekeeper::cli {

enum class OutputFormat { kTable, kJson };

// From now on the last column of tables is cut to what fits into so many columns of a terminal; 0,
// as at the start: nothing is cut. For the program's main function; any thread.
void SetTableWidth(size_t columns);

// Cells are made printable; a row may be shorter than the heading.
std::string FormatTable(const std::vector<std::string>& heading,
                        const std::vector<std::vector<std::string>>& rows);

// "-" where there is nothing to show.
std::string OrDash(std::string text);

// "key: value" lines with the values in one column.
std::string FormatPairs(const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace bootgate::gatekeeper::cli
