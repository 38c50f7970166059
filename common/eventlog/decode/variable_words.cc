#include "common/eventlog/decode/variable_words.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/eventlog/decode/authority.h"
#include "common/eventlog/decode/load_option.h"
#include "common/eventlog/decode/shim.h"
#include "common/eventlog/decode/signature_words.h"
#include "common/eventlog/decode/variable.h"

namespace bootgate::eventlog {
namespace {

constexpr size_t kShownBytes = 16;    // of data without a text form
constexpr size_t kShownEntries = 64;  // of a boot order
constexpr absl::string_view kSwitches[] = {"SecureBoot",   "SetupMode",  "AuditMode",
                                           "DeployedMode", "MokSBState", "MokIgnoreDB"};

std::string Hex(ByteView bytes) {
  if (bytes.size() <= kShownBytes) return ToHex(bytes);
  return absl::StrCat(ToHex(bytes.first(kShownBytes)), "... (", bytes.size(), " bytes)");
}

// A switch is told in words.
std::string SwitchWord(const UefiVariable& variable) {
  if (variable.data.size() != 1 || variable.data[0] > 1) return "";
  if (std::ranges::find(kSwitches, variable.name) == std::end(kSwitches)) return "";
  return variable.data[0] == 1 ? " (on)" : " (off)";
}

// "SbatLevel: 2025021800, shim 4, grub 5".
std::string SbatWords(const SbatLevel& level) {
  std::string words = absl::StrCat("SbatLevel: ", Printable(level.day));
  for (const SbatRow& row : level.rows) {
    if (row.component == "sbat") continue;
    absl::StrAppend(&words, ", ", Printable(row.component), " ", row.generation);
  }
  return words;
}

std::string AuthorityWords(const Authority& authority) {
  const std::string name = Printable(authority.variable);
  if (authority.variable == "SbatLevel") {
    const std::optional<SbatLevel> level = ReadSbatLevel(authority.data);
    if (!level.has_value()) return "SbatLevel that cannot be read";
    return SbatWords(*level);
  }
  if (!authority.signature.has_value()) return absl::StrCat(name, " = ", Hex(authority.data));
  return absl::StrCat(name, " authority: ", SignatureWords(*authority.signature));
}

std::string LoadOptionWords(absl::string_view name, ByteView data) {
  const std::optional<LoadOption> option = DecodeLoadOption(data);
  if (!option.has_value()) return absl::StrCat(name, " = ", Hex(data));
  return absl::StrCat(name, ": ", Printable(option->description),
                      option->path.text.empty() ? "" : ", ", Printable(option->path.text));
}

std::string OrderWords(absl::string_view name, ByteView data) {
  const std::optional<std::vector<uint16_t>> order = DecodeBootOrder(data);
  if (!order.has_value() || order->size() > kShownEntries)
    return absl::StrCat(name, " = ", Hex(data));
  std::vector<std::string> numbers;
  for (const uint16_t number : *order) {
    numbers.push_back(absl::StrCat(absl::Hex(number, absl::kZeroPad4)));
  }
  return absl::StrCat(name, ": ", absl::StrJoin(numbers, ", "));
}

}  // namespace

std::string VariableWords(const Event& event) {
  const std::optional<UefiVariable> variable = DecodeUefiVariable(event);
  if (!variable.has_value()) return "UEFI variable that cannot be read";
  const std::string name = Printable(variable->name);
  if (variable->data.empty()) return absl::StrCat(name, " is empty");
  const std::optional<Authority> authority = DecodeAuthority(event);
  if (authority.has_value()) return AuthorityWords(*authority);
  if (HoldsSignatureLists(variable->name)) {
    return absl::StrCat(name, ": ", SignatureListWords(variable->name, variable->data));
  }
  if (IsLoadOptionName(variable->name)) return LoadOptionWords(name, variable->data);
  if (variable->name == "BootOrder" || variable->name == "DriverOrder") {
    return OrderWords(name, variable->data);
  }
  return absl::StrCat(name, " = ", Hex(variable->data), SwitchWord(*variable));
}

}  // namespace bootgate::eventlog
