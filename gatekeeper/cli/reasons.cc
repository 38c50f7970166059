#include "gatekeeper/cli/reasons.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "common/base/hex.h"
#include "common/base/nearest.h"
#include "common/base/reason.h"

namespace bootgate::gatekeeper::cli {
namespace {

std::string Str(absl::string_view text) { return std::string(text.data(), text.size()); }

nlohmann::ordered_json ToJson(const ReasonInfo& row) {
  return {{"code", Str(row.code)},
          {"outcome", Str(Name(row.outcome))},
          {"meaning", Str(row.meaning)},
          {"way_out", Str(row.way_out)}};
}

}  // namespace

ExitCode ReasonList(OutputFormat format, std::ostream& out) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows;
  for (const ReasonInfo& row : AllReasons()) {
    json.push_back(ToJson(row));
    rows.push_back({Str(row.code), Str(Name(row.outcome)), Str(row.meaning)});
  }
  out << (format == OutputFormat::kJson ? json.dump(2) + "\n"
                                        : FormatTable({"CODE", "OUTCOME", "MEANING"}, rows));
  return ExitCode::kSuccess;
}

ExitCode ReasonShow(const std::string& code, OutputFormat format, std::ostream& out,
                    std::ostream& err) {
  const std::optional<Reason> reason = ReasonFromCode(code);
  if (!reason.has_value()) {
    std::vector<std::string> codes;
    for (const ReasonInfo& row : AllReasons()) codes.push_back(Str(row.code));
    const std::string near = NearestName(code, codes);
    err << "error: no reason code " << Printable(code)
        << (near.empty() ? "" : "; did you mean " + near + "?") << "\n";
    return ExitCode::kNotFound;
  }
  const ReasonInfo& row = Info(*reason);
  out << (format == OutputFormat::kJson ? ToJson(row).dump(2) + "\n"
                                        : FormatPairs({{"code", Str(row.code)},
                                                       {"outcome", Str(Name(row.outcome))},
                                                       {"meaning", Str(row.meaning)},
                                                       {"way out", Str(row.way_out)}}));
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
