#include "gatekeeper/appraisal/tpm_boot/kernel_command_line.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {
namespace {

// Where the parameter that begins at `start` ends: at the next space outside of quotes.
size_t EndOf(absl::string_view line, size_t start) {
  bool quoted = false;
  size_t at = start;
  for (; at < line.size(); ++at) {
    if (line[at] == '"') quoted = !quoted;
    if (!quoted && absl::ascii_isspace(static_cast<unsigned char>(line[at]))) break;
  }
  return at;
}

absl::string_view WithoutFinalQuote(absl::string_view text) {
  return !text.empty() && text.back() == '"' ? text.substr(0, text.size() - 1) : text;
}

// Quotes stand around the whole parameter or around its value.
KernelParameter Split(absl::string_view text) {
  KernelParameter out;
  out.text = text;
  if (!text.empty() && text.front() == '"') text = WithoutFinalQuote(text.substr(1));
  const size_t equals = text.find('=');
  out.name = std::string(text.substr(0, equals));
  std::ranges::replace(out.name, '-', '_');
  out.has_value = equals != absl::string_view::npos;
  if (!out.has_value) return out;
  absl::string_view value = text.substr(equals + 1);
  if (!value.empty() && value.front() == '"') value = WithoutFinalQuote(value.substr(1));
  out.value = std::string(value);
  return out;
}

}  // namespace

std::vector<KernelParameter> ParseKernelCommandLine(absl::string_view command_line) {
  const absl::string_view line = command_line.substr(0, command_line.find('\0'));
  std::vector<KernelParameter> out;
  size_t at = 0;
  while (at < line.size() && out.size() < kMaxKernelParameters) {
    if (absl::ascii_isspace(static_cast<unsigned char>(line[at]))) {
      ++at;
      continue;
    }
    const size_t end = EndOf(line, at);
    const absl::string_view text = line.substr(at, end - at);
    if (text == "--") break;
    out.push_back(Split(text));
    at = end;
  }
  return out;
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
